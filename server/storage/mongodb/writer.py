"""The writer: one task, one transaction at a time, many batches to a commit.

Batches wait in a queue. The task takes what is there (up to a bound), works out what the group leaves
(`draft`), writes that in one transaction (`commits`) and tells everybody, in order. While a commit is under
way the next group gathers: a command costs the event loop a third of a millisecond whatever it carries.

When another server changed what the group relies on, the group is worked out again. When one of its batches
runs into a declared unique index, they are taken one by one, so that only that one fails. When there is no
primary, everybody is told so after `patience_s`, and the task keeps trying. When it is not known whether a
commit happened, nothing else is written until it is.

It is started and stopped by the store, which also bounds the queue. What always holds: nothing is told
before a majority has it, groups are told in the order of their commits, and a batch whose caller was told
that it could not be done is not begun afterwards.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from server.clock import Clock
from server.storage import Completion, Doc, Duplicate, Failure, Op, StoreUnavailable
from server.storage.mongodb import commits
from server.storage.mongodb.commits import Stale, Taken
from server.storage.mongodb.connection import (
    OPERATION_S,
    Client,
    Database,
    is_passing,
    unavailable,
)
from server.storage.mongodb.draft import Draft, Known
from server.storage.mongodb.facts import Fact, needed
from server.storage.mongodb.layout import Layouts, matching
from server.storage.mongodb.loading import load

logger = logging.getLogger(__name__)

PATIENCE_S: Final = 20.0
"""A primary is elected within twelve seconds, as a rule."""

_GROUP_BATCHES: Final = 256
_GROUP_OPS: Final = 1_000
_PAUSE_S: Final = 0.002
_LONGEST_PAUSE_S: Final = 0.5
_LOOK_AGAIN_S: Final = 1.0


class Batch:
    """Operations that stand or fall together, and who waits for them."""

    __slots__ = (
        "error",
        "failed",
        "future",
        "is_refused",
        "ops",
        "results",
        "since",
        "then",
        "was_taken",
    )

    def __init__(
        self,
        ops: Sequence[Op],
        then: Completion | None,
        future: asyncio.Future[list[Doc | None]] | None,
        failed: Failure | None,
        since: float,
    ) -> None:
        self.ops = ops
        self.then = then
        self.future = future
        self.failed = failed
        self.since = since
        self.results: list[Doc | None] = []
        self.error: Exception | None = None
        self.is_refused = False
        self.was_taken = False

    def fail(self, reason: Exception) -> None:
        """Tell whoever waits, or whoever left word instead of waiting."""
        if self.failed is not None:
            try:
                self.failed(reason)
            except Exception:
                logger.exception("a failure could not be told")
        if self.future is not None and not self.future.done():
            self.future.set_exception(reason)


class Writer:
    """The task and what it knows. `done` is told how many operations no longer wait."""

    def __init__(
        self,
        client: Client,
        database: Database,
        layouts: Layouts,
        clock: Clock,
        done: Callable[[int], None],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._client = client
        self._database = database
        self._layouts = layouts
        self._clock = clock
        self._done = done
        self._patience_s = patience_s
        self._question_s = min(OPERATION_S, patience_s)
        self._queue: deque[Batch] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self.between_groups = asyncio.Lock()
        self._rank = 0
        self._own_part = random.randrange(1_000)
        self._task: asyncio.Task[None]
        self.trouble = ""
        self.last_batch = 0
        self.last_commit_ms = 0.0
        self.commits = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="storage writer")

    def put(self, batch: Batch) -> None:
        self._queue.append(batch)
        self._wake.set()

    async def stop(self) -> None:
        """Finish what is queued, then end."""
        self._stopping = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        async with self._client.start_session() as session:
            while not (self._stopping and not self._queue):
                self._wake.clear()
                if not self._queue:
                    await self._idle()
                    continue
                group = self._next_group()
                try:
                    async with self.between_groups:
                        await self._settle(group, session)
                except Exception as error:
                    logger.exception("storage failed in a way nobody thought of")
                    self._refuse(group, unavailable(error))

    async def _idle(self) -> None:
        """Wait for work; while there is trouble, look whether it has passed."""
        try:
            async with asyncio.timeout(_LOOK_AGAIN_S if self.trouble else None):
                await self._wake.wait()
        except TimeoutError:
            try:
                with pymongo.timeout(self._question_s):
                    await self._client.admin.command("ping")
                self.trouble = ""
            except PyMongoError as error:
                self._note_trouble(error)

    def _next_group(self) -> list[Batch]:
        group: list[Batch] = []
        ops = 0
        while self._queue and len(group) < _GROUP_BATCHES and ops < _GROUP_OPS:
            group.append(self._queue.popleft())
            ops += len(group[-1].ops)
        return group

    # Groups

    async def _settle(self, group: Sequence[Batch], session: AsyncClientSession) -> None:
        """See a group through: whole, or one by one when one of it cannot be stored."""
        try:
            await self._try_until_done(group, session)
        except (Taken, OperationFailure):
            for batch in group:
                await self._try_until_done([batch], session)

    async def _try_until_done(self, group: Sequence[Batch], session: AsyncClientSession) -> None:
        tries = 0
        while group := [batch for batch in group if not batch.is_refused]:
            tries += 1
            try:
                await self._try(group, session)
                return
            except Stale:
                reason = StoreUnavailable("others change the same documents all the time")
            except PyMongoError as error:
                reason = unavailable(error)
                self._note_trouble(error)
                if not is_passing(error):
                    if len(group) > 1:
                        raise
                    self._refuse(group, reason)
                    return
            self._refuse_overdue(group, reason)
            pause = min(_PAUSE_S * 2**tries, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause * random.random())

    async def _try(self, group: Sequence[Batch], session: AsyncClientSession) -> None:
        """Work the group out on present facts, write, commit, tell."""
        started = self._clock.monotonic()
        known, draft = await self._drafted(group)
        writes = commits.plan(draft, known, self._layouts)
        if writes:
            try:
                await commits.write(session, self._database, writes, self._question_s)
            except Taken as taken:
                await self._look_again(taken, group, draft)
            else:
                await self._commit(group, session)
                self.commits += 1
                self.last_batch = len(group)
                self.last_commit_ms = (self._clock.monotonic() - started) * 1000
        self.trouble = ""
        for batch in group:
            self._tell(batch)

    async def _drafted(self, group: Sequence[Batch]) -> tuple[Known, Draft]:
        """What the group leaves; every batch has its results or its error then."""
        known: Known = {}
        wanted: set[Fact] = {fact for batch in group for fact in needed(self._layouts, batch.ops)}
        while True:
            with pymongo.timeout(self._question_s):
                known |= await load(self._database, wanted)
            draft = Draft(self._layouts, known, self._next_rank)
            for batch in group:
                batch.error = None
                try:
                    batch.results = draft.run(batch.ops)
                except Exception as error:
                    batch.error = error
            if not draft.missing:
                return known, draft
            wanted = draft.missing

    def _next_rank(self, above: int) -> int:
        """Microseconds, always rising; two servers give the same one hardly ever."""
        self._rank = max(self._rank, above, self._clock.now() * 1_000 + self._own_part) + 1
        return self._rank

    async def _look_again(self, taken: Taken, group: Sequence[Batch], draft: Draft) -> None:
        """What a taken value means. Raises Stale while it may be that the facts were old."""
        layout = self._layouts.get(taken.coll)
        index = layout.unique.get(taken.index) if layout else None
        if layout is None or index is None:
            raise Stale(taken.coll)
        if len(group) > 1:
            raise taken
        [batch] = group
        if batch.was_taken:
            batch.error = Duplicate(taken.coll, taken.index)
            return
        # Whose it is may have come with a commit that this batch repeats: see that commit first.
        values = [taken.doc.get(key) for key in index.keys]
        within = sum(
            after is not None and [after.doc.get(key) for key in index.keys] == values
            for fact, _, after in draft.steps
            if fact.coll == taken.coll
        )
        with pymongo.timeout(self._question_s):
            holder = await self._database[taken.coll].find_one(matching(layout, index, values))
        batch.was_taken = holder is not None or within > 1
        raise Stale(taken.coll)

    async def _commit(self, group: Sequence[Batch], session: AsyncClientSession) -> None:
        """Raises when nothing was written. While that is not known, it asks again."""
        while True:
            try:
                with pymongo.timeout(self._question_s):
                    await session.commit_transaction()
                return
            except PyMongoError as error:
                if not commits.is_unknown(error):
                    raise
                self._note_trouble(error)
                reason = StoreUnavailable("it is not known whether this was stored")
                self._refuse_overdue(group, reason)
                if self._stopping and all(batch.is_refused for batch in group):
                    raise
                await asyncio.sleep(_LONGEST_PAUSE_S * random.random())

    # Telling

    def _tell(self, batch: Batch) -> None:
        """It is stored, or it failed for good."""
        if batch.error is None and batch.then is not None:
            try:
                batch.then(batch.results)
            except Exception:
                logger.exception("a completion failed after its commit")
        if batch.is_refused:
            return
        self._done(len(batch.ops))
        if batch.error is not None:
            batch.fail(batch.error)
        elif batch.future is not None and not batch.future.done():
            batch.future.set_result(batch.results)

    def _refuse(self, group: Sequence[Batch], reason: Exception) -> None:
        for batch in group:
            if not batch.is_refused:
                batch.is_refused = True
                self._done(len(batch.ops))
                batch.fail(reason)

    def _refuse_overdue(self, group: Sequence[Batch], reason: Exception) -> None:
        """Nobody waits for longer than the patience of the store."""
        latest = self._clock.monotonic() - self._patience_s
        self._refuse([batch for batch in (*group, *self._queue) if batch.since <= latest], reason)

    def _note_trouble(self, error: PyMongoError) -> None:
        if not self.trouble:
            logger.error("storage cannot write", exc_info=error)
        self.trouble = str(unavailable(error))
