"""The bulletin: what every node has to take to heart, because each holds it in memory.

A word is written in the same commit as the change it is about, into a log of its own, and each node reads
what is new every second. So a session that was ended elsewhere is out within seconds also while Redis is
away; through Redis its sockets are closed sooner. A word is old after a day; who missed any is told so
and begins afresh.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from server.clock import Clock, Millis
from server.ids import new_id
from server.storage import Append, Collection, Delete, Doc, Store

BULLETIN: Final = Collection("bulletin", log=True)
STREAM: Final = "nodes"
READ_S: Final = 1.0
PRUNE_S: Final = 600.0
KEPT_MS: Final = 86_400_000
AT_ONCE: Final = 500

SESSIONS_ENDED: Final = "sessions_ended"
STAFF_CHANGED: Final = "staff_changed"
OA_CHANGED: Final = "oa_changed"


def sessions_ended(now: Millis, person_id: str, session_ids: Sequence[str]) -> Append:
    """Sessions of a person were ended: nobody believes them any more, their sockets are closed."""
    return _word(now, {"kind": SESSIONS_ENDED, "person_id": person_id, "session_ids": session_ids})


def staff_changed(now: Millis) -> Append:
    """People or departments are not what they were."""
    return _word(now, {"kind": STAFF_CHANGED})


def oa_changed(now: Millis, person_ids: Sequence[str]) -> Append:
    """The OA says that something changed for these people."""
    return _word(now, {"kind": OA_CHANGED, "person_ids": person_ids})


def _word(now: Millis, said: Doc) -> Append:
    return Append(BULLETIN.name, STREAM, {"_id": new_id(now), "at": now, **said})


class Hearer(Protocol):
    """What a node does about a word. Whatever raises is heard again."""

    async def sessions_ended(self, person_id: str, session_ids: Sequence[str]) -> None: ...

    async def staff_changed(self) -> None: ...

    async def oa_changed(self, person_ids: Sequence[str]) -> None: ...

    async def missed(self) -> None:
        """Words were removed before this node has read them: anything may have changed."""
        ...


class Reader:
    """Reads what is new, in order, and has it heard."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._position = 0

    async def begin(self) -> None:
        """From here on: to be called before what is held in memory is read."""
        self._position = await _end(self._store)

    async def read(self, hearer: Hearer) -> None:
        """Hear what was written since."""
        more = True
        while more:
            found = await self._store.tails(BULLETIN.name, {STREAM: self._position}, AT_ONCE)
            words = found[STREAM]
            if words and words[0]["position"] > self._position + 1:
                await hearer.missed()
            await _hear(hearer, words)
            self._position = words[-1]["position"] if words else self._position
            more = len(words) == AT_ONCE


async def _end(store: Store) -> int:
    ends = await store.positions(BULLETIN.name, [STREAM])
    return ends.get(STREAM, (0, 0))[0]


async def _hear(hearer: Hearer, words: Sequence[Doc]) -> None:
    for word in words:
        if word["kind"] == SESSIONS_ENDED:
            await hearer.sessions_ended(word["person_id"], word["session_ids"])
        if word["kind"] == OA_CHANGED:
            await hearer.oa_changed(word["person_ids"])
    # Many words about the staff in a row are one reading of it.
    if any(word["kind"] == STAFF_CHANGED for word in words):
        await hearer.staff_changed()


async def prune(store: Store, clock: Clock) -> int:
    """Remove old words; how many it were. The last one stays, however old: it says where the log ends, and a
    node that began at nothing would take the next word for one of many it has missed."""
    last = await _end(store)
    removed = 0
    while True:
        words = await store.scan(BULLETIN.name, limit=AT_ONCE)
        horizon = clock.now() - KEPT_MS
        old = [w["_id"] for w in words if w["at"] < horizon and w["position"] != last]
        if old:
            await store.apply(*(Delete(BULLETIN.name, id) for id in old))
        removed += len(old)
        if len(old) < AT_ONCE:
            return removed
