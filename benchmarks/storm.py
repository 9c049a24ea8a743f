"""How long until everybody has caught up when 3,000 people come back at once, and what does each cost?

    python -m benchmarks.storm [--people 3000] [--conversations 200] [--behind 500] [--messages 30000]

The store is prepared with groups of fifty, so that everybody is in so many, and with what was said while
nobody was there. Then the server starts, a process of its own on one core, everything on; all come with
the ticket their session gives them, and ask for what they missed until nothing is missing. Each stands
somewhere between no event and so many behind. What came is compared with what was missed, person by person:
exit code 1 says that something was not right. The client runs on another core and says how busy it was.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks.people import connect, prepared_store, signed_in
from benchmarks.raw_socket import RawSocket
from benchmarks.server_process import Served, memory_mib, own_processor_s, processor_s, served
from server.clock import Millis, SystemClock
from server.directory import Person
from server.features.chat.documents import Conversation, Member, member_id
from server.features.chat.protocol import MembersChanged, MessageSent
from server.features.chat.shapes import Message, Text
from server.ids import new_id
from server.storage import Append, Insert, Op
from server.storage.document import to_doc
from server.work import LOG

GROUP = 50
AT_ONCE = 100
"""Handshakes the client has under way; its own limit, not the server's."""
WITHIN_S = 30.0
REST_S = 10.0
TEXT = "患者复查结果正常，今日可安排出院，请护理组协助办理。"


@dataclass(frozen=True)
class Figures:
    """What was measured; processor use in cores."""

    people: int
    conversations: int
    behind: float
    caught_up_s: float
    half_caught_up_s: float
    reads_per_person: float
    reads_at_rest_per_s: float
    answers_per_person: float
    kib_per_person: float
    server_cores: float
    client_cores: float
    server_mib: float
    wrong: int


class Hospital:
    """Who is in which group, what was said there, and how far each group's log has come."""

    def __init__(self, people: int, conversations: int, messages: int) -> None:
        chance = random.Random(7)
        self.people = [f"p{n:05d}" for n in range(people)]
        self.groups_of: dict[str, list[str]] = {id: [] for id in self.people}
        self.members: dict[str, list[str]] = {}
        for turn in range(conversations):
            order = self.people.copy()
            chance.shuffle(order)
            for start in range(0, people, GROUP):
                group = f"g{turn:04d}{start:06d}"
                self.members[group] = order[start : start + GROUP]
                for id in self.members[group]:
                    self.groups_of[id].append(group)
        self.said = chance.choices(list(self.members), k=messages)
        self.ends = dict.fromkeys(self.members, 1)
        for group in self.said:
            self.ends[group] += 1

    def stands(self, id: str, behind: int) -> dict[str, int]:
        """Positions of somebody who has missed so many events at most, the newest of each group."""
        positions = {}
        for group in self.groups_of[id]:
            missed = min(behind, self.ends[group] - 1)
            behind -= missed
            positions[f"conversation:{group}"] = self.ends[group] - missed
        return positions


async def prepare(folder: Path, hospital: Hospital) -> None:
    """A store in which everybody is signed in, and all that was said is kept."""
    now = SystemClock().now()
    groups = list(hospital.members)
    async with prepared_store(folder) as store:
        for id in hospital.people:
            await store.apply(*signed_in(Person(id=id, name=id), now))
        for start in range(0, len(groups), 20):
            some = groups[start : start + 20]
            await store.apply(*(op for group in some for op in _group(hospital, group, now)))
        for start in range(0, len(hospital.said), 500):
            said = enumerate(hospital.said[start : start + 500], start)
            await store.apply(*(_message(hospital, group, number, now) for number, group in said))


def _group(hospital: Hospital, group: str, now: Millis) -> Iterator[Op]:
    people = hospital.members[group]
    conversation = Conversation(
        id=group, kind="group", created_at=now, owner_id=people[0], member_count=len(people)
    )
    begun = MembersChanged(
        conversation_id=group,
        added=people,
        removed=[],
        owner_id=people[0],
        title="",
        by=people[0],
        at=now,
    )
    yield Insert(Conversation.collection.name, to_doc(conversation))
    yield _entry(group, begun, now)
    for id in people:
        member = Member(
            id=member_id(group, id),
            conversation_id=group,
            person_id=id,
            joined_at=now,
            joined_position=1,
            notified_seq=1_000_000,
        )
        yield Insert(Member.collection.name, to_doc(member))


def _message(hospital: Hospital, group: str, number: int, now: Millis) -> Op:
    sender_id = hospital.members[group][number % GROUP]
    message = Message(
        message_id=new_id(now),
        sender_id=sender_id,
        client_id=f"{number}",
        content=Text(text=TEXT),
        sent_at=now,
        seq=0,
    )
    return _entry(group, MessageSent(conversation_id=group, message=message), now, text=TEXT)


def _entry(group: str, event: MembersChanged | MessageSent, now: Millis, **fields: str) -> Append:
    doc: dict[str, Any] = {
        "_id": new_id(now),
        "at": now,
        "event": event.wire_name,
        "data": msgspec.to_builtins(event),
        **fields,
    }
    return Append(LOG.name, f"conversation:{group}", doc, numbered=isinstance(event, MessageSent))


