"""Sessions as every request and every socket command meets them: from a token or an id to an actor.

A session is read from the store once and then held in memory for a while, so that a command costs no
read. What ends sessions on this node calls `forget` after the commit and is seen at once; other nodes
read of it a second later (`server.nodes.bulletin`). Roles are never held: they are asked of the directory
each time, which also keeps out people who have retired.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from server.auth.actor import Actor, Role
from server.auth.documents import Session
from server.auth.tokens import LONGEST, digest, new_token
from server.clock import Clock, Millis
from server.errors import Unauthenticated
from server.ids import new_id
from server.retention import drop_old
from server.storage import Patch, StorageError, Store, StoreBusy, refusing
from server.storage.document import from_doc

COLL: Final = Session.collection.name
SEEN_EVERY_MS: Final = 60_000
FRESH_FOR_S: Final = 60.0
MOST_HELD: Final = 20_000
MOST_LISTED: Final = 1_000
SWEPT_AT_ONCE: Final = 250
"""So many are looked at in one tick of the loop, since commands wait meanwhile."""
KEPT_AFTER_END_MS: Final = 30 * 86_400_000

RolesOf = Callable[[str], frozenset[Role] | None]
"""The roles of somebody who works here, None for anybody else."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    session: Session
    read_at: float


class Sessions:
    """Who is signed in."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        roles_of: RolesOf,
        *,
        idle_hours: int,
        days: int,
        fresh_for_s: float = FRESH_FOR_S,
        most_held: int = MOST_HELD,
    ) -> None:
        self._store = store
        self._clock = clock
        self._roles_of = roles_of
        self._idle_ms = idle_hours * 3_600_000
        self._absolute_ms = days * 86_400_000
        self._fresh_for_s = fresh_for_s
        self._most_held = most_held
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._by_token: dict[str, str] = {}
        self._forgettings = 0

    # Beginning and ending

    def begin(
        self, person_id: str, device: str, address: str, *, by_wecom: bool = False
    ) -> tuple[str, Session]:
        """A new session, to be stored by the caller, and its token, which nobody can give again."""
        token, now = new_token(), self._clock.now()
        session = Session(
            id=new_id(now),
            person_id=person_id,
            token_hash=digest(token),
            created_at=now,
            seen_at=now,
            expires_at=Millis(now + self._absolute_ms),
            device=device,
            address=address,
            by_wecom=by_wecom,
        )
        return token, session

    def forget(self, session_id: str) -> None:
        """Read the session again before it is believed: it was changed."""
        self._forgettings += 1
        self._drop(session_id)

    def forget_all(self) -> None:
        """Read every session again before it is believed."""
        self._forgettings += 1
        self._held.clear()
        self._by_token.clear()

    def _drop(self, session_id: str) -> None:
        held = self._held.pop(session_id, None)
        if held is not None:
            self._by_token.pop(held.session.token_hash, None)

    def is_live(self, session: Session) -> bool:
        """Whether the session has not ended in any of the three ways."""
        return self._lives(session, self._clock.now())

    def _lives(self, session: Session, now: Millis) -> bool:
        idle_end = session.seen_at + self._idle_ms
        return session.revoked_at is None and now < session.expires_at and now < idle_end

    # Asking

    async def load(self) -> None:
        """Read the sessions there are, in one go: after a restart everybody comes back at once."""
        with refusing():
            docs = await self._store.find(
                COLL, "expires", gt=self._clock.now(), limit=self._most_held
            )
        for doc in docs:
            self._hold(from_doc(Session, doc))

    async def authenticate(self, token: str, address: str = "") -> Actor:
        """Who comes with this token, now from `address`. Raises Unauthenticated, Busy, Unavailable."""
        if not 0 < len(token) <= LONGEST:
            raise _nobody()
        token_hash = digest(token)
        session_id = self._by_token.get(token_hash)
        if session_id is None:
            with refusing():
                docs = await self._store.find(COLL, "token", (token_hash,), limit=1)
            if not docs:
                raise _nobody()
            session_id = docs[0]["_id"]
        return await self.actor(session_id, address)

    def known(self, session_id: str, address: str = "") -> Actor | None:
        """`actor`, where nothing has to be read or noted for it; None: ask there."""
        held = self._held.get(session_id)
        if held is None or self._clock.monotonic() - held.read_at >= self._fresh_for_s:
            return None
        session, now = held.session, self._clock.now()
        if now - session.seen_at >= SEEN_EVERY_MS or not self._lives(session, now):
            return None
        self._held.move_to_end(session_id)
        roles = self._roles_of(session.person_id)
        if roles is None:
            return None
        return Actor(session.person_id, session_id, roles, address or session.address)

    async def actor(self, session_id: str, address: str = "") -> Actor:
        """Who a session belongs to, if it still stands. Raises as `authenticate` does."""
        session = await self._current(session_id)
        if session is None:
            self._drop(session_id)
            raise _nobody()
        if not self.is_live(session):
            raise _nobody()  # and held on to until the sweep, which closes its sockets
        if await self._see(session):
            session = await self._current(session_id)
            if session is None or session.revoked_at is not None:
                raise _nobody()
        roles = self._roles_of(session.person_id)
        if roles is None:
            raise _nobody()
        return Actor(session.person_id, session_id, roles, address or session.address)

    async def of_person(self, person_id: str) -> list[Session]:
        """A person's sessions that have not ended, newest first, as others may have seen them."""
        docs = await self._store.find(COLL, "person", (person_id,), reverse=True, limit=MOST_LISTED)
        return [session for doc in docs if self.is_live(session := from_doc(Session, doc))]

    # Cleaning

    async def sweep(self) -> AsyncIterator[tuple[str, str]]:
        """The held sessions (person, session) that have ended, by themselves or with their person's
        leaving: their sockets here are to be closed. To be called every few seconds; what stands costs
        no read, and what seems to have ended is read again, since it may be in use on another node. Each is
        told as soon as it is found and then forgotten, so that a reading that fails costs none before it."""
        for number, (session_id, held) in enumerate(list(self._held.items()), 1):
            if number % SWEPT_AT_ONCE == 0:
                await asyncio.sleep(0)
            if self._stands(held.session):
                continue
            doc = await self._store.get(COLL, session_id)
            session = from_doc(Session, doc) if doc is not None else None
            if session is not None and self._stands(session):
                self._hold(session)
            else:
                self._drop(session_id)
                yield held.session.person_id, session_id

    def _stands(self, session: Session) -> bool:
        return self.is_live(session) and self._roles_of(session.person_id) is not None

    async def prune(self) -> int:
        """Remove sessions that ended long ago, some at a time. How many were removed."""
        horizon = self._clock.now() - KEPT_AFTER_END_MS
        return await drop_old(self._store, Session, "expires", horizon)

    # Holding

    async def _current(self, session_id: str) -> Session | None:
        held = self._held.get(session_id)
        if held and self._clock.monotonic() - held.read_at < self._fresh_for_s:
            self._held.move_to_end(session_id)
            return held.session
        while True:
            forgettings = self._forgettings
            with refusing():
                doc = await self._store.get(COLL, session_id)
            if forgettings == self._forgettings:
                break  # else something ended while this was read; what was read may be older
        if doc is None:
            return None
        session = from_doc(Session, doc)
        self._hold(session)
        return session

    def _hold(self, session: Session) -> None:
        self._held[session.id] = _Held(session, self._clock.monotonic())
        self._held.move_to_end(session.id)
        self._by_token[session.token_hash] = session.id
        while len(self._held) > self._most_held:
            _, oldest = self._held.popitem(last=False)
            self._by_token.pop(oldest.session.token_hash, None)

    async def _see(self, session: Session) -> bool:
        """Note that the session is in use; whether this took a while."""
        now = self._clock.now()
        held = self._held.get(session.id)
        if held is None or now - session.seen_at < SEEN_EVERY_MS:
            return False
        held.session = msgspec.structs.replace(session, seen_at=now)
        try:
            await self._store.apply(Patch(COLL, session.id, {"seen_at": now}))
        except StoreBusy:
            pass  # Next time; under a crowd there would be a line for each of it.
        except StorageError:
            log.warning("a session's use could not be noted", exc_info=True)
        return True


def _nobody() -> Unauthenticated:
    return Unauthenticated("sign in first: there is no such session, or it has ended")
