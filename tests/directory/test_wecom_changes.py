"""One change in WeCom at a time: what a callback named is looked at, and holds up no other."""

from pathlib import Path

import pytest

from tests.directory.hospital_sync import between
from tests.memory import tmp_path

__all__ = ["tmp_path"]


async def test_one_change_is_looked_at_alone(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        sync = both.sync()
        calls = (await both.wecom.counts())["calls"]["user/list"]
        made = await both.change(do="create_party", name="急诊科", parentid=1)
        await both.change(do="create_party", name="抢救室", parentid=made["id"], id=99)
        await both.change(
            do="create_user", userid="Fresh", name="新来的", department=[99], mobile="10099999999"
        )
        await both.change(do="update_user", userid="w005", name="改了名")
        await both.change(do="delete_user", userid="w006")
        await both.note("user:fresh", "create_user")
        await both.note("user:w005", "update_user")
        await both.note("user:w006", "delete_user")
        await sync.take_changes()

        people, tree = await both.people(), await both.departments()
        assert people["Fresh"].posts[0].department_id == tree["抢救室"].id
        assert tree["抢救室"].parent_id == tree["急诊科"].id
        assert people["w005"].name == "改了名"
        assert "w006" not in people
        assert await both.noted() == []
        assert (await both.wecom.counts())["calls"]["user/list"] == calls

        await both.change(do="update_party", id=99, name="急诊抢救室")
        await both.note("party:99", "update_party")
        await sync.take_changes()
        assert "急诊抢救室" in await both.departments()


async def test_a_word_that_somebody_left_is_not_believed_without_asking(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.note("user:w006", "delete_user")
        await both.note("party:4", "delete_party")
        await both.sync().take_changes()

        assert len(await both.people()) == 30
        assert "外科" in await both.departments()


async def test_a_flood_of_leavers_stops_at_one_in_twenty(tmp_path: Path) -> None:
    async with between(tmp_path, 40) as both:
        await both.run()
        for n in range(10):
            await both.change(do="delete_user", userid=f"w{n:03d}")
            await both.note(f"user:w{n:03d}", "delete_user")
        sync = both.sync()
        await sync.take_changes()

        assert len(await both.people()) == 38
        outcome = await both.run()
        assert (outcome.result, outcome.counts["leaving"]) == ("held", 8)


async def test_a_change_that_cannot_be_looked_at_now_waits(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.change(do="update_user", userid="w005", name="改了名")
        await both.note("user:w005", "update_user")
        await both.wecom.fault("down")
        sync = both.sync()
        await sync.take_changes()
        assert await both.noted() == ["user:w005"]

        await both.wecom.fault("off")
        await sync.take_changes()
        assert (await both.people())["w005"].name == "改了名"


@pytest.mark.parametrize(
    ("subject", "change", "break_"),
    [("user:w004", "update_user", "refused"), ("party:none", "update_party", "")],
    ids=["wecom says no about", "nobody can make sense of"],
)
async def test_a_change_that_leads_nowhere_holds_up_no_other(
    tmp_path: Path, subject: str, change: str, break_: str
) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.change(do="update_user", userid="w005", name="改了名")
        await both.note(subject, change)
        both.clock.advance(1)
        await both.note("user:w005", "update_user")
        if break_:
            await both.change(do="break", endpoint="user/get", how=break_)
        await both.sync().take_changes()

        assert (await both.people())["w005"].name == "改了名"
        assert await both.noted() == []
