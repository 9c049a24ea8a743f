"""The storage port: documents under declared indexes, numbered logs, atomic batches.

Promises every adapter keeps (tests/contracts/test_storage.py runs against all of them):

- **Batches are atomic and durable.** `apply` does all of its operations or none, and returns only
  after they are on disk (or journalled by a majority). There are no interactive transactions;
  what a batch relies on is stated as preconditions (`expect`, `Require`).
- **Logs are gap-free.** `Append` gives the next `position` of its stream, and to numbered entries
  the next `seq`. A reader that sees position n sees every position before it, but for entries that
  were deleted or replaced under their `key`; their numbers are never given again.
- **Repeats are recognised.** An `Append` whose `idem` was taken makes the whole batch do nothing and
  raises `Repeated` with the first entry, as it is now, for as long as that entry is kept. `Repeated`
  comes before any `Conflict` or `Duplicate` that the repetition itself would cause.
- **Completion is in commit order.** The `then` callbacks of `apply` are called on the event loop, in
  the order in which the batches became durable (per stream where several owners write), each before
  its `apply` returns and even if the caller was cancelled meanwhile.
- **Work is bounded.** With too much waiting, `apply` and reads raise `StoreBusy`; nothing was done.
- **What is read was stored.** A read begun after an `apply` returned (or its `then` was called) sees it;
  each read sees one state.

Shapes: ids, streams and index keys are strings; documents hold JSON values, integers within 2^53;
moments are integer milliseconds. A document has `_id`; the store adds `_v`, its version (from 1).
Indexed fields are strings, integers or booleans at the top level of the document, never arrays.
A sparse index holds the documents that have all of its keys, none of them null; a unique index over a
field that may be absent is declared sparse. A mistake of the caller (no `_id`, a document put into a
log, a `Taken` nobody took) is a ValueError or TypeError, an undeclared name a StorageError.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

import msgspec

from server.errors import Busy, Temporary, Unavailable

Doc = dict[str, Any]
"""A JSON object with `_id` and, once stored, `_v`."""


@dataclass(frozen=True, slots=True)
class Index:
    """A declared order of a collection: equality on a prefix of `keys`, a range on the next one."""

    name: str
    keys: tuple[str, ...]
    unique: bool = False
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Text search by bigrams over one string field, always limited to values of a scope field."""

    text_field: str
    scope_field: str


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents, its indexes, and whether it is a log.

    A log has the fields `stream`, `position`, `seq` (numbered entries so far), `number` (equal to `seq`
    on numbered entries, absent on others), `idem` and `key`, with the built-in indexes `position`
    (stream, position), `number` (stream, number), `idem` (idem) and `key` (stream, key), all unique,
    the last three sparse. Entries are made by `Append` only; they may be patched and deleted.
    """

    name: str
    indexes: tuple[Index, ...] = ()
    search: Search | None = None
    log: bool = False


LOG_INDEXES: Final = (
    Index("position", ("stream", "position"), unique=True),
    Index("number", ("stream", "number"), unique=True, sparse=True),
    Index("idem", ("idem",), unique=True, sparse=True),
    Index("key", ("stream", "key"), unique=True, sparse=True),
)


class Taken(msgspec.Struct, frozen=True):
    """Stands for a number that an earlier `Append` of the same batch takes; top-level values only.

    After several to one stream it is the number of the last one before.
    """

    stream: str
    what: Literal["position", "seq"]


class Insert(msgspec.Struct, frozen=True):
    """Store a new document. Raises `Duplicate` when its id or a unique index value is taken."""

    coll: str
    doc: Doc


class Put(msgspec.Struct, frozen=True):
    """Replace a document. `expect` is the version read; 0 = must not exist; None = store either way."""

    coll: str
    doc: Doc
    expect: int | None


class Patch(msgspec.Struct, frozen=True):
    """Set top-level fields of a document that exists (None removes a field).

    Identity, version and what `Append` gave an entry cannot be patched.
    """

    coll: str
    id: str
    set: Mapping[str, Any]
    expect: int | None = None


class Delete(msgspec.Struct, frozen=True):
    """Remove a document. Without `expect`, one that is already gone is no conflict."""

    coll: str
    id: str
    expect: int | None = None


class Max(msgspec.Struct, frozen=True):
    """Raise an integer field of an existing document to `value`, or set it where it is absent.

    A higher or equal one stays as it is, and so does the document's version.
    """

    coll: str
    id: str
    field: str
    value: int | Taken


class Require(msgspec.Struct, frozen=True):
    """Precondition: the document exists (in this version, if `expect` says one) and holds these values."""

    coll: str
    id: str
    expect: int | None = None
    holding: Mapping[str, str | int | bool] = {}


class Append(msgspec.Struct, frozen=True):
    """Add an entry at the end of a stream of a log collection.

    `numbered` entries also take the next `seq`. `idem` makes repeats recognisable (see `Repeated`).
    With `key` the stream is compacted: the former entry under the same key is removed.
    """

    coll: str
    stream: str
    doc: Doc
    numbered: bool = False
    idem: str | None = None
    key: str | None = None


class Sooner(msgspec.Struct, frozen=True):
    """Store a document, unless one is there whose integer `field` is no later: then nothing is written
    and its version stays. For what many batches ask for, of which the first alone need say it."""

    coll: str
    doc: Doc
    field: str


Op = Insert | Put | Patch | Delete | Max | Require | Append | Sooner

Completion = Callable[[Sequence[Doc | None]], None]
"""Called with one result per operation: the document as stored, or None for Delete and Require, and for a
Sooner that left what was there.

