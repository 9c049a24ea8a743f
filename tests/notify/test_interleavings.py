"""Any interleaving of changes, readings, connections, sends, crashes and expiries.

Whatever happens in whatever order: bytes of a notice that may be out never change, no phone shows a
notice twice, and once things are quiet, everybody has seen, or was rung for, everything; nothing is owed
any more.
"""

import asyncio
import json
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from realtime.application import Reach
from server.integrations.wecom import Misconfigured, Paused, Retry, Sent
from server.integrations.wecom.memory import MemoryWeCom
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock
from tests.notify.ward import Crash, Fuse, Ward

T = TypeVar("T")

people = st.sampled_from(["s0001", "s0002", "s0003"])
boards = st.sampled_from(["news", "duty"])
faults = st.sampled_from(
    [Retry("busy", -1), Retry("later", None, 7.0), Paused("often", 60.0), Misconfigured("secret")]
)


class Remembering(MemoryWeCom):
    """Knows which of its calls it turned away, saying so."""

    def __init__(self) -> None:
        super().__init__()
        self.turned_away: list[bool] = []

    async def send(self, request: bytes) -> Sent:
        fault = self.failures[0] if self.failures else None
        said = not isinstance(fault, Retry) or fault.code is not None
        self.turned_away.append(fault is not None and said)
        return await super().send(request)


def notice_of(request: bytes) -> str:
    """The id of the notice that a request is."""
    return str(json.loads(request)["textcard"]["url"]).partition("?n=")[2]


class Interleavings(RuleBasedStateMachine):
    """One ward, one process at a time, and everything that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.phones = Remembering()
        self.crashes = 0
        self.broken = 0
        self.seen_otherwise: set[str] = set()
        self.await_(self.open())

    def await_(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def open(self) -> None:
        # A dead process collects no exceptions of its tasks.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        store = SqliteStore(Path(self.folder.name) / "hospital.db", clock=self.clock)
        await store.open()
        self.ward = await Ward.opened(store, self.phones, self.clock)
        await self.ward.follow("news", "s0001", "s0002", "s0003")
        await self.ward.follow("duty", "s0001", "s0002")

    @rule(board=boards)
    def change(self, board: str) -> None:
        self.await_(self.ward.change(board))

    @rule(board=boards, person_id=people)
    def read(self, board: str, person_id: str) -> None:
        self.seen_otherwise.add(person_id)
        self.await_(self.ward.read(board, person_id))

    @rule(person_id=people, reach=st.sampled_from([Reach.PENDING, Reach.REACHED]))
    def connect(self, person_id: str, reach: Reach) -> None:
        self.seen_otherwise.add(person_id)
        self.ward.presence.reaches[person_id] = reach

    @rule(person_id=people)
    def disconnect(self, person_id: str) -> None:
        if self.ward.presence.reaches.pop(person_id, None):
            self.ward.notifier.wake(person_id)

    @rule(seconds=st.integers(1, 90))
    def pass_time(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(fault=faults)
    def break_wecom(self, fault: Exception) -> None:
        self.broken += 1
        self.phones.failures.append(fault)

    @rule(after=st.integers(1, 40))
    def arm(self, after: int) -> None:
        """The process will die soon, at some await."""
        if self.ward.fuse.at is None:
            self.ward.fuse.at = self.ward.fuse.asked + after

    @rule(what=st.sampled_from(["look", "send", "both"]))
    def work(self, what: str) -> None:
        self.await_(self.worked(what))

    async def worked(self, what: str) -> None:
        notifier, fuse = self.ward.notifier, self.ward.fuse
        try:
            if what != "send":
                await notifier.look_step()
            if what != "look":
                await notifier.send_step()
        except Crash:
            pass
        await notifier.quiet()
        if fuse.at is not None and fuse.asked >= fuse.at:
            self.crash_now()

    @rule()
    def crash(self) -> None:
        self.crash_now()

    def crash_now(self) -> None:
        self.crashes += 1
        self.ward.started()

    @invariant()
    def bytes_that_may_be_out_never_change(self) -> None:
        out: dict[str, bytes] = {}
        for request, turned_away in zip(self.phones.calls, self.phones.turned_away, strict=True):
            assert out.get(notice_of(request), request) == request
            if not turned_away:
                out[notice_of(request)] = request

    @invariant()
    def no_phone_shows_a_notice_twice(self) -> None:
        for requests in self.phones.phones.values():
            assert len(requests) == len(set(map(notice_of, requests)))

    @precondition(lambda self: not self.crashes)
    @invariant()
    def nobody_is_called_twice_for_nothing(self) -> None:
        """Without a crash and without a failed call, each notice is one call."""
        failed = self.broken - len(self.phones.failures)
        assert len(self.phones.calls) - len(set(self.phones.calls)) <= failed

    def teardown(self) -> None:
        self.await_(self.closed())
        self.runner.close()
        self.folder.cleanup()

    async def closed(self) -> None:
        """Everything is mended, everybody is away: then all is told, once."""
        self.phones.failures.clear()
        self.ward.presence.reaches.clear()
        self.ward.started(Fuse())
        await self.ward.pass_time(600, each_s=20)
        assert not await self.ward.owed()
        assert {notice.state for notice in await self.ward.notices()} <= {"sent", "settled"}
        told: dict[tuple[str, str], list[range]] = {}
        for notice in await self.ward.notices():
            if notice.state == "sent":
                places = range(notice.after, notice.upto)
                told.setdefault((notice.subject, notice.person_id), []).append(places)
        for doc in await self.ward.store.scan("followers"):
            board = await self.ward.store.get("boards", doc["board"])
            changes = range(len([] if board is None else board.get("changes", [])))
            rung = [at for each in told.get((doc["board"], doc["person_id"]), ()) for at in each]
            assert doc.get("seen", 0) == len(changes)
            assert len(rung) == len(set(rung)), "told of one change by two notices"
            assert set(rung) == set(changes) or doc["person_id"] in self.seen_otherwise
        cards = {notice_of(card) for cards in self.phones.phones.values() for card in cards}
        sent = {notice.id for notice in await self.ward.notices() if notice.state == "sent"}
        # Read between a crash and the next try: the card is there, and the notice is withdrawn.
        assert sent == cards or (sent < cards and self.crashes)
        await self.ward.store.close()


Interleavings.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestInterleavings = Interleavings.TestCase
