"""The port `Worklist`: what the OA was last seen to hold for each person, and how changes are
told.

The OA cannot push, so it is asked in turn (`poller.py`); features read this mirror and never the
OA. What must always hold:

- **Failures clear nothing.** What was seen stays until a later answer replaces it; `stale` says
  so and `as_of` says from when it is. A sudden "0 to-dos" counts as a failure until it is
  confirmed.
- **A change is told before it is known.** The sink stores it first; only then does the mirror
  move. A crash in between tells the same change again, so a sink must be able to hear it twice.
- **The first reading of a person is a baseline**: told without a `before`, and no notice is made
  of it.
- **Documents decide, not numbers**: a change is a changed set of request ids. One done and one
  arrived is a change although the count stays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from server.clock import Millis
from server.integrations.oa import Item, OAError, State


@dataclass(frozen=True, slots=True)
class Seen:
    """A person's pending documents as last seen, newest first.

    `count` is what the OA counted: it may exceed the items when a document waits twice (two
    duties of one person) or when the list is longer than is followed (`complete` is False then).
    """

    items: tuple[Item, ...]
    count: int
    as_of: Millis
    complete: bool = True

    @property
    def pending(self) -> int:
        """The number for a badge."""
        return len(self.items) if self.complete else max(self.count, len(self.items))

    @property
    def request_ids(self) -> frozenset[str]:
        return frozenset(item.request_id for item in self.items)

    def says_the_same(self, other: "Seen") -> bool:
        """Whether there is no news between the two."""
        return self.request_ids == other.request_ids and self.pending == other.pending

    def to_document(self) -> dict[str, Any]:
        """As JSON values, for whoever stores it."""
        return {
            "items": [asdict(item) for item in self.items],
            "count": self.count,
            "as_of": self.as_of,
            "complete": self.complete,
        }

    @classmethod
    def from_document(cls, doc: Mapping[str, Any]) -> "Seen":
        return cls(
            items=tuple(Item(**item) for item in doc["items"]),
            count=doc["count"],
            as_of=Millis(doc["as_of"]),
            complete=doc["complete"],
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of a person's list. `stale`: the OA could not be asked, this is from before
    (`as_of`); `total` is None when it is not known."""

    items: tuple[Item, ...]
    total: int | None
    as_of: Millis | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many documents wait for a person; `as_of` is None when the OA was never read for them."""

    pending: int
    as_of: Millis | None
    stale: bool


@dataclass(frozen=True, slots=True)
class MirrorHealth:
    """For the operator: `reason` is the sentence of the last failure while `reachable` is False.

    `not_read` are people not read yet since the start. `relies_on_hints`: the webhook has shown itself
    true, and pages are read rarely without it.
    """

    reachable: bool
    reason: str
    people: int
    visible: int
    last_answer_at: Millis | None
    not_read: int = 0
    calls: int = 0
    hints_waiting: int = 0
    hints_heard: int = 0
    changes_not_hinted: int = 0
    hinted_at: Millis | None = None
    relies_on_hints: bool = False


class Accounts(Protocol):
    """The mapping from people to OA users, kept by the directory."""

    async def oa_users(self) -> Mapping[str, str]:
        """Everybody who has an OA account: person id to OA user id."""
        ...


class Outdated(OAError):
    """Another node told a change of this person meanwhile: read again from what is kept now."""

    kind = "outdated"


class WorklistSink(Protocol):
    """Keeps what was seen, and hears of changes."""

    async def changed(
        self,
        person_id: str,
        before: Seen | None,
        seen: Seen,
        arrived: tuple[Item, ...],
        gone: tuple[str, ...],
    ) -> None:
        """Keep `seen` and act on the change, as one. Called once per change, one at a time per
        person and node; called again with the same change if it raises or the process dies before
        it returns. `gone` are request ids. Without `before` this is the person's baseline:
        everything seen is in `arrived` and nothing is news. Raises `Outdated` when something else
        than `before` is kept by now, because another node has told a change.
        """
        ...

    async def load(self, person_id: str) -> Seen | None:
        """What was last kept, or None: the next reading is this person's baseline."""
        ...


class Worklist(Protocol):
    """What features ask of the mirror. Nothing here raises because of the OA."""

    async def read(
        self, person_id: str, state: State, page: int = 1, max_age_s: float = 5.0
    ) -> Reading:
        """A page of 20, asked of the OA unless what is known is younger than `max_age_s`.

        Somebody without an OA account has empty lists. When the OA cannot be asked, the last
        known page is given, or an empty one with `total` None when there is none.
        """
        ...

    async def counts(self, person_id: str, max_age_s: float = 5.0) -> Waiting: ...

    async def seen(self, person_id: str) -> Seen | None:
        """What is known of a person's pending documents, without asking the OA."""
        ...

    def visible(self, person_id: str, on: bool) -> None:
        """Whether any page of this person is on a screen now; such people are read every few
        seconds.
        """
        ...

    def hint(self, person_ids: Iterable[str]) -> None:
        """The OA's webhook says that something changed for these people: read them next, whoever has a
        page on screen before others, the newest first. Said of nobody it is a sign of life. On several
        nodes it is said to each of them: who reads a person finds out here.
        """
        ...

    async def acted(self, person_id: str, request_id: str) -> None:
        """The OA has just said that this person is done with a document: it is gone from the list
        now, as a change that is told, whatever the next reading says. Harmless when repeated.
        Raises what the sink raises.
        """
        ...

    def forget(self, person_id: str) -> None:
        """Drop what is held in memory for a person; what is kept stays with the sink."""
        ...

    def health(self) -> MirrorHealth: ...
