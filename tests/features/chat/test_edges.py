"""Chat at its edges: repeats after changes, crossing marks, what those who came later or left may see."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from server.storage import Put, Store
from server.storage.document import to_doc
from tests.features.chat.talk import direct, group, say
from tests.features.office import Client, Office, Refusal


async def test_a_repeat_gets_its_first_number_though_somebody_mentioned_has_left(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    talk = await group(ann, "bob", "cai")
    first = await say(ann, talk, "@鲍博 看", "same", mentions=["bob"])
    await bob.ask("chat.leave", conversation_id=talk)

    assert await say(ann, talk, "@鲍博 看", "same", mentions=["bob"]) == first


async def test_a_repeat_gets_its_first_number_though_the_group_was_handed_over(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    talk = await group(ann, "bob", "cai")
    first = await say(ann, talk, "@所有人", "same", mentions=["all"])
    await ann.ask("chat.transfer_owner", conversation_id=talk, person_id="bob")

    assert await say(ann, talk, "@所有人", "same", mentions=["all"]) == first


async def test_search_says_nothing_of_what_was_said_before_one_came(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    talk = await group(ann, "bob")
    await say(ann, talk, "院长要辞职")
    await ann.ask("chat.add_members", conversation_id=talk, member_ids=["cai"])

    def ask(text: str) -> Any:
        return cai.ask("chat.search", text=text, conversation_id=talk, limit=1)

    assert await ask("院长要辞职") == await ask("院长要升职")


async def test_a_search_page_is_full_although_older_hits_are_hidden(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    old, new = await group(ann, "bob"), await group(ann, "bob", "cai")
    await say(ann, new, "会议 visible")
    for _ in range(3):
        await say(ann, old, "会议 hidden")
    await ann.ask("chat.add_members", conversation_id=old, member_ids=["cai"])

    page = await cai.ask("chat.search", text="会议", limit=1)

    assert len(page["messages"]) == 1


async def test_a_recalled_mention_mentions_nobody(office: Office, ann: Client, bob: Client) -> None:
    talk = await group(ann, "bob")
    sent = await say(ann, talk, "@鲍博", mentions=["bob"])
    await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])

    (card,) = (await bob.ask("chat.conversations"))["conversations"]

    assert card["mentioned"] is False


async def test_an_unread_mention_stands_when_a_later_one_is_recalled(
    ann: Client, bob: Client, cai: Client
) -> None:
    talk = await group(ann, "bob", "cai")
    await say(ann, talk, "@鲍博 三床请会诊", mentions=["bob"])
    await say(ann, talk, "@所有人 停电", mentions=["all"])
    for mentions in (["bob"], ["all"]):
        sent = await say(ann, talk, "写错了", mentions=mentions)
        await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])

    (bobs,) = (await bob.ask("chat.conversations"))["conversations"]
    (cais,) = (await cai.ask("chat.conversations"))["conversations"]

    assert bobs["mentioned"] is True
    assert cais["mentioned"] is True


async def test_the_time_of_reading_is_not_the_time_of_sending(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    talk = await group(ann, "bob", "cai")
    sent = await say(ann, talk, "请回复")
    for number in range(1_001):
        if number % 50 == 0:
            office.clock.advance(60)
        await say(ann, talk, f"{number}")
    office.clock.advance(60)
    answer = await say(bob, talk, "收到")

    readers = await ann.ask("chat.readers", conversation_id=talk, seq=sent["seq"])

    assert readers["read"] == [{"person_id": "bob", "read_at": answer["sent_at"]}]


async def code_of(asking: Any) -> str:
    """The code a command is refused with; empty when it is done."""
    try:
        await asking
    except Refusal as refusal:
        return refusal.code
    return ""


class Slow:
    """A store that does something between two reads."""

    def __init__(self, store: Store, method: str, meanwhile: Any) -> None:
        self._store, self._method, self._meanwhile = store, method, meanwhile

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name != self._method or self._meanwhile is None:
            return found
        meanwhile, self._meanwhile = self._meanwhile, None

        async def later(*args: Any, **named: Any) -> Any:
            await meanwhile()
            return await found(*args, **named)

        return later


@pytest.mark.parametrize("command", ["history", "catch_up"])
async def test_who_is_removed_while_reading_gets_nothing_said_after_it(
    office: Office, ann: Client, bob: Client, command: str
) -> None:
    talk = await group(ann, "bob", "cai")
    caught = await bob.ask("stream.catch_up")
    positions = {c: t["position"] for c, t in caught["channels"].items()}

    async def meanwhile() -> None:
        office.dispatcher._store = office.store
        await ann.ask("chat.remove_member", conversation_id=talk, person_id="bob")
        await say(ann, talk, "SECRET")

    method = "find" if command == "history" else "heads"
    office.dispatcher._store = Slow(office.store, method, meanwhile)  # type: ignore[assignment]
    try:
        if command == "history":
            answer = await bob.ask("chat.history", conversation_id=talk)
        else:
            answer = await bob.ask("stream.catch_up", epoch=caught["epoch"], positions=positions)
    except Refusal:
        return

    assert "SECRET" not in str(answer)


async def test_a_crowd_may_leave_at_once(office: Office, ann: Client) -> None:
    people = ["bob", "cai", "dan", "eve"]
    talk = await group(ann, *people)
    clients = [await office.client(p) for p in people]

    answers = await asyncio.gather(
        *(c.ask("chat.leave", conversation_id=talk) for c in clients), return_exceptions=True
    )

    assert [str(a) for a in answers if isinstance(a, Refusal)] == []


async def test_opening_a_conversation_leaves_an_audit_row(
    office: Office, ann: Client, bob: Client
) -> None:
    talk = await direct(ann, "bob")

    rows = await office.store.scan("audit")

    assert [row["subject"] for row in rows] == [talk]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("chat.search", {"text": "会议", "before": 2**64}),
        ("chat.search", {"text": "会议", "before": 2**63}),
        ("chat.search", {"text": "\x00\x00"}),
        ("chat.search", {"text": "a\x00b"}),
        ("chat.search", {"text": '"" OR'}),
        ("chat.search", {"text": "  "}),
        ("chat.search", {"text": "会议", "limit": 2**70}),
        ("chat.history", {"before_seq": 2**53, "limit": 2**62}),
        ("chat.mark_read", {"seq": 2**53}),
        ("chat.send", {"client_id": "y", "content": {"kind": "text", "text": "\x00"}}),
    ],
)
async def test_odd_values_are_no_fault_of_ours(
    office: Office, ann: Client, name: str, fields: dict[str, Any]
) -> None:
    talk = await group(ann, "bob")
    if name != "chat.search":
        fields = {"conversation_id": talk, **fields}

    assert await code_of(ann.ask(name, **fields)) in ("", "invalid", "not_found")


async def retire(office: Office, person_id: str) -> None:
    person = office.directory.person(person_id)
    assert person is not None
    gone = replace(person, retired_at=office.clock.now())
    await office.store.apply(Put(type(gone).collection.name, to_doc(gone), None))
    await office.directory.load(office.store)


async def test_nobody_is_brought_into_a_group_after_retiring(office: Office, ann: Client) -> None:
    await retire(office, "eve")
    with pytest.raises(Refusal, match=r"invalid|not_found"):
        await group(ann, "bob", "eve")


async def test_marks_that_cross_are_told_in_rising_order(
    office: Office, ann: Client, bob: Client
) -> None:
    talk = await group(ann, "bob")
    for _ in range(3):
        await say(ann, talk)
    await asyncio.gather(
        bob.ask("chat.mark_read", conversation_id=talk, seq=3),
        bob.ask("chat.mark_read", conversation_id=talk, seq=2),
    )
    seqs = [event["seq"] for event in ann.told("chat.read")]
    assert seqs == sorted(seqs)


async def test_a_title_of_blanks_is_no_title(office: Office, ann: Client) -> None:
    talk = await group(ann, "bob")
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("chat.rename", conversation_id=talk, title="   ")


async def test_an_owner_who_retires_leaves_a_group_with_an_owner(
    office: Office, ann: Client, bob: Client
) -> None:
    talk = await group(ann, "bob", "cai")
    await retire(office, "ann")
    shown: dict[str, Any] = await bob.ask("chat.conversation", conversation_id=talk)
    owner = office.directory.person(shown["conversation"]["owner_id"])
    assert owner is not None
    assert not owner.is_retired


async def test_pages_of_history_are_turned_no_faster_than_anybody_reads(
    office: Office, ann: Client
) -> None:
    talk = await direct(ann, "bob")
    codes = []
    for _ in range(200):
        office.clock.advance(0.1)
        codes.append(await code_of(ann.ask("chat.history", conversation_id=talk)))
    assert codes.index("rate_limited") >= 60
    assert codes[-50:].count("") == 25


@pytest.mark.parametrize("mentions", [[], ["bob"]], ids=["at once", "read first"])
async def test_a_text_of_blanks_is_no_message(ann: Client, mentions: list[str]) -> None:
    talk = await group(ann, "bob")
    with pytest.raises(Refusal, match="invalid"):
        await say(ann, talk, " \n\t", mentions=mentions)
    assert not ann.told("chat.sent")


async def test_a_retired_owner_who_comes_back_is_a_member_like_others(
    office: Office, ann: Client, bob: Client
) -> None:
    talk = await group(ann, "bob", "cai")
    await retire(office, "ann")
    await bob.ask("chat.conversation", conversation_id=talk)  # It is handed over at this point.
    await bob.ask("chat.rename", conversation_id=talk, title="夜班")
    with pytest.raises(Refusal, match="forbidden"):
        await ann.ask("chat.rename", conversation_id=talk, title="白班")
