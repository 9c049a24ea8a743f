"""Who may have a group shown in WeCom, which groups, and who hears of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.features.chat_mirror.ward import Ward, open_ward

OFF = {
    "is_on": False,
    "with_messages": False,
    "is_made": False,
    "trouble": "",
    "code": 0,
    "since": 0,
    "left_out": 0,
}


async def test_only_the_owner_decides_and_every_member_sees_it(ward: Ward) -> None:
    id = await ward.group("ann", "bob")
    wish = {"conversation_id": id, "is_on": True, "with_messages": True}
    assert (await ward.ask("bob", "chat.set_mirror", **wish)).code == "forbidden"
    assert (await ward.ask("cai", "chat.set_mirror", **wish)).code == "not_found"
    assert (await ward.ask("cai", "chat.mirror", conversation_id=id)).code == "not_found"
    assert (await ward.ask("bob", "chat.retry_mirror", conversation_id=id)).code == "forbidden"
    before = await ward.do("bob", "chat.mirror", conversation_id=id)
    assert before == {"offer": "messages", "mirror": OFF}
    answered = await ward.do("ann", "chat.set_mirror", **wish)
    assert answered["mirror"] == {**OFF, "is_on": True, "with_messages": True}
    assert (await ward.shown(id, "bob"))["with_messages"]


async def test_a_repeat_changes_nothing_and_is_not_told_again(ward: Ward) -> None:
    id = await ward.group("ann", "bob")
    page = await ward.house.socket("bob")
    for _ in range(3):
        await ward.mirror("ann", id)
    await ward.until_users("ann", "bob")
    told = [e for name, e in page.events if name == "chat.mirrored" and not e["mirror"]["is_made"]]
    assert len(told) == 1
    audit = await ward.house.server.store.scan("audit")
    assert [row["action"] for row in audit].count("chat.set_mirror") == 1


async def test_events_leave_a_page_with_what_a_fresh_one_loads(ward: Ward) -> None:
    id = await ward.group("ann", "bob")
    page = await ward.house.socket("bob")

    def told() -> dict[str, Any]:
        events = [event for name, event in page.events if name == "chat.mirrored"]
        return dict(events[-1]["mirror"]) if events else {}

    async def heard() -> bool:
        return told() == await ward.shown(id, "bob")

    await ward.mirror("ann", id)
    await ward.until_users("ann", "bob")
    await ward.until(heard)
    await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=["eve"])
    await ward.until(heard)
    await ward.sandbox.fault("untrusted_ip", 3_000)
    await ward.say("ann", id, "一")
    await ward.until_trouble(id, "settings")
    await ward.until(heard)
    await ward.mirror("ann", id, on=False, messages=False)
    await ward.until(heard)


@pytest.mark.parametrize(
    ("settings", "offer"),
    [
        ({"wecom_groups": ""}, "nothing"),
        ({"wecom_groups": "off"}, "nothing"),
        ({"wecom_groups": "owner_chooses"}, "members"),
        ({"wecom_groups_except": "病例，会诊"}, "messages"),
        ({"wecom_secret": ""}, "nothing"),
    ],
)
async def test_the_hospital_decides_what_is_offered(
    tmp_path: Path, settings: dict[str, Any], offer: str
) -> None:
    async with open_ward(tmp_path, **settings) as ward:
        id = await ward.group("ann", "bob")
        assert (await ward.do("ann", "chat.mirror", conversation_id=id))["offer"] == offer
        wish = {"conversation_id": id, "is_on": True, "with_messages": True}
        answer = await ward.ask("ann", "chat.set_mirror", **wish)
        assert (answer.status == 200) == (offer == "messages")


async def test_a_word_in_its_name_keeps_a_group_out_and_nothing_said_meanwhile_leaves(
    tmp_path: Path,
) -> None:
    async with open_ward(tmp_path, wecom_groups_except="会诊") as ward:
        id = await ward.mirrored("ann", "bob")
        await ward.say("ann", id, "一")
        await ward.do("ann", "chat.rename", conversation_id=id, title="张三会诊")
        await ward.until_trouble(id, "kept_out")
        await ward.say("ann", id, "不出门的话")
        await ward.do("ann", "chat.rename", conversation_id=id, title="闲聊")
        await ward.say("ann", id, "二")
        await ward.until_texts("安宁：一", "安宁：二")
        assert (await ward.wecom())["name"] == "闲聊"
        await ward.until_trouble(id, "")
        refused = await ward.group("ann", "bob", title="李四会诊")
        answer = await ward.ask("ann", "chat.set_mirror", conversation_id=refused, is_on=True)
        assert answer.code == "forbidden"


async def test_a_hospital_that_offers_it_no_more_tells_nothing(tmp_path: Path) -> None:
    async with open_ward(tmp_path) as ward:
        id = await ward.mirrored("ann", "bob")
        await ward.say("ann", id, "一")
        await ward.until_texts("安宁：一")
    async with open_ward(tmp_path, wecom_groups="off") as ward:
        await ward.say("ann", id, "不出门的话")
        shown = await ward.until_trouble(id, "withdrawn")
        assert shown["is_on"]
        assert await ward.texts() == ["安宁：一"]