class Returning(RawSocket):
    """Somebody who comes back and asks until nothing is missing."""

    def __init__(self, port: int, ticket: str, epoch: str, positions: dict[str, int]) -> None:
        super().__init__(port, ticket, lambda *_: None, self._answered)
        self._epoch = epoch
        self._positions = positions
        self.caught_up: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.events = self.answers = self.bytes = 0
        self.gaps = 0

    def ask(self) -> None:
        fields = {"epoch": self._epoch, "positions": self._positions}
        self.send("stream.catch_up", fields)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        super().data_received(data)

    def _answered(self, socket: RawSocket, number: int, answer: bytes) -> None:
        [ack] = msgspec.json.decode(answer)
        self.answers += 1
        if not ack["ok"] or ack["result"]["reload"]:
            self.caught_up.set_exception(ValueError(answer[:200].decode()))
            return
        channels = ack["result"]["channels"]
        for channel, tail in channels.items():
            expected = self._positions.get(channel, 0)
            for event in tail["events"]:
                expected += 1
                self.gaps += event["position"] != expected and channel in self._positions
            self.events += len(tail["events"])
            self._positions[channel] = tail["position"]
        if all(tail["complete"] for tail in channels.values()):
            self.caught_up.set_result(time.perf_counter())
        else:
            self.ask()


class Storm:
    """Everybody comes at once."""

    def __init__(self, server: Served, hospital: Hospital, epoch: str, behind: int) -> None:
        self._server, self._hospital, self._epoch = server, hospital, epoch
        chance = random.Random(11)
        self._behind = {id: chance.randint(0, behind) for id in hospital.people}
        self._limit = asyncio.Semaphore(AT_ONCE)
        self.back: dict[str, Returning] = {}

    async def come(self, id: str) -> None:
        """Ticket, socket, catch-up."""
        port = self._server.port
        positions = self._hospital.stands(id, self._behind[id]) | {f"person:{id}": 0}
        async with self._limit:
            returning = await connect(
                self._server.http,
                port,
                id,
                lambda ticket: Returning(port, ticket, self._epoch, positions),
            )
        self.back[id] = returning
        returning.ask()
        await returning.caught_up

    def wrong(self) -> int:
        """How many people did not get exactly what they had missed."""
        return (
            sum(
                returning.gaps > 0 or returning.events != self._missed(id)
                for id, returning in self.back.items()
            )
            + len(self._hospital.people)
            - len(self.back)
        )

    def _missed(self, id: str) -> int:
        there = sum(self._hospital.ends[group] - 1 for group in self._hospital.groups_of[id])
        return min(self._behind[id], there)

    def close(self) -> None:
        for returning in self.back.values():
            returning.close()


async def reads(server: Served) -> float:
    """How often the server has read its store."""
    async with server.http.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("storage_reads "))


async def reads_at_rest(server: Served) -> float:
    """How often a second it reads when nobody asks it anything: looks at what is owed, and the like."""
    before = await reads(server)
    await asyncio.sleep(REST_S)
    return (await reads(server) - before) / REST_S


async def measure(server: Served, hospital: Hospital, epoch: str, behind: int) -> Figures:
    storm = Storm(server, hospital, epoch, behind)
    at_rest = await reads_at_rest(server)
    read = await reads(server)
    processor, client, began = processor_s(server.pid), own_processor_s(), time.perf_counter()
    await asyncio.gather(*(storm.come(id) for id in hospital.people))
    took = time.perf_counter() - began
    back = list(storm.back.values())
    moments = sorted(returning.caught_up.result() - began for returning in back)
    storm.close()
    read = await reads(server) - read - at_rest * took
    return Figures(
        people=len(back),
        conversations=len(hospital.groups_of[hospital.people[0]]),
        behind=sum(returning.events for returning in back) / len(back),
        caught_up_s=took,
        half_caught_up_s=moments[len(moments) // 2],
        reads_per_person=read / len(back),
        reads_at_rest_per_s=at_rest,
        answers_per_person=sum(returning.answers for returning in back) / len(back),
        kib_per_person=sum(returning.bytes for returning in back) / len(back) / 1024,
        server_cores=(processor_s(server.pid) - processor) / took,
        client_cores=(own_processor_s() - client) / took,
        server_mib=memory_mib(server.pid),
        wrong=storm.wrong(),
    )


async def run(arguments: argparse.Namespace) -> Figures:
    hospital = Hospital(arguments.people, arguments.conversations, arguments.messages)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        await prepare(Path(folder), hospital)
        print(f"prepared in {time.perf_counter() - began:.0f} s", flush=True)
        epoch = (Path(folder) / "yuanxin.db.mark").read_text().split()[0]
        async with served(Path(folder)) as server:
            return await measure(server, hospital, epoch, arguments.behind)


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=3_000, help=f"a multiple of {GROUP}")
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--behind", type=int, default=500)
    parser.add_argument("--messages", type=int, default=30_000)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(run(parser.parse_args(given)))
    print(
        f"{figures.people} people in {figures.conversations} conversations each, "
        f"{figures.behind:.0f} events behind on average: half caught up after "
        f"{figures.half_caught_up_s:.1f} s, all after {figures.caught_up_s:.1f} s\n"
        f"a person: {figures.reads_per_person:.2f} reads of the store (without the "
        f"{figures.reads_at_rest_per_s:.1f} a second of a server at rest), "
        f"{figures.answers_per_person:.2f} answers, {figures.kib_per_person:.0f} KiB\n"
        f"server {figures.server_cores:.2f} cores, {figures.server_mib:.0f} MiB; client "
        f"{figures.client_cores:.2f} cores; people who did not get what they had missed: {figures.wrong}"
    )
    print(json.dumps(asdict(figures)))
    if figures.wrong or figures.caught_up_s > WITHIN_S:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
