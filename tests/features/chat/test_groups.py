"""Groups: who is in, who owns, what those who come and go see."""

import asyncio
from functools import partial

import pytest

from tests.features.chat.talk import direct, group, say, texts
from tests.features.office import Client, Office, Refusal


async def test_a_direct_conversation_is_one_from_both_sides(ann: Client, bob: Client) -> None:
    assert await direct(ann, "bob") == await direct(bob, "ann")


async def test_both_opening_at_the_same_time_make_one(ann: Client, bob: Client) -> None:
    ids = await asyncio.gather(*(direct(c, o) for c, o in [(ann, "bob"), (bob, "ann")] * 5))
    assert len(set(ids)) == 1


async def test_nobody_talks_to_nobody_or_alone(ann: Client) -> None:
    with pytest.raises(Refusal, match="not_found"):
        await direct(ann, "ghost")
    with pytest.raises(Refusal, match="invalid"):
        await direct(ann, "ann")
    with pytest.raises(Refusal, match=r"invalid.*ghost"):
        await group(ann, "bob", "ghost")
    with pytest.raises(Refusal, match="invalid"):
        await group(ann, "ann")


async def test_a_group_asked_for_again_is_the_same_one(ann: Client, bob: Client) -> None:
    asked = {"title": "夜班", "member_ids": ["bob"], "client_id": "first"}
    together = await asyncio.gather(*(ann.ask("chat.create_group", **asked) for _ in range(3)))
    again = await ann.ask("chat.create_group", **asked)
    another = await ann.ask("chat.create_group", **{**asked, "client_id": "second"})
    bobs = await bob.ask("chat.create_group", **{**asked, "member_ids": ["ann"]})

    made = {answer["conversation_id"] for answer in (*together, again)}
    assert len(made) == 1
    assert len(made | {another["conversation_id"], bobs["conversation_id"]}) == 3
    assert len(bob.told("chat.joined")) == 3


async def test_a_removed_member_hears_of_it_and_nothing_after(ann: Client, bob: Client) -> None:
    conversation = await group(ann, "bob", "cai")
    await say(ann, conversation, "在")
    await ann.ask("chat.remove_member", conversation_id=conversation, person_id="bob")
    await say(ann, conversation, "不在")
    assert texts(bob) == ["在"]
    assert bob.told("chat.members_changed")[-1]["removed"] == ["bob"]
    assert bob.told("chat.left")[-1]["conversation_id"] == conversation
    with pytest.raises(Refusal, match="not_found"):
        await bob.ask("chat.history", conversation_id=conversation)


async def test_removing_while_messages_fly_lets_nothing_through_afterwards(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    conversation = await group(ann, "bob", "cai")
    await asyncio.gather(
        *(say(cai, conversation, f"之一 {n}") for n in range(20)),
        ann.ask("chat.remove_member", conversation_id=conversation, person_id="bob"),
        *(say(cai, conversation, f"之二 {n}") for n in range(20)),
    )
    order = [name for name, event in cai.events if event["channel"].startswith("conversation")]
    before_removal = order[: len(order) - 1 - order[::-1].index("chat.members_changed")]
    assert len(texts(bob)) == before_removal.count("chat.sent")


async def test_a_new_member_sees_what_comes_and_not_what_was(
    office: Office, ann: Client, cai: Client
) -> None:
    conversation = await group(ann, "bob")
    await say(ann, conversation, "旧事")
    await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["cai"])
    assert cai.told("chat.joined")[-1]["conversation_id"] == conversation
    await say(ann, conversation, "新事")
    assert texts(cai) == ["新事"]
    page = await cai.ask("chat.history", conversation_id=conversation)
    assert [m["seq"] for m in page["messages"]] == [2]
    assert (await cai.ask("chat.search", text="旧事"))["messages"] == []
    with pytest.raises(Refusal, match="not_found"):
        await cai.ask("chat.readers", conversation_id=conversation, seq=1)
    [listed] = (await cai.ask("chat.conversations"))["conversations"]
    assert listed["unread"] == 1


async def test_only_the_owner_removes_renames_and_hands_over(ann: Client, bob: Client) -> None:
    conversation = await group(ann, "bob", "cai")
    for name, fields in {
        "chat.remove_member": {"person_id": "cai"},
        "chat.rename": {"title": "x"},
        "chat.transfer_owner": {"person_id": "bob"},
    }.items():
        with pytest.raises(Refusal, match="forbidden"):
            await bob.ask(name, conversation_id=conversation, **fields)


