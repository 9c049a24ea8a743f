"""Coming back: what was missed, in order and in pieces, or the word to reload."""

from typing import Any

import pytest

from server import stream
from tests.features.chat.talk import direct, group, say
from tests.features.office import Client, Office, Refusal


def channel(conversation_id: str) -> str:
    return f"conversation:{conversation_id}"


async def places(client: Client) -> dict[str, int]:
    caught = await client.ask("stream.catch_up")
    return {name: tail["position"] for name, tail in caught["channels"].items()}


async def missed(client: Client, epoch: str, positions: dict[str, int]) -> dict[str, Any]:
    return await client.ask("stream.catch_up", epoch=epoch, positions=positions)


async def test_without_positions_it_says_where_every_channel_stands(
    office: Office, ann: Client
) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation)
    caught = await ann.ask("stream.catch_up")
    assert caught["epoch"] == office.store.epoch
    assert caught["reload"] is False
    assert caught["channels"][channel(conversation)] == {
        "events": [],
        "position": 2,
        "complete": True,
    }
    assert "person:ann" in caught["channels"]


async def test_what_was_missed_is_what_was_told_to_those_who_listened(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await group(ann, "bob")
    before = await places(bob)
    bob.disconnect()
    listening = await office.client("bob")
    await say(ann, conversation, "一")
    await ann.ask("chat.rename", conversation_id=conversation, title="新名")
    await ann.ask("chat.recall", conversation_id=conversation, seq=1)
    caught = await missed(bob, office.store.epoch, before)
    tail = caught["channels"][channel(conversation)]
    assert [e["event"] for e in tail["events"]] == [
        "chat.sent",
        "chat.members_changed",
        "chat.recalled",
    ]
    # The recalled text is not told again to whoever comes late.
    assert tail["events"][0]["data"]["message"]["content"] == {"kind": "recalled"}
    told = [(name, event) for name, event in listening.events if name != "chat.sent"]
    assert told == [(e["event"], e["data"]) for e in tail["events"][1:]]


async def test_more_than_one_answer_carries_comes_in_pieces(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await direct(ann, "bob")
    positions = await places(bob)
    for number in range(stream.EVENTS_PER_CHANNEL + 50):
        office.clock.advance(1)
        await say(ann, conversation, f"第{number}条")
    numbers: list[int] = []
    for expected in (False, True):
        caught = await missed(bob, office.store.epoch, positions)
        tail = caught["channels"][channel(conversation)]
        assert tail["complete"] is expected
        numbers += [e["data"]["message"]["seq"] for e in tail["events"]]
        positions[channel(conversation)] = tail["position"]
    assert numbers == list(range(1, stream.EVENTS_PER_CHANNEL + 51))


async def test_long_texts_end_an_answer_early_but_never_for_good(
    office: Office, ann: Client, bob: Client
) -> None:
    conversations = [await group(ann, "bob", title=f"第{n}组") for n in range(3)]
    positions = await places(bob)
    for conversation in conversations:
        for _ in range(10):
            office.clock.advance(1)
            await say(ann, conversation, "长" * 5_000)
    seen = dict.fromkeys(map(channel, conversations), 0)
    for _ in range(10):
        caught = await missed(bob, office.store.epoch, positions)
        for name, tail in caught["channels"].items():
            seen[name] = seen.get(name, 0) + len(tail["events"])
            positions[name] = tail["position"]
        if all(tail["complete"] for tail in caught["channels"].values()):
            break
    assert [seen[channel(c)] for c in conversations] == [10, 10, 10]


async def test_many_channels_behind_come_in_pieces_too(
    office: Office, ann: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ENTRIES_PER_READ", 3)
    monkeypatch.setattr(stream, "BYTES_PER_ANSWER", 700)
    conversations = [await group(ann, "bob", title=f"第{n}组") for n in range(5)]
    positions = await places(bob)
    for conversation in conversations:
        await say(ann, conversation)
    rounds, seen = 0, 0
    complete = False
    while not complete:
        rounds += 1
        caught = await missed(bob, office.store.epoch, positions)
        for name, tail in caught["channels"].items():
            seen += len(tail["events"])
            positions[name] = tail["position"]
        complete = all(tail["complete"] for tail in caught["channels"].values())
    assert seen == 5
    assert rounds > 1


async def test_another_epoch_or_a_place_beyond_the_end_means_reload(
    office: Office, ann: Client
) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation)
    positions = await places(ann)
    assert (await missed(ann, "another", positions))["reload"] is True
    positions[channel(conversation)] += 1
    caught = await missed(ann, office.store.epoch, positions)
    assert caught["reload"] is True
    assert caught["channels"][channel(conversation)]["position"] == 2


async def test_a_group_one_was_brought_into_meanwhile_comes_from_the_joining_on(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await group(ann, "cai")
    await say(ann, conversation, "旧事")
    positions = await places(bob)
    bob.disconnect()
    await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["bob"])
    await say(ann, conversation, "新事")
    caught = await missed(bob, office.store.epoch, positions)
    events = caught["channels"][channel(conversation)]["events"]
    assert [e["event"] for e in events] == ["chat.members_changed", "chat.sent"]
    [joined] = caught["channels"]["person:bob"]["events"]
    assert joined["event"] == "chat.joined"


async def test_a_group_one_was_removed_from_is_no_longer_answered(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await group(ann, "bob")
    positions = await places(bob)
    bob.disconnect()
    await ann.ask("chat.remove_member", conversation_id=conversation, person_id="bob")
    await say(ann, conversation, "不在")
    caught = await missed(bob, office.store.epoch, positions)
    assert caught["reload"] is False
    assert channel(conversation) not in caught["channels"]
    [left] = caught["channels"]["person:bob"]["events"]
    assert left["event"] == "chat.left"


async def test_nobody_watches_what_is_heard_by_membership(ann: Client) -> None:
    conversation = await direct(ann, "bob")
    for name in (channel(conversation), "person:bob", "nothing:here", "nonsense"):
        with pytest.raises(Refusal, match="not_found"):
            await ann.ask("stream.watch", channel=name)


async def test_only_who_is_very_far_behind_loads_afresh(
    office: Office, ann: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_BEHIND", 3)
    conversation = await direct(ann, "bob")
    positions = await places(bob)
    for _ in range(4):
        await say(ann, conversation)
    assert (await missed(bob, office.store.epoch, positions))["reload"] is True
    positions = await places(bob)
    await say(ann, conversation)
    assert (await missed(bob, office.store.epoch, positions))["reload"] is False
