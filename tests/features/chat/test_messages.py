"""Sending, reading back, recalling, finding."""

import asyncio

import pytest

from tests.features.chat.talk import direct, group, say, texts
from tests.features.office import Client, Office, Refusal


async def test_a_message_is_numbered_and_told_to_every_connection_of_every_member(
    office: Office, ann: Client, bob: Client
) -> None:
    tablet = await office.client("ann")
    conversation = await direct(ann, "bob")
    sent = await say(ann, conversation, "三号床已安排")
    assert sent["seq"] == 1
    for client in (ann, tablet, bob):
        [event] = client.told("chat.sent")
        assert event["message"]["message_id"] == sent["message_id"]
        assert event["channel"] == f"conversation:{conversation}"


async def test_messages_sent_in_a_row_keep_their_order_whomever_they_mention(
    ann: Client, bob: Client
) -> None:
    conversation = await group(ann, "bob")

    await asyncio.gather(
        say(ann, conversation, "@鲍博 三床", mentions=["bob"]),
        say(ann, conversation, "血压又低了"),
        say(ann, conversation, "@所有人 来人", mentions=["all"]),
        say(ann, conversation, "快"),
    )

    assert texts(bob) == ["@鲍博 三床", "血压又低了", "@所有人 来人", "快"]


async def test_only_the_owner_mentions_everybody_also_just_after_handing_over(
    ann: Client, bob: Client
) -> None:
    conversation = await group(ann, "bob")
    await ann.ask("chat.transfer_owner", conversation_id=conversation, person_id="bob")
    with pytest.raises(Refusal, match="forbidden"):
        await say(ann, conversation, "@所有人", mentions=["all"])
    await say(bob, conversation, "@所有人", mentions=["all"])
    assert texts(ann) == ["@所有人"]


async def test_a_repeated_send_is_answered_with_the_first_number_and_told_once(
    ann: Client, bob: Client
) -> None:
    conversation = await direct(ann, "bob")
    first = await say(ann, conversation, "早", client_id="x")
    await say(ann, conversation, "又及")
    assert await say(ann, conversation, "早", client_id="x") == first
    assert texts(bob) == ["早", "又及"]


async def test_repeats_at_the_same_time_make_one_message(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    answers = await asyncio.gather(
        *(say(ann, conversation, "早", client_id="x") for _ in range(20))
    )
    assert len({(a["message_id"], a["seq"], a["sent_at"]) for a in answers}) == 1
    assert texts(bob) == ["早"]


async def test_another_text_under_the_same_client_id_is_a_conflict(ann: Client) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation, "早", client_id="x")
    with pytest.raises(Refusal, match="conflict"):
        await say(ann, conversation, "晚", client_id="x")


async def test_the_same_text_in_another_conversation_is_another_message(ann: Client) -> None:
    await say(ann, await direct(ann, "bob"), "早", client_id="x")
    with pytest.raises(Refusal, match="conflict"):
        await say(ann, await direct(ann, "cai"), "早", client_id="x")


async def test_a_client_id_belongs_to_its_sender_alone(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    assert (await say(ann, conversation, "早", client_id="x"))["seq"] == 1
    assert (await say(bob, conversation, "晚", client_id="x"))["seq"] == 2


async def test_somebody_who_has_left_may_still_ask_what_became_of_a_send(
    ann: Client, bob: Client
) -> None:
    conversation = await group(ann, "bob")
    first = await say(bob, conversation, "我先走了", client_id="x")
    await bob.ask("chat.leave", conversation_id=conversation)
    assert await say(bob, conversation, "我先走了", client_id="x") == first
    with pytest.raises(Refusal, match="not_found"):
        await say(bob, conversation, "还在吗")


async def test_a_stranger_is_told_that_there_is_no_such_conversation(
    ann: Client, cai: Client
) -> None:
    conversation = await direct(ann, "bob")
    for name, fields in {
        "chat.history": {},
        "chat.conversation": {},
        "chat.mark_read": {"seq": 0},
        "chat.readers": {"seq": 1},
        "chat.recall": {"seq": 1},
        "chat.typing": {},
        "chat.search": {"text": "三床"},
        "chat.add_members": {"member_ids": ["cai"]},
        "chat.remove_member": {"person_id": "ann"},
        "chat.leave": {},
        "chat.transfer_owner": {"person_id": "cai"},
        "chat.rename": {"title": "x"},
        "chat.configure": {"muted": True},
        "chat.deliveries": {"seq": 1},
    }.items():
        with pytest.raises(Refusal, match="not_found"):
            await cai.ask(name, conversation_id=conversation, **fields)
    with pytest.raises(Refusal, match="not_found"):
        await say(cai, conversation)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"kind": "text", "text": ""}, "$.content.text"),
        ({"kind": "text", "text": "长" * 5_001}, "$.content.text"),
        ({"kind": "voice", "text": "x"}, "$.content.kind"),
        ({"kind": "text", "text": "x", "bold": True}, "$.content"),
        ({"kind": "text", "text": {"$gt": ""}}, "$.content.text"),
        ({"kind": "text", "text": "x", "mentions": ["nobody"]}, "$.content.mentions"),
        ("x", "$.content"),
    ],
)
async def test_what_is_no_text_is_refused_with_the_place(
    ann: Client, content: object, place: str
) -> None:
    conversation = await direct(ann, "bob")
    with pytest.raises(Refusal, match="invalid") as refused:
        await ann.ask("chat.send", conversation_id=conversation, client_id="x", content=content)
    assert place in refused.value.message