async def test_an_owner_who_leaves_hands_over_to_whoever_was_there_longest(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await group(ann, "bob")
    office.clock.advance(60)
    await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["cai"])
    await ann.ask("chat.leave", conversation_id=conversation)
    shown = await bob.ask("chat.conversation", conversation_id=conversation)
    roles = {m["person_id"]: m["role"] for m in shown["members"]}
    assert roles == {"bob": "owner", "cai": "member"}
    assert shown["conversation"]["owner_id"] == "bob"


async def test_handing_over_changes_both_roles(ann: Client, bob: Client) -> None:
    conversation = await group(ann, "bob")
    await ann.ask("chat.transfer_owner", conversation_id=conversation, person_id="bob")
    await bob.ask("chat.rename", conversation_id=conversation, title="夜班")
    assert ann.told("chat.members_changed")[-1]["title"] == "夜班"
    with pytest.raises(Refusal, match="forbidden"):
        await ann.ask("chat.rename", conversation_id=conversation, title="x")


@pytest.mark.parametrize("before_reading", range(1, 6))
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("chat.remove_member", {"person_id": "cai"}),
        ("chat.transfer_owner", {"person_id": "bob"}),
        ("chat.leave", {}),
    ],
)
async def test_a_change_of_members_overtaken_by_its_own_repeat_is_made_once(
    office: Office,
    ann: Client,
    bob: Client,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fields: dict[str, str],
    before_reading: int,
) -> None:
    conversation = await group(ann, "bob", "cai", "dan")
    before = await bob.ask("chat.conversation", conversation_id=conversation)
    ask = partial(ann.ask, name, conversation_id=conversation, **fields)
    office.overtake(monkeypatch, before_reading, ask)
    assert [await ask(), await ask()] == [{}, {}]

    rows = await office.store.find("audit", "subject", (conversation,))
    assert [row["action"] for row in rows] == ["chat.create_group", name]
    assert len(bob.told("chat.members_changed")) == 1 + 1
    after = await bob.ask("chat.conversation", conversation_id=conversation)
    gone = len(before["members"]) - len(after["members"])
    assert gone == (name != "chat.transfer_owner")
    assert after["conversation"]["member_count"] == len(after["members"])


async def test_who_comes_back_into_a_group_may_leave_it_again(ann: Client, bob: Client) -> None:
    conversation = await group(ann, "bob")
    await bob.ask("chat.leave", conversation_id=conversation)
    await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["bob"])
    await bob.ask("chat.leave", conversation_id=conversation)
    with pytest.raises(Refusal, match="not_found"):
        await bob.ask("chat.history", conversation_id=conversation)
    with pytest.raises(Refusal, match="not_found"):
        await ann.ask("chat.remove_member", conversation_id=conversation, person_id="eve")


async def test_members_of_a_direct_conversation_cannot_change(ann: Client) -> None:
    conversation = await direct(ann, "bob")
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["cai"])
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("chat.leave", conversation_id=conversation)


async def test_adding_somebody_who_is_in_changes_nothing(ann: Client, bob: Client) -> None:
    conversation = await group(ann, "bob")
    told = len(bob.events)
    await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["bob"])
    assert len(bob.events) == told


async def test_mute_and_pin_are_ones_own_and_on_every_device(office: Office, ann: Client) -> None:
    tablet = await office.client("ann")
    conversation = await direct(ann, "bob")
    kept = await ann.ask("chat.configure", conversation_id=conversation, muted=True)
    assert kept == {"muted": True, "pinned": False}
    assert tablet.told("chat.configured")[-1]["muted"] is True
    bob = await office.client("bob")
    [listed] = (await bob.ask("chat.conversations"))["conversations"]
    assert listed["muted"] is False


async def test_changes_of_members_leave_rows_in_the_audit(office: Office, ann: Client) -> None:
    conversation = await group(ann, "bob", "cai")
    await ann.ask("chat.remove_member", conversation_id=conversation, person_id="bob")
    rows = await office.store.find("audit", "subject", (conversation,))
    assert [(r["actor_id"], r["action"]) for r in rows] == [
        ("ann", "chat.create_group"),
        ("ann", "chat.remove_member"),
    ]


async def test_a_group_grows_to_its_bound_and_no_further(
    ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.features.chat.membership.MEMBER_LIMIT", 3)
    conversation = await group(ann, "bob")
    await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["cai"])
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["dan"])


async def test_an_owner_takes_out_neither_themselves_nor_who_is_not_there(ann: Client) -> None:
    conversation = await group(ann, "bob")
    for person_id, refusal in (("ann", "invalid"), ("cai", "not_found")):
        with pytest.raises(Refusal, match=refusal):
            await ann.ask("chat.remove_member", conversation_id=conversation, person_id=person_id)
