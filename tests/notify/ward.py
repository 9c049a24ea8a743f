"""A feature as small as can be, with a duty, and a notifier around it that a test can kill.

People follow boards; a board changes; whoever has not seen the newest change is owed a notice. The
presence is a table that the test writes, WeCom is whatever the test hands in.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from prometheus_client import CollectorRegistry

from realtime.application import Reach
from server.integrations.wecom import Sent, WeCom
from server.notify import Claim, Draft, Notifier, Priority
from server.notify.state import SenderState
from server.notify.wishes import Wishes
from server.outbox import DOCUMENTS, Notice, Owed
from server.settings import Settings
from server.storage import Collection as Kept
from server.storage import Delete, Doc, Index, Max, Op, Put, Sooner, Store
from server.storage.document import Document, from_doc, to_doc
from tests.clocks import ManualClock

URL = "https://yuanxin.example"


class Board(Document, frozen=True):
    """What people follow: when each of its changes was made."""

    collection: ClassVar[Kept] = Kept("boards")

    changes: list[int] = []


class Follower(Document, frozen=True):
    """How far one person knows a board."""

    collection: ClassVar[Kept] = Kept("followers", indexes=(Index("board", ("board",)),))

    board: str
    person_id: str
    seen: int = 0
    priority: Priority = Priority.CHAT
    muted: bool = False


class BoardDuty:
    """What a feature's duty looks like."""

    kind = "board"

    def __init__(self, store: Store) -> None:
        self.store = store

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        return {row.subject: await self._claims(row.subject) for row in owed}

    async def _claims(self, subject: str) -> list[Claim]:
        doc = await self.store.get("boards", subject)
        if doc is None:
            return []
        changes = from_doc(Board, doc).changes
        followers = await self.store.find("followers", "board", (subject,), limit=1000)
        return [
            Claim(
                follower.person_id,
                upto=len(changes),
                after=follower.seen,
                count=len(changes) - follower.seen,
                first_at=changes[follower.seen],
                newest_at=changes[-1],
                priority=follower.priority,
                muted=follower.muted,
            )
            for follower in (from_doc(Follower, doc) for doc in followers)
            if follower.seen < len(changes)
        ]

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        claims = await self._claims(subject)
        mine = [claim for claim in claims if claim.person_id == person_id]
        if not mine:
            return None
        return Draft(
            "公告板",
            f"{mine[0].count} 条新内容",
            f"/b/{subject}",
            upto=mine[0].upto,
            after=mine[0].after,
            count=mine[0].count,
            newest_at=mine[0].newest_at,
        )

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        ids = {f"{subject}:{person_id}": place for person_id, place in upto.items()}
        there = await self.store.get_many("followers", list(ids))
        return [Max("followers", id, "seen", ids[id]) for id in there]


class Table:
    """Presence as the test says; people it does not name are away."""

    def __init__(self) -> None:
        self.reaches: dict[str, Reach] = {}

    async def reach(self, people: Collection[str], since: int) -> dict[str, Reach]:
        return {person: self.reaches.get(person, Reach.AWAY) for person in people}

    async def online(self, people: Collection[str]) -> set[str]:
        return {person for person in people if person in self.reaches}


class Crash(BaseException):
    """The process ends here. Not an Exception: nothing may catch it and go on."""


class Fuse:
    """Burns through at the n-th of the moments it is asked, and from then on at every one."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.asked = 0

    def burn(self) -> None:
        self.asked += 1
        if self.at is not None and self.asked >= self.at:
            raise Crash


class FusedStore:
    """A store whose process may die before or after anything it is asked."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def fused(*args: Any, **options: Any) -> Any:
            self._fuse.burn()
            answer = await method(*args, **options)
            self._fuse.burn()
            return answer

        return fused


class FusedWeCom:
    """A process that may die before its call, or after WeCom took it and before it learns so."""

    def __init__(self, wecom: WeCom, fuse: Fuse) -> None:
        self._wecom = wecom
        self._fuse = fuse

    async def send(self, request: bytes) -> Sent:
        self._fuse.burn()
        sent = await self._wecom.send(request)
        self._fuse.burn()
        return sent


class Ward:
    """Store, clock, presence, WeCom and the notifier of the process that lives at the moment."""

    def __init__(self, store: Store, wecom: WeCom | None, clock: ManualClock) -> None:
        self.store = store
        self.wecom = wecom
        self.clock = clock
        self.presence = Table()
        self.settings = Settings(public_url=URL, notice_calls_per_second=100)
        self.fuse = Fuse()
        self.registry = CollectorRegistry()
        self.notifier = self.started()

    @classmethod
    async def opened(cls, store: Store, wecom: WeCom | None, clock: ManualClock) -> "Ward":
        for kind in (*DOCUMENTS, Wishes, SenderState, Board, Follower):
            await store.ensure(kind.collection)
        return cls(store, wecom, clock)

    def started(self, fuse: Fuse | None = None, **settings: Any) -> Notifier:
        """A new process over the same store."""
        self.fuse = fuse or Fuse()
        self.registry = CollectorRegistry()
        store: Any = FusedStore(self.store, self.fuse)
        wecom = None if self.wecom is None else FusedWeCom(self.wecom, self.fuse)
        told = {name: getattr(self.settings, name) for name in Settings.__slots__} | settings
        self.notifier = Notifier(
            store,
            self.presence,
            wecom,
            self.clock,
            Settings(**told),
            [BoardDuty(store)],
            lambda person: person,
            self.registry,
        )
        return self.notifier

    # What happens in the ward

    async def follow(self, board: str, *people: str, **fields: Any) -> None:
        made = [
            Follower(id=f"{board}:{person_id}", board=board, person_id=person_id, **fields)
            for person_id in people
        ]
        await self.store.apply(*(Put("followers", to_doc(each), None) for each in made))

    async def unfollow(self, board: str, person_id: str) -> None:
        await self.store.apply(Delete("followers", f"{board}:{person_id}"))

    async def change(self, board: str, *, due_in_s: float = 8) -> int:
        """Something new on a board: its place."""
        doc = await self.store.get("boards", board)
        changes = [] if doc is None else from_doc(Board, doc).changes
        changed = Board(id=board, changes=[*changes, self.clock.now()])
        now = self.clock.now()
        owed = Owed(
            id=f"board:{board}",
            kind="board",
            subject=board,
            at=now,
            due_at=type(now)(now + round(due_in_s * 1000)),
        )
        await self.store.apply(
            Put("boards", to_doc(changed), None), Sooner("owed", to_doc(owed), "due_at")
        )
        return len(changed.changes)

    async def read(self, board: str, person_id: str) -> None:
        """The person opens the board."""
        doc = await self.store.get("boards", board)
        places = 0 if doc is None else len(from_doc(Board, doc).changes)
        if await self.store.get("followers", f"{board}:{person_id}"):
            await self.store.apply(Max("followers", f"{board}:{person_id}", "seen", places))

    async def pass_time(self, seconds: float, each_s: float = 1.0) -> None:
        """Time goes by, and the notifier works as it would."""
        left = seconds
        while left > 0:
            self.clock.advance(min(each_s, left))
            left -= each_s
            await self.notifier.step()

    # What can be seen

    async def owed(self) -> list[Doc]:
        return await self.store.scan("owed")

    async def notices(self, person_id: str | None = None) -> list[Notice]:
        docs: list[Doc] = []
        while page := await self.store.scan("notices", docs[-1]["_id"] if docs else None):
            docs += page
        found = [from_doc(Notice, doc) for doc in docs]
        return [each for each in found if person_id in (None, each.person_id)]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0
