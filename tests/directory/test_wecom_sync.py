"""From WeCom to the directory, over HTTP: what is read, what goes wrong in the middle, who leaves and how."""

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from server.directory import Department
from server.directory.wecom_state import DAY_MS
from server.errors import Refused
from server.nodes.bulletin import Reader
from server.storage import Patch
from tests.directory.hospital_sync import between
from tests.directory.meeting import here
from tests.memory import tmp_path
from tests.nodes.test_bulletin import Ears

__all__ = ["tmp_path"]


async def test_everybody_is_taken_in_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        shown: list[str] = []
        preview = await both.run(apply=False, show=shown.append)
        assert (preview.result, await both.people()) == ("shown", {})
        assert shown[0].startswith("企业微信 → 院信：新增 30 人，变更 0 人，离职 0 人")
        assert "+ 部门 心内科" in shown
        assert "+ w000 职工000" in shown

        first = await both.run()
        assert (first.result, first.counts["new"], first.lines) == ("done", 30, [])
        people, tree = await both.people(), await both.departments()
        assert (people["w001"].employee_number, people["w001"].mobile) == ("1001", "")
        assert tree["心内科"].parent_id == tree["内科"].id
        assert people["w001"].posts[0].department_id == tree["心内科"].id
        assert both.directory.by_wecom("w001") == people["w001"]

        again = await both.run()
        assert (again.counts["unchanged"], again.counts["new"] + again.counts["changed"]) == (30, 0)
        assert len(await both.audited("directory.sync")) == 2


