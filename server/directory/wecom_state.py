"""What a sync with WeCom leaves behind: when the night's was done, what came of the last one, and how many
were removed within the day, so that many small removals count as the one large one they are."""

from typing import Any, ClassVar, Final

import msgspec

from server.clock import Millis
from server.directory.wecom_plan import Removal
from server.storage import Collection, Store
from server.storage.document import Document, from_doc
from server.work import UnitOfWork

STATE: Final = "state"
DAY_MS: Final = 86_400_000
MOST_LINES: Final = 200


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a sync ended. `result` is done, shown (a preview), held (removals wait for a confirmation), or
    failed, which `why` explains; `lines` are the conflicts."""

    direction: str
    trigger: str
    began_at: Millis
    ended_at: Millis
    result: str
    why: str = ""
    counts: dict[str, int] = {}
    lines: list[str] = []

    @property
    def is_good(self) -> bool:
        return self.result in ("done", "shown")


class SyncState(Document, frozen=True):
    """There is one."""

    collection: ClassVar[Collection] = Collection("wecom_sync")

    night: str = ""
    """The date, at the hospital, of the last night's sync that ended, or was given up."""
    tries: int = 0
    next_try_at: Millis = Millis(0)
    day_began_at: Millis = Millis(0)
    people_removed: int = 0
    departments_removed: int = 0
    outcome: Outcome | None = None


async def kept_state(store: Store) -> SyncState:
    """What is kept of the runs so far."""
    doc = await store.get(SyncState.collection.name, STATE)
    return SyncState(id=STATE) if doc is None else from_doc(SyncState, doc)


async def read_state(work: UnitOfWork) -> SyncState:
    """The state, to be put again."""
    return await work.get(SyncState, STATE) or SyncState(id=STATE)


async def change_state(work: UnitOfWork, **fields: Any) -> None:
    """Set some of it."""
    work.put(msgspec.structs.replace(await read_state(work), **fields))


async def count_removed(work: UnitOfWork, *, people: int = 0, departments: int = 0) -> None:
    """Add to what was removed within the day."""
    state = await read_state(work)
    if work.now - state.day_began_at >= DAY_MS:
        state = msgspec.structs.replace(
            state, day_began_at=work.now, people_removed=0, departments_removed=0
        )
    work.put(
        msgspec.structs.replace(
            state,
            people_removed=state.people_removed + people,
            departments_removed=state.departments_removed + departments,
        )
    )


def note_removed_before(removal: Removal, state: SyncState, now: Millis) -> None:
    """Lay what was removed already within the day to what would be."""
    if now - state.day_began_at < DAY_MS:
        removal.people_before = state.people_removed
        removal.departments_before = state.departments_removed