`apply` returns the same objects afterwards; leave them as they are.
"""

Failure = Callable[[Exception], None]
"""Called on the event loop with what `apply` would have raised."""


class StorageError(Exception):
    """Something storage refuses or cannot do."""


class Duplicate(StorageError):
    """A unique value is taken. `index` is the index's name, or `_id`."""

    def __init__(self, coll: str, index: str) -> None:
        super().__init__(f"{coll}: value taken in unique index {index}")
        self.coll, self.index = coll, index


class Conflict(StorageError):
    """A document is not there, or not in the version expected."""

    def __init__(self, coll: str, id: str) -> None:
        super().__init__(f"{coll}/{id}: not in the expected version")
        self.coll, self.id = coll, id


class Repeated(StorageError):
    """The batch was applied before; `entry` is what it appended then."""

    def __init__(self, entry: Doc) -> None:
        super().__init__(f"repeated: {entry.get('idem')}")
        self.entry = entry


class StoreBusy(StorageError, Temporary):
    """More operations are waiting than the store accepts; nothing was done."""


class StoreUnavailable(StorageError, Temporary):
    """The store cannot write or answer (disk full, no primary, closed); nothing was done."""


@contextmanager
def refusing() -> Iterator[None]:
    """What a store that is busy or unavailable means to a person who asked: Busy or Unavailable."""
    try:
        yield
    except StoreBusy:
        raise Busy("the server is busy; try again", retry_after_ms=500) from None
    except StoreUnavailable:
        raise Unavailable("the store cannot be used now; nothing was done") from None


class Logged(Protocol):
    """What a class has to have that entries of a log are read as."""

    @property
    def stream(self) -> str: ...


K = TypeVar("K")
L = TypeVar("L", bound=Logged)


@dataclass(frozen=True, slots=True)
class Missed(Generic[L]):
    """What `Store.missed` found: the position of the last entry of each stream that has one, and entries.
    A stream whose last entry here has its end's position is here whole."""

    ends: dict[str, int]
    entries: dict[str, list[L]]


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How the store is doing; times in milliseconds."""

    ready: bool
    waiting: int
    last_batch: int
    last_commit_ms: float
    commits: int
    detail: str = ""
    reads: int = 0


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A finished snapshot."""

    path: Path
    bytes: int
    commit_number: int
    epoch: str


