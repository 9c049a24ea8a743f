"""Read marks, unread numbers, who has read what, mentions."""

import asyncio

import pytest

from tests.features.chat.talk import direct, group, say
from tests.features.office import Client, Office, Refusal


async def card(client: Client, conversation_id: str) -> dict[str, object]:
    shown = await client.ask("chat.conversation", conversation_id=conversation_id)
    found: dict[str, object] = shown["conversation"]
    return found


async def test_unread_is_what_came_after_the_mark(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    for _ in range(3):
        await say(ann, conversation)
    assert (await card(bob, conversation))["unread"] == 3
    await bob.ask("chat.mark_read", conversation_id=conversation, seq=2)
    assert (await card(bob, conversation))["unread"] == 1
    assert (await card(ann, conversation))["unread"] == 0


async def test_a_mark_never_goes_back_nor_beyond_the_end(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    for _ in range(3):
        await say(ann, conversation)
    await bob.ask("chat.mark_read", conversation_id=conversation, seq=3)
    assert await bob.ask("chat.mark_read", conversation_id=conversation, seq=1) == {"read_seq": 3}
    with pytest.raises(Refusal, match="invalid"):
        await bob.ask("chat.mark_read", conversation_id=conversation, seq=4)


async def test_two_devices_marking_the_same_message_are_one_change(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation)
    tablet = await office.client("bob")
    await asyncio.gather(
        *(c.ask("chat.mark_read", conversation_id=conversation, seq=1) for c in (bob, tablet))
    )
    assert len(ann.told("chat.read")) == 1


async def test_sending_reads_what_came_before(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation)
    await say(bob, conversation)
    assert (await card(bob, conversation))["unread"] == 0


async def test_who_has_read_is_told_by_name_and_time(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    conversation = await group(ann, "bob", "cai", "dan")
    await say(ann, conversation, "请阅")
    office.clock.advance(5)
    await bob.ask("chat.mark_read", conversation_id=conversation, seq=1)
    bob_read_at = office.clock.now()
    office.clock.advance(5)
    answered = await say(cai, conversation, "已阅")
    office.clock.advance(60)
    await bob.ask("chat.mark_read", conversation_id=conversation, seq=2)
    readers = await ann.ask("chat.readers", conversation_id=conversation, seq=1)
    assert readers == {
        "read": [
            {"person_id": "bob", "read_at": bob_read_at},
            {"person_id": "cai", "read_at": answered["sent_at"]},
        ],
        "unread": ["dan"],
    }


async def test_who_came_later_is_in_neither_list(ann: Client, bob: Client) -> None:
    conversation = await group(ann, "bob")
    await say(ann, conversation)
    await ann.ask("chat.add_members", conversation_id=conversation, member_ids=["cai"])
    readers = await ann.ask("chat.readers", conversation_id=conversation, seq=1)
    assert readers == {"read": [], "unread": ["bob"]}


async def test_a_mention_shows_until_it_is_read(ann: Client, bob: Client, cai: Client) -> None:
    conversation = await group(ann, "bob", "cai")
    await say(ann, conversation, "@鲍博 请看", mentions=["bob"])
    assert (await card(bob, conversation))["mentioned"] is True
    assert (await card(cai, conversation))["mentioned"] is False
    await bob.ask("chat.mark_read", conversation_id=conversation, seq=1)
    assert (await card(bob, conversation))["mentioned"] is False


async def test_only_the_owner_mentions_everybody(ann: Client, bob: Client) -> None:
    conversation = await group(ann, "bob", "cai")
    with pytest.raises(Refusal, match="forbidden"):
        await say(bob, conversation, "@所有人", mentions=["all"])
    await say(ann, conversation, "@所有人", mentions=["all"])
    assert (await card(bob, conversation))["mentioned"] is True


async def test_only_the_sender_sees_what_became_of_notices(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation)
    empty = {"deliveries": []}
    assert await ann.ask("chat.deliveries", conversation_id=conversation, seq=1) == empty
    with pytest.raises(Refusal, match="forbidden"):
        await bob.ask("chat.deliveries", conversation_id=conversation, seq=1)