async def test_a_change_in_wecom_arrives_and_our_numbers_stay(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.store.apply(Patch("people", "w004", {"mobile": "10000000777"}))
        surgery = (await both.parties())["外科"]["id"]
        await both.change(
            do="update_user", userid="w004", name="新名字", department=[surgery], position="护士长"
        )
        outcome = await both.run()

        person = (await both.people())["w004"]
        assert (person.name, person.mobile, person.posts[0].title) == (
            "新名字",
            "10000000777",
            "护士长",
        )
        assert outcome.counts["changed"] == 1


@pytest.mark.parametrize("with_contacts", [True, False], ids=["with ids", "app only"])
async def test_who_left_is_marked_and_signed_out_and_told_on_the_bulletin(
    tmp_path: Path, with_contacts: bool
) -> None:
    async with between(tmp_path, with_contacts=with_contacts) as both:
        await both.run()
        token = await both.sign_in("w003")
        bulletin = Reader(both.store)
        await bulletin.begin()
        await both.change(do="delete_user", userid="w003")
        outcome = await both.run()

        ears = Ears()
        await bulletin.read(ears)
        assert (outcome.result, outcome.counts["leaving"]) == ("done", 1)
        left = both.directory.person("w003")
        assert left is not None
        assert (left.is_retired, left.wecom_user_id, left.employee_number) == (True, "", "1003")
        assert "staff" in ears.heard
        assert any(heard[0] == "w003" for heard in ears.heard if isinstance(heard, tuple))
        with pytest.raises(Refused):
            await both.sessions.authenticate(token)
        assert len(await both.audited("directory.retire")) == 1


@pytest.mark.parametrize("whole", [True, False], ids=["at night", "as told"])
async def test_who_is_disabled_in_wecom_is_signed_out_and_works_here_still(
    tmp_path: Path, whole: bool
) -> None:
    async with between(tmp_path) as both:
        await both.run()
        token, other = await both.sign_in("w003"), await both.sign_in("w004")
        await both.change(do="update_user", userid="w003", status=2)
        if whole:
            outcome = await both.run()
            assert outcome.counts["unchanged"] == 30
        else:
            await both.note("user:w003", "update_user")
            await both.sync().take_changes()

        with pytest.raises(Refused):
            await both.sessions.authenticate(token)
        assert (await both.sessions.authenticate(other)).person_id == "w004"
        assert "w003" in await both.people()
        [row] = await both.audited("directory.sign_out_everywhere")
        assert (row.subject, row.detail) == ("w003", {"sessions": 1, "why": "disabled in WeCom"})


@pytest.mark.parametrize(
    ("endpoint", "how", "after"),
    [
        ("user/list", "busy", 2),
        ("user/list_id", "busy", 0),
        ("department/get", "busy", 3),
        ("department/simplelist", "empty", 0),
        ("user/list_id", "empty", 0),
    ],
)
async def test_a_reading_that_is_not_whole_removes_nobody_and_the_next_one_goes_on(
    tmp_path: Path, endpoint: str, how: str, after: int
) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.change(do="delete_user", userid="w003")
        await both.change(do="break", endpoint=endpoint, how=how, after=after, times=5)
        sync = both.sync()
        failed = await sync.run("night", apply=True)

        assert failed.result == "failed"
        assert len(await both.people()) == 30
        asked = (await both.wecom.counts())["calls"]["user/list"]
        await both.change(do="break", endpoint=endpoint, how=how, times=0)
        done = await sync.run("night", apply=True)

        assert (done.result, len(await both.people())) == ("done", 29)
        if endpoint == "user/list":
            assert (await both.wecom.counts())["calls"]["user/list"] - asked == 2, (
                "two were read before"
            )


@pytest.mark.parametrize("how", ["empty", "cut"])
async def test_lists_that_lack_people_remove_nobody_who_is_still_there(
    tmp_path: Path, how: str
) -> None:
    async with between(tmp_path, with_contacts=False) as both:
        await both.run()
        await both.change(do="break", endpoint="user/list", how=how, after=1, times=1)
        outcome = await both.run()

        assert (outcome.result, outcome.counts["leaving"], len(await both.people())) == (
            "done",
            0,
            30,
        )


async def test_a_page_of_ids_that_ends_too_soon_removes_nobody(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.change(do="break", endpoint="user/list_id", how="cut", times=1)
        await both.change(do="break", endpoint="user/list", how="cut", times=4)

        assert (await both.run()).counts["leaving"] == 0


@pytest.mark.parametrize("fault", ["down", "html", "reset", "untrusted_ip", "concurrency"])
async def test_a_wecom_that_fails_changes_nothing_and_the_outcome_says_why(
    tmp_path: Path, fault: str
) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.wecom.fault(fault)
        outcome = await both.run()

        assert outcome.result == "failed"
        assert outcome.why
        assert (await both.sync().state()).outcome == outcome
        assert len(await both.people()) == 30


async def test_who_is_outside_the_apps_scope_stays_and_is_told(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        medicine = (await both.parties())["内科"]["id"]
        await both.change(do="scope", parties=[medicine])
        outcome = await both.run()

        assert (outcome.result, outcome.counts["leaving"], len(await both.people())) == (
            "done",
            0,
            30,
        )
        assert outcome.counts["conflicts"] == 10
        assert "不在应用的可见范围内" in outcome.lines[0]
        assert "外科" in await both.departments()


async def test_more_than_one_in_twenty_waits_and_the_rest_is_done(tmp_path: Path) -> None:
    async with between(tmp_path, 40) as both:
        await both.run()
        for n in range(3):
            await both.change(do="delete_user", userid=f"w{n:03d}")
        await both.change(do="update_user", userid="w030", name="新名字")
        shown: list[str] = []
        held = await both.run(show=shown.append)

        assert (held.result, len(await both.people())) == ("held", 40)
        assert (await both.people())["w030"].name == "新名字"
        assert shown[-1].startswith("离职 3/40 人")
        done = await both.run(confirmed=True)
        assert (done.result, len(await both.people())) == ("done", 37)


async def test_small_removals_of_one_day_add_up(tmp_path: Path) -> None:
    async with between(tmp_path, 40) as both:
        await both.run()
        results = []
        for n in range(3):
            await both.change(do="delete_user", userid=f"w{n:03d}")
            results.append((await both.run()).result)
        both.clock.advance(DAY_MS / 1000)

        assert results == ["done", "done", "held"]
        assert (await both.run()).result == "done"


async def test_departments_are_closed_by_the_same_rule(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        parties = await both.parties()
        for userid, row in (await both.in_wecom()).items():
            if row["parties"] == [parties["外科"]["id"]]:
                await both.change(
                    do="update_user", userid=userid, department=[parties["内科"]["id"]]
                )
        await both.change(do="delete_party", id=parties["外科"]["id"])

        assert (await both.run()).result == "held", "one of three is more than one in twenty"
        assert "外科" in await both.departments()
        assert (await both.run(confirmed=True)).result == "done"
        assert "外科" not in await both.departments()
        assert both.directory.department("wecom-4") is None


async def test_who_is_in_the_staff_list_already_is_no_second_person(tmp_path: Path) -> None:
    async with between(tmp_path, 3) as both:
        await both.keep(
            Department(id="card", name="心内科"),
            here("zhang", name="甲", employee_number="1000"),
            here("w001", name="乙"),
            here("li", name="职工002", wecom="w002", met=False, mobile="10000000888"),
        )
        outcome = await both.run()

        people = await both.people()
        assert set(people) == {"zhang", "w001", "li"}
        assert people["li"].wecom_seen_id == "w002"
        assert people["li"].mobile == "10000000888"
        assert [line.split("：")[0] for line in outcome.lines] == [
            "! 职工000 (w000)",
            "! 职工001 (w001)",
        ]


@pytest.mark.parametrize("how", ["invalid", "absent"])
async def test_a_wrong_id_of_the_staff_list_holds_up_nobody_else(tmp_path: Path, how: str) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.keep(here("typo", wecom="_typo", met=False))
        await both.change(do="update_user", userid="w005", name="改了名")
        await both.change(do="break", endpoint="user/get", how=how)
        outcome = await both.run()

        assert (outcome.result, outcome.why) == ("done", "")
        assert (await both.people())["w005"].name == "改了名"
        assert ["企业微信不认识账号 _typo" in line for line in outcome.lines] == [True]


async def test_a_night_is_given_up_after_some_tries_and_the_next_begins_anew(
    tmp_path: Path,
) -> None:
    async with between(tmp_path, 3) as both:
        sync = both.sync(hour=16)
        await both.wecom.fault("down", 3_600)
        for _ in range(9):
            await sync.run_if_due()
            both.clock.advance(601)
        await both.wecom.fault("off")
        await sync.run_if_due()

        assert len(await both.audited("directory.sync")) == 6
        assert sync.runs == {("night", "failed"): 6}
        assert await both.people() == {}
        both.clock.advance(DAY_MS / 1000)
        await sync.run_if_due()
        assert len(await both.people()) == 3


async def test_changes_are_forgotten_where_nothing_is_taken_from_wecom(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.note("user:w005", "update_user")
        await both.sync("off").take_changes()

        assert (await both.noted(), await both.people()) == ([], {})


async def test_the_nights_run_is_once_a_night_and_a_failed_one_is_tried_again(
    tmp_path: Path,
) -> None:
    async with between(tmp_path) as both:
        sync = both.sync(hour=2)
        await sync.run_if_due()
        assert await both.people() == {}, "it is four in the afternoon"

        evening = datetime.fromtimestamp(both.clock.now() / 1000, sync._zone)
        both.clock.advance((26 - evening.hour) * 3_600)
        await both.wecom.fault("down")
        await sync.run_if_due()
        failed = await sync.state()
        assert (failed.outcome is not None and failed.outcome.result, failed.tries) == ("failed", 1)
        await both.wecom.fault("off")
        await sync.run_if_due()
        assert await both.people() == {}, "not yet"
        both.clock.advance(601)
        await sync.run_if_due()
        assert len(await both.people()) == 30
        runs = len(await both.audited("directory.sync"))
        both.clock.advance(3_600)
        await sync.run_if_due()
        assert len(await both.audited("directory.sync")) == runs
        both.clock.advance(DAY_MS / 1000 - 3_600)
        await sync.run_if_due()
        assert len(await both.audited("directory.sync")) == runs + 1


async def test_somebody_changed_meanwhile_is_left_as_changed(tmp_path: Path) -> None:
    async with between(tmp_path) as both:
        await both.run()
        await both.change(do="update_user", userid="w004", name="新名字")
        sync = both.sync()
        apply = sync._taking.apply

        async def later(*args: object, **how: object) -> object:
            await both.store.apply(Patch("people", "w004", {"mobile": "10000000999"}))
            return await apply(*args, **how)  # type: ignore[arg-type]

        sync._taking.apply = later  # type: ignore[assignment,method-assign]
        outcome = await sync.run("command", apply=True)
        person = (await both.people())["w004"]

        assert (person.name, person.mobile) == ("职工004", "10000000999")
        assert outcome.lines == ["! w004：期间被改动，下次再比。"]
        assert msgspec.structs.asdict(outcome)["counts"]["conflicts"] == 1
