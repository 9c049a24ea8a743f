"""From a name and an object to an answer: the same road for the socket and for HTTP.

Checks the name, the fields, the actor's right and rate, opens a unit of work, runs the handler, commits,
and answers. A handler that lost a race is run again, three times in all; those of one command that run again
do so one after another, so that a crowd at one door gets through it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import msgspec

from realtime.application import Promise
from realtime.connection import Connection
from realtime.limits import RateTable
from realtime.protocol import Command, Result, read_command
from realtime.publisher import Publisher
from server.auth import Actor
from server.clock import Clock
from server.errors import ConflictRefused, NotFound, RateLimited, Refused, Unavailable
from server.feature import Feature, Handler, command_of
from server.services import Services, wired
from server.storage import Conflict, Duplicate, Store, refusing
from server.work import UnitOfWork

ATTEMPTS = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bound:
    """A handler with what it needs besides the command and the work.

    `again` is held by the one that runs again. Each command has its own: some wait for the OA.
    """

    handler: Handler
    kind: type[Command]
    rates: RateTable[str]
    services: Mapping[str, Any]
    again: asyncio.Lock = field(default_factory=asyncio.Lock)


class Dispatcher:
    """Runs commands. `services` maps a type to the one object that handlers get for it."""

    def __init__(
        self,
        features: Sequence[Feature],
        store: Store,
        publisher: Publisher,
        clock: Clock,
        services: Services,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._keeping: set[asyncio.Task[msgspec.Raw]] = set()
        self._bound: dict[str, Bound] = {}
        for feature in features:
            for handler in feature.commands:
                kind = command_of(handler.function)
                rates: RateTable[str] = RateTable(
                    clock, handler.rate.per_second, handler.rate.burst
                )
                self._bound[kind.wire_name] = Bound(
                    handler, kind, rates, wired(handler.function, services, given=2)
                )

    @property
    def names(self) -> frozenset[str]:
        """The wire names of all commands."""
        return frozenset(self._bound)

    async def run(
        self, actor: Actor, name: str, body: object, connection: Connection | None = None
    ) -> Result:
        """Do one command. Raises Refused."""
        bound, command = self._admitted(actor, name, body)
        return await self._attempt(bound, command, actor, connection)

    def _admitted(self, actor: Actor, name: str, body: object) -> tuple[Bound, Command]:
        bound = self._bound.get(name)
        if bound is None:
            raise NotFound(f"there is no command {name[:64]!r}")
        bound.handler.check(actor)
        wait_ms = bound.rates.take(actor.person_id)
        if wait_ms:
            raise RateLimited("too many of these at once; wait a moment", retry_after_ms=wait_ms)
        return bound, read_command(bound.kind, body)

    async def _attempt(
        self, bound: Bound, command: Command, actor: Actor, connection: Connection | None
    ) -> Result:
        for attempt in range(ATTEMPTS):
            try:
                async with bound.again if attempt else nullcontext():
                    with refusing():
                        return await self._do(bound, command, actor, connection)
            except (Conflict, Duplicate) as lost:
                log.debug("lost a race", extra={"command": bound.kind.wire_name, "why": str(lost)})
        raise ConflictRefused("others keep changing this at the same time; look again and retry")

    async def _do(
        self, bound: Bound, command: Command, actor: Actor, connection: Connection | None
    ) -> Result:
        work = UnitOfWork(self._store, actor, self._clock.now(), connection=connection)
        answer = await bound.handler.function(command, work, **bound.services)
        await work.commit(self._publisher)
        result: Result = answer() if callable(answer) else answer
        return result

    # Answers as JSON

    def begin(
        self, actor: Actor, name: str, body: object, connection: Connection | None = None
    ) -> msgspec.Raw | Awaitable[msgspec.Raw]:
        """Do one command and give the ack as JSON: now, by a promise, or once awaited. Raises nothing:
        what is unknown is logged."""
        try:
            bound, command = self._admitted(actor, name, body)
            if bound.handler.at_once is not None:
                promise = self._do_at_once(bound, command, actor, connection)
                if promise is not None:
                    return promise
        except Exception as fault:
            return self._told(name, fault)
        return self._answered(name, self._attempt(bound, command, actor, connection))

    async def answer(
        self, actor: Actor, name: str, body: object, connection: Connection | None = None
    ) -> msgspec.Raw:
        """`begin`, for whoever can only wait."""
        answer = self.begin(actor, name, body, connection)
        return answer if isinstance(answer, msgspec.Raw) else await answer

    async def _answered(self, name: str, doing: Awaitable[Result]) -> msgspec.Raw:
        try:
            return acceptance(await doing)
        except Exception as fault:
            return self._told(name, fault)

    def _do_at_once(
        self, bound: Bound, command: Command, actor: Actor, connection: Connection | None
    ) -> Promise | None:
        """Let the commit prove what the handler would have to read."""
        work = UnitOfWork(self._store, actor, self._clock.now(), connection=connection)
        assert bound.handler.at_once is not None
        answer = bound.handler.at_once(command, work, **bound.services)
        if answer is None:
            return None
        promise, name = Promise(), bound.kind.wire_name

        def failed(fault: Exception) -> None:
            if isinstance(fault, Conflict | Duplicate):
                again = self._answered(name, self._attempt(bound, command, actor, connection))
                self._keep(promise, again)
            else:
                promise.give(self._told(name, fault))

        work.submit(self._publisher, lambda: promise.give(acceptance(answer())), failed)
        return promise

    def _keep(self, promise: Promise, answer: Coroutine[Any, Any, msgspec.Raw]) -> None:
        """Let an answer that has to be awaited be the promise's."""
        task = asyncio.get_running_loop().create_task(answer)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        task.add_done_callback(lambda done: promise.give(done.result()))

    def _told(self, name: str, fault: Exception) -> msgspec.Raw:
        try:
            with refusing():
                raise fault
        except Refused as refused:
            return refusal(refused)
        except Exception:
            log.exception("command failed", extra={"command": name[:64]})
            return refusal(Unavailable("something went wrong on our side; it has been logged"))


def acceptance(result: Result) -> msgspec.Raw:
    """The ack of a command that was done."""
    return msgspec.Raw(b'{"ok":true,"result":' + msgspec.json.encode(result) + b"}")


def refusal(refused: Refused) -> msgspec.Raw:
    """The ack of a refused command."""
    error: dict[str, object] = {"code": refused.code, "message": refused.message}
    if refused.retry_after_ms is not None:
        error["retry_after_ms"] = refused.retry_after_ms
    return msgspec.Raw(msgspec.json.encode({"ok": False, "error": error}))