async def test_a_text_of_five_thousand_characters_is_kept_whole(ann: Client) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation, "🩺" * 5_000)
    page = await ann.ask("chat.history", conversation_id=conversation)
    assert page["messages"][0]["content"]["text"] == "🩺" * 5_000


async def test_history_goes_both_ways_without_gap_or_overlap(ann: Client, office: Office) -> None:
    conversation = await direct(ann, "bob")
    for number in range(1, 8):
        office.clock.advance(1)
        await say(ann, conversation, f"第{number}条")

    async def page(**place: int) -> tuple[list[int], bool]:
        got = await ann.ask("chat.history", conversation_id=conversation, limit=3, **place)
        return [m["seq"] for m in got["messages"]], got["has_more"]

    assert await page() == ([5, 6, 7], True)
    assert await page(before_seq=5) == ([2, 3, 4], True)
    assert await page(before_seq=2) == ([1], False)
    assert await page(after_seq=0) == ([1, 2, 3], True)
    assert await page(after_seq=6) == ([7], False)
    assert await page(after_seq=2, before_seq=5) == ([3, 4], False)


async def test_a_limit_beyond_two_hundred_is_clamped(ann: Client) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation)
    page = await ann.ask("chat.history", conversation_id=conversation, limit=1_000_000)
    assert len(page["messages"]) == 1


async def test_a_recalled_message_leaves_only_the_fact(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation, "发错群了")
    recalled = await ann.ask("chat.recall", conversation_id=conversation, seq=1)
    [event] = bob.told("chat.recalled")
    assert (event["seq"], event["by"]) == (1, "ann")
    page = await bob.ask("chat.history", conversation_id=conversation)
    [message] = page["messages"]
    assert message["content"] == {"kind": "recalled"}
    assert message["recalled_at"] == recalled["recalled_at"]
    found = await bob.ask("chat.search", text="发错")
    assert found["messages"] == []
    sealed = await office.store.get("recalled_messages", message["message_id"])
    assert sealed is not None
    assert sealed["content"]["text"] == "发错群了"


async def test_only_the_sender_recalls_and_only_in_time(
    office: Office, ann: Client, bob: Client
) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation, "查房改到九点")
    with pytest.raises(Refusal, match="forbidden"):
        await bob.ask("chat.recall", conversation_id=conversation, seq=1)
    office.clock.advance(office.settings.recall_seconds + 1)
    with pytest.raises(Refusal, match="forbidden"):
        await ann.ask("chat.recall", conversation_id=conversation, seq=1)


async def test_recalling_twice_is_one_recall(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    await say(ann, conversation, "撤")
    answers = await asyncio.gather(
        *(ann.ask("chat.recall", conversation_id=conversation, seq=1) for _ in range(5))
    )
    assert len({a["recalled_at"] for a in answers}) == 1
    assert len(bob.told("chat.recalled")) == 1


async def test_a_repeat_of_a_recalled_message_is_still_that_message(ann: Client) -> None:
    conversation = await direct(ann, "bob")
    first = await say(ann, conversation, "撤", client_id="x")
    await ann.ask("chat.recall", conversation_id=conversation, seq=1)
    assert await say(ann, conversation, "撤", client_id="x") == first


async def test_two_chinese_characters_find_a_message_in_own_conversations_only(
    ann: Client, bob: Client, cai: Client
) -> None:
    await say(ann, await direct(ann, "bob"), "明早八点交班会议")
    await say(ann, await group(ann, "bob", "cai"), "会议改到九点")
    found = await cai.ask("chat.search", text="会议")
    assert [f["message"]["content"]["text"] for f in found["messages"]] == ["会议改到九点"]
    found = await bob.ask("chat.search", text="会议")
    assert len(found["messages"]) == 2
    with pytest.raises(Refusal, match="invalid"):
        await bob.ask("chat.search", text="会")


async def test_typing_is_told_but_not_kept(ann: Client, bob: Client) -> None:
    conversation = await direct(ann, "bob")
    before = await bob.ask("stream.catch_up")
    await ann.ask("chat.typing", conversation_id=conversation)
    [event] = bob.told("chat.typed")
    assert event["position"] is None
    assert (await bob.ask("stream.catch_up"))["channels"] == before["channels"]


async def test_sending_too_fast_is_refused_with_a_time_and_later_goes_on(
    office: Office, ann: Client
) -> None:
    conversation = await direct(ann, "bob")
    for _ in range(60):
        await say(ann, conversation)
    with pytest.raises(Refusal, match="rate_limited") as refused:
        await say(ann, conversation)
    assert refused.value.retry_after_ms is not None
    office.clock.advance(refused.value.retry_after_ms / 1000 + 0.001)
    assert (await say(ann, conversation))["seq"] == 61