class Store(Protocol):
    """What features and the floor may ask of storage."""

    @property
    def epoch(self) -> str:
        """Changes when history was replaced (a restored backup); positions hold within one epoch."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None:
        """Finish what was accepted, then release everything."""
        ...

    async def ensure(self, collection: Collection) -> None:
        """Declare a collection: create it, add indexes and search it lacks and fill them. Repeatable.

        What is declared stays declared in the store, until `drop_index`. StorageError when it is there
        with another meaning, Duplicate when a unique index finds values that are not.
        """
        ...

    async def drop_index(self, coll: str, name: str) -> None: ...

    async def apply(self, *ops: Op, then: Completion | None = None) -> list[Doc | None]: ...

    def submit(self, *ops: Op, then: Completion, failed: Failure) -> None:
        """`apply` for a caller that does not wait, which spares it a task: exactly one of the two is
        called, later. What `apply` refuses at once (`StoreBusy`) is raised here."""
        ...

    async def get(self, coll: str, id: str) -> Doc | None: ...

    async def get_many(self, coll: str, ids: Sequence[str]) -> dict[str, Doc]: ...

    async def find(
        self,
        coll: str,
        index: str,
        eq: Sequence[str | int | bool] = (),
        *,
        gt: str | int | None = None,
        lt: str | int | None = None,
        reverse: bool = False,
        limit: int = 100,
    ) -> list[Doc]:
        """Documents equal to `eq` on the index's first keys, in index order (`reverse`: backwards),
        the next key strictly between `gt` and `lt`."""
        ...

    async def find_as(
        self,
        kind: type[K],
        coll: str,
        index: str,
        eq: Sequence[str | int | bool] = (),
        *,
        limit: int = 100,
    ) -> list[K]:
        """As `find`, each document read as a msgspec class: what the class does not name is passed over,
        which spares most of the work where many are read for little."""
        ...

    async def count(
        self, coll: str, index: str, eq: Sequence[str | int | bool] = (), *, cap: int = 1000
    ) -> int:
        """How many `find` would give, counted no further than `cap`."""
        ...

    async def heads(
        self, coll: str, streams: Sequence[str], *, numbered: bool = False
    ) -> dict[str, Doc]:
        """The last entry (or last numbered entry) of each stream that has one, in one read."""
        ...

    async def positions(self, coll: str, streams: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Position of the last entry and number of the last numbered one (0 without any) of each
        stream that has entries, in one read that touches indexes only."""
        ...

    async def tails(self, coll: str, after: Mapping[str, int], limit: int) -> dict[str, list[Doc]]:
        """The first `limit` entries after the given position of each stream, in one read.

        Every stream asked for has its list, if only an empty one.
        """
        ...

    async def missed(
        self, kind: type[L], coll: str, after: Mapping[str, int], *, most: int, room: int
    ) -> Missed[L]:
        """What readers who stand at these positions have missed, in one read: where each stream ends, and
        the first entries after each position, the streams in the order given, `most` entries or about
        `room` bytes in all (one entry in any case). `kind` as in `find_as`."""
        ...

    async def search(
        self,
        coll: str,
        text: str,
        scopes: Mapping[str, int],
        *,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Doc]:
        """The newest documents of `scopes` whose text holds `text` (two characters or more, letters
        compared without case and width), newest first by order of storing. Each result carries `_rank`; pass
        the last one's as `before` for the next page. A shorter text is a ValueError.

        `scopes` gives each scope its floor: of a log, only entries whose `seq` is above it are there
        for this search, and nothing in its answer depends on the others. Documents outside of logs
        have no `seq`; their floor is 0. Few searches may wait: `StoreBusy` comes earlier than for reads.
        """
        ...

    async def scan(self, coll: str, after_id: str | None = None, limit: int = 500) -> list[Doc]:
        """Documents in order of id, for backfills and exports."""
        ...

    async def snapshot(self, target: Path) -> BackupInfo:
        """Write a consistent, checked copy to `target` while work goes on; replaces an older one."""
        ...

    def health(self) -> StoreHealth: ...
