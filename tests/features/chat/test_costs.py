"""What one person's one question may cost everybody."""

import asyncio
from pathlib import Path
from typing import Any

from realtime.tasks import ended
from server.features import chat
from server.features.chat.duty import ChatDuty
from server.features.chat.shapes import TEXT_LIMIT
from server.outbox import Owed
from server.storage import Missed
from server.storage.document import from_doc
from server.stream import BYTES_PER_ANSWER
from tests.features.chat.talk import direct, group, say
from tests.features.office import Client, Office, open_office


class Counting:
    """A store that counts what is asked and what it gives."""

    def __init__(self, store: Any) -> None:
        self._store, self.calls, self.docs = store, 0, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in (
            "get",
            "get_many",
            "find",
            "find_as",
            "heads",
            "positions",
            "tails",
            "missed",
            "search",
        ):
            return found

        async def counted(*args: Any, **named: Any) -> Any:
            self.calls += 1
            answer = await found(*args, **named)
            given = answer.entries if isinstance(answer, Missed) else answer
            if isinstance(given, list | dict):
                lists = given.values() if isinstance(given, dict) else [given]
                self.docs += sum(len(x) if isinstance(x, list) else 1 for x in lists)
            return answer

        return counted


def counting(office: Office) -> Counting:
    counted = Counting(office.store)
    office.dispatcher._store = counted  # type: ignore[assignment]
    return counted


async def test_looking_at_many_conversations_costs_three_reads(office: Office, ann: Client) -> None:
    for other in ("bob", "cai", "dan", "eve"):
        talk = await direct(ann, other)
        await say(ann, talk)
    rows = [from_doc(Owed, doc) for doc in await office.store.scan(Owed.collection.name)]
    store: Any = Counting(office.store)

    found = await ChatDuty(store, office.directory, office.settings).skim(rows)

    assert len(found) == 4
    assert store.calls == 3


async def test_who_has_read_costs_a_few_reads(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    talk = await group(ann, "bob", "cai", "dan", "eve")
    sent = await say(ann, talk)
    for name in ("bob", "cai", "dan", "eve"):
        await office.ask(name, "chat.mark_read", {"conversation_id": talk, "seq": sent["seq"]})
    store = counting(office)

    await ann.ask("chat.readers", conversation_id=talk, seq=sent["seq"])

    assert store.calls <= 5


async def test_who_comes_into_a_group_reads_nothing_of_its_members(
    office: Office, ann: Client, bob: Client
) -> None:
    """Everybody who is brought in asks at the same time."""
    read = []
    for members in (["bob", "cai"], ["bob", "cai", "dan", "eve"]):
        talk = await group(ann, *members)
        store = counting(office)
        shown = await bob.ask("chat.conversation", conversation_id=talk, members=False)
        read.append(store.docs)

    assert shown["conversation"]["member_count"] == 5
    assert shown["members"] == []
    assert read[0] == read[1]


async def test_catching_up_reads_about_what_it_answers(
    office: Office, ann: Client, bob: Client
) -> None:
    talks = [await group(ann, "bob", title=f"{n}") for n in range(30)]
    for talk in talks:
        for _ in range(30):
            office.clock.advance(0.1)
            await say(ann, talk, "字" * 1_000)
    caught = await bob.ask("stream.catch_up")
    store = counting(office)

    answer = await bob.ask("stream.catch_up", epoch=caught["epoch"], positions={"person:bob": 1})

    answered = sum(len(tail["events"]) for tail in answer["channels"].values())
    assert answered < 200, BYTES_PER_ANSWER
    assert store.docs < 2 * answered + 300


async def test_coming_back_over_a_socket_costs_two_reads_besides_the_one_at_connecting(
    office: Office, ann: Client, bob: Client
) -> None:
    talks = [await group(ann, "bob", title=f"{n}") for n in range(20)]
    caught = await bob.ask("stream.catch_up")
    positions = {channel: tail["position"] for channel, tail in caught["channels"].items()}
    for talk in talks:
        office.clock.advance(1)
        await say(ann, talk)
    store = counting(office)

    answer = await bob.ask("stream.catch_up", epoch=caught["epoch"], positions=positions)

    assert all(tail["complete"] for tail in answer["channels"].values())
    assert sum(len(tail["events"]) for tail in answer["channels"].values()) == len(talks)
    assert store.calls == 2


async def test_others_have_turns_while_a_large_group_is_made(tmp_path: Path) -> None:
    names = {f"p{number:03}": f"护士{number}" for number in range(500)}
    async with open_office(tmp_path, [chat.feature], names=names) as office:
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        class Noting(Counting):
            async def apply(self, *ops: Any, **named: Any) -> Any:
                self.calls, self.docs = turns, len(ops)
                return await self._store.apply(*ops, **named)

        office.dispatcher._store = noting = Noting(office.store)  # type: ignore[assignment]
        others = asyncio.create_task(take_turns())
        await office.ask("p000", "chat.create_group", {"title": "全院", "member_ids": [*names]})
        await ended(others)

    assert noting.docs > 1_000
    assert noting.calls >= 4


async def test_a_list_of_conversations_is_no_larger_than_a_reader_may_be_behind(
    office: Office, ann: Client, bob: Client
) -> None:
    for n in range(100):
        office.clock.advance(1)
        talk = await group(ann, "bob", title=f"{n}")
        await say(ann, talk, "字" * TEXT_LIMIT)

    raw = await office.dispatcher.answer(office.actor("bob"), "chat.conversations", {}, None)

    assert len(bytes(raw)) <= office.hub.limits.queued_bytes
