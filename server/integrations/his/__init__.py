"""The HIS: tells what happens in the hospital, as facts, in batches that it signs.

The HIS pushes and Yuanxin takes; nothing is ever asked of it. What it may rely on, and why it may send
anything again at any time:

- **Taken means kept.** A receipt is given only after everything it speaks of is on disk.
- **A repeat changes nothing.** An event id names one event for good; sent again it is `repeated`.
- **Order does not matter.** What counts of a fact depends only on the set of events that name it: a
  cancellation ends it, else the latest correction (by `at`, then id) is what it says, else the event
  itself. Both may come before what they name, which counts nothing until it is there.
- **One bad event spoils nothing.** It is refused by name with a reason; the rest of its batch is taken.
- **An empty batch is a sign of life.**

`reading.py` reads what is sent; `server.integrations.signing` says whether it is from the HIS.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, Protocol, get_args

import msgspec
from msgspec import Meta

from server.clock import Millis
from server.integrations.signing import Sender

RegistrationType = Literal["general", "expert", "special", "emergency", "online"]
TypedKind = Literal["registered", "seen", "called"]
Kind = Literal["registered", "seen", "called", "operations", "inpatients"]

TYPES: Final[tuple[RegistrationType, ...]] = get_args(RegistrationType)
TYPED_KINDS: Final[tuple[str, ...]] = get_args(TypedKind)
COUNTERS: Final[tuple[str, ...]] = (*TYPED_KINDS, "operations")
GAUGE: Final = "inpatients"

EVENTS_PER_BATCH: Final = 500
EventId = Annotated[str, Meta(pattern="^[!-~]{1,64}$")]


class HisEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened at `at` in a department.

    `registered`, `called` and `seen` are patients of a registration `type`, `operations` are finished
    ones; each stands for `count`. `inpatients` is a reading, `value`. One that `corrects` another says
    everything of it anew but for its moment; of one that `cancels` another nothing else is looked at.
    """

    event_id: EventId
    kind: Kind
    at: Annotated[int, Meta(ge=0, le=2**53)]
    department_id: Annotated[str, Meta(min_length=1, max_length=64)]
    type: RegistrationType | None = None
    value: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    count: Annotated[int, Meta(ge=1, le=100_000)] = 1
    corrects: EventId | None = None
    cancels: EventId | None = None

    @property
    def fact(self) -> str:
        """The id of the event that this one is, corrects or cancels."""
        return self.corrects or self.cancels or self.event_id


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is not taken, and why. Sent again unchanged it will be refused again."""

    event_id: str
    reason: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: events that were new, that were there, that are not taken; and when the
    HIS was last heard."""

    accepted: int
    repeated: int
    refused: list[RefusedEvent]
    as_of: Millis


class Intake(Protocol):
    """Who takes what the HIS sends, with the promises above."""

    async def take(self, events: Sequence[HisEvent], sender: Sender) -> Receipt:
        """Keep the events. Raises Busy or Unavailable when nothing was kept: send them again."""
        ...
