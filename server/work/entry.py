"""The log: one entry for each change a channel was told of, under its channel as stream."""

from collections.abc import Mapping

import msgspec

from realtime.errors import ConflictRefused
from realtime.protocol import Event, event_body
from realtime.publisher import Publication
from server.clock import Millis
from server.storage import Append, Collection, Doc, Search, Taken

LOG = Collection("log", search=Search("text", "stream"), log=True)
"""Entries: `_id`, `stream`, `position`, `seq`, `at`, `event`, `data`; messages also `number`, `idem`,
`digest` and, as long as they may be found, `text`; `telling` where telling it does something besides."""


class Telling(msgspec.Struct, frozen=True, omit_defaults=True):
    """What telling an entry does besides, as `Publication` has it."""

    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    partial: bool = False
    dismisses: bool = False

    def kept(self) -> Doc:
        """As it is kept with the entry, for a node that missed the telling."""
        return {} if self == Telling() else {"telling": msgspec.to_builtins(self)}


class Entry:
    """An entry on its way into the log. Its numbers are known once the work is committed."""

    __slots__ = ("_seq", "at", "channel", "digest", "event", "id", "op", "telling")

    def __init__(self, op: Append, event: Event, telling: Telling) -> None:
        self.op = op
        self.event = event
        self.telling = telling
        self.id: str = op.doc["_id"]
        self.at: Millis = op.doc["at"]
        self.digest: str | None = op.doc.get("digest")
        self.channel = op.stream
        self._seq: int | None = None

    @property
    def seq(self) -> int:
        """The number taken (of a numbered entry). Known after the commit."""
        if self._seq is None:
            raise RuntimeError("an entry's number is known only after the commit")
        return self._seq

    @property
    def taking_seq(self) -> Taken:
        """Stands for the number in other operations of the same unit of work."""
        return Taken(self.channel, "seq")

    @property
    def taking_position(self) -> Taken:
        """Stands for the position in other operations of the same unit of work."""
        return Taken(self.channel, "position")

    def publication(self, stored: Doc) -> Publication:
        """What the hub is to tell, once `stored` is what the log holds."""
        self._seq = stored["seq"]
        return _publication(stored, self.event.numbered(stored["seq"]), self.telling)

    def repeat(self, first: Doc) -> None:
        """Take the numbers of the entry stored the first time. Raises when that was something else."""
        if first.get("digest") != self.digest:
            raise ConflictRefused("this client_id was used for another message; use a new one")
        self.id, self.at, self._seq = first["_id"], first["at"], first["seq"]


def _publication(stored: Doc, event: Event | Doc, telling: Telling) -> Publication:
    channel, position = stored["stream"], stored["position"]
    return Publication(
        channel=channel,
        name=stored["event"],
        body=event_body(msgspec.json.encode(event), channel, position),
        position=position,
        key="values" if telling.partial else stored.get("key"),
        joins=telling.joins,
        leaves=telling.leaves,
        partial=telling.partial,
        dismisses=telling.dismisses,
        at=stored["at"],
    )


def told_again(entry: Doc, kinds: Mapping[str, type[Event]]) -> Publication:
    """What the hub was (or would now be) told of a stored entry. One of a kind that only newer nodes know
    is told as it is kept."""
    event: Event | Doc = entry["data"]
    if kind := kinds.get(entry["event"]):
        event = msgspec.convert(entry["data"], kind).numbered(entry["seq"])
    return _publication(entry, event, msgspec.convert(entry.get("telling", {}), Telling))


class Stored(msgspec.Struct, frozen=True):
    """An entry as it is read for somebody who missed it: no more of it than is told."""

    id: str = msgspec.field(name="_id")
    version: int = msgspec.field(name="_v")
    stream: str
    position: int
    seq: int
    event: str
    data: msgspec.Raw
    key: str | None = None

    def body(self, kinds: Mapping[str, type[Event]]) -> bytes:
        """The event object as JSON, as it was (or would now be) told."""
        event: Event | msgspec.Raw = self.data
        if kind := kinds.get(self.event):
            event = msgspec.json.decode(self.data, type=kind).numbered(self.seq)
        return event_body(msgspec.json.encode(event), self.stream, self.position)
