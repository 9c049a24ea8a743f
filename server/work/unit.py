"""One unit of work: reads with remembered versions, collected operations, one atomic commit."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from realtime.connection import Connection
from realtime.errors import Closing, NotFound, Refused
from realtime.protocol import Event, event_body
from realtime.publisher import Publication, Publisher, laid_over
from server.audit import AuditRow
from server.auth.actor import Actor
from server.clock import Millis
from server.ids import new_id
from server.outbox import Owed, Withdrawal
from server.storage import (
    Append,
    Delete,
    Doc,
    Failure,
    Insert,
    Max,
    Op,
    Patch,
    Put,
    Repeated,
    Require,
    Sooner,
    Store,
    Taken,
)
from server.storage.document import D, Document, from_doc, to_doc
from server.work.entry import LOG, Entry, Telling
from server.work.log import LogReader

R = TypeVar("R")
Later = Callable[[], R]
"""An answer that can be given once the numbers are known."""


class UnitOfWork:
    """The only door between a handler and everything that lasts.

    `connection` is the socket the command came by, None over HTTP and for the server's own work.
    """

    def __init__(
        self, store: Store, actor: Actor, now: Millis, *, connection: Connection | None = None
    ) -> None:
        self.store = store
        self.actor = actor
        self.now = now
        self.connection = connection
        self._versions: dict[tuple[str, str], int] = {}
        self._ops: list[Op] = []
        self._entries: list[tuple[int, Entry]] = []
        self._ephemeral: list[Publication] = []
        self._closings: list[tuple[str, Closing, frozenset[str] | None]] = []
        self._afterwards: list[Callable[[], None]] = []

    # Reading

    @property
    def log(self) -> LogReader:
        """The log, as it is stored."""
        return LogReader(self.store)

    async def get(self, kind: type[D], id: str) -> D | None:
        """A document by id, or None."""
        doc = await self.store.get(kind.collection.name, id)
        self._note(kind, id, doc)
        return None if doc is None else from_doc(kind, doc)

    async def find(self, kind: type[D], id: str) -> D:
        """A document that has to be there. Raises NotFound."""
        document = await self.get(kind, id)
        if document is None:
            raise NotFound(f"there is no such {kind.__name__.lower()}")
        return document

    async def get_many(self, kind: type[D], ids: Sequence[str]) -> dict[str, D]:
        """Those of the documents that are there, by id."""
        docs = await self.store.get_many(kind.collection.name, ids)
        for id in ids:
            self._note(kind, id, docs.get(id))
        return {id: from_doc(kind, doc) for id, doc in docs.items()}

    async def query(
        self,
        kind: type[D],
        index: str,
        *eq: str | int | bool,
        gt: str | int | None = None,
        lt: str | int | None = None,
        reverse: bool = False,
        limit: int = 100,
    ) -> list[D]:
        """Documents by a declared index, as `Store.find` gives them."""
        docs = await self.store.find(
            kind.collection.name, index, eq, gt=gt, lt=lt, reverse=reverse, limit=limit
        )
        for doc in docs:
            self._note(kind, doc["_id"], doc)
        return [from_doc(kind, doc) for doc in docs]

    def _note(self, kind: type[Document], id: str, doc: Doc | None) -> None:
        # The first reading counts: something was decided upon it, and a later one of the same work may
        # see already what somebody else has made of it.
        self._versions.setdefault((kind.collection.name, id), 0 if doc is None else doc["_v"])

    # Writing

    def insert(self, document: Document, **taken: Taken) -> None:
        """Store a new document; `taken` gives fields that hold numbers of an entry of this work."""
        self._ops.append(Insert(document.collection.name, {**to_doc(document), **taken}))

    def put(self, document: Document) -> None:
        """Replace a document as this work first read it, or store one that it found absent."""
        coll = document.collection.name
        expect = self._versions.get((coll, document.id), 0)
        self._ops.append(Put(coll, to_doc(document), expect))

    def overwrite(self, document: Document) -> None:
        """Store a document whatever was there before; the last one wins."""
        self._ops.append(Put(document.collection.name, to_doc(document), None))

    def patch(self, kind: type[Document], id: str, **fields: Any) -> None:
        """Set single fields of a document that exists, whatever its version (None removes one)."""
        self._ops.append(Patch(kind.collection.name, id, fields))

    def raise_to(self, kind: type[Document], id: str, field: str, value: int | Taken) -> None:
        """Raise an integer field; a higher value stays."""
        self._ops.append(Max(kind.collection.name, id, field, value))

    def delete(self, document: Document, *, unchanged: bool = True) -> None:
        """Remove a document that this work has read, if it is still as read (or however it is)."""
        coll = document.collection.name
        expect = self._versions[coll, document.id] if unchanged else None
        self._ops.append(Delete(coll, document.id, expect))

    def require(self, document: Document, *, unchanged: bool = False) -> None:
        """Precondition: the document is still there (and as it was read) when this is committed."""
        coll = document.collection.name
        expect = self._versions[coll, document.id] if unchanged else None
        self._ops.append(Require(coll, document.id, expect))

    def rely_on(self, kind: type[Document], id: str, **fields: str | int | bool) -> None:
        """Precondition without reading: when this is committed the document holds these values."""
        self._ops.append(Require(kind.collection.name, id, holding=fields))

    # Telling

    def append(
        self,
        channel: str,
        event: Event,
        *,
        id: str | None = None,
        key: str | None = None,
        idem: str | None = None,
        numbered: bool = False,
        joins: tuple[str, ...] = (),
        leaves: tuple[str, ...] = (),
        partial: bool = False,
        dismisses: bool = False,
        **fields: Any,
    ) -> Entry:
        """Log an event in a channel and tell it after the commit.

        On a state channel `key` names the value it replaces. An event is `partial` when its object
        `values` holds the one value of that key: the partial ones of a channel are told as one event.
        `joins`, `leaves` and `dismisses` are those of `Publication`; the people in them are told on their
        own channels in the same work. `fields` are kept with the entry.
        """
        doc: Doc = {
            "_id": id or new_id(self.now),
            "at": self.now,
            "event": event.wire_name,
            "data": msgspec.to_builtins(event),
            **fields,
        }
        telling = Telling(joins, leaves, partial, dismisses)
        doc.update(telling.kept())
        op = Append(LOG.name, channel, doc, numbered=numbered, idem=idem, key=key)
        entry = Entry(op, event, telling)
        self._entries.append((len(self._ops), entry))
        self._ops.append(op)
        return entry

    def patch_entry(self, entry_id: str, event: Event, **fields: Any) -> None:
        """Change what a logged event will be read as from now on (a recalled message)."""
        self._ops.append(Patch(LOG.name, entry_id, {"data": msgspec.to_builtins(event), **fields}))

    def announce(self, channel: str, event: Event) -> None:
        """Tell something that is not kept and may be lost (somebody is typing)."""
        body = event_body(msgspec.json.encode(event), channel, None)
        self._ephemeral.append(Publication(channel, event.wire_name, body, None))

    def record(self, action: str, subject: str, **detail: Any) -> None:
        """Leave an audit row in the same commit."""
        self._record(action, subject, "done", detail)

    def record_refusal(self, action: str, subject: str, **detail: Any) -> None:
        """Leave an audit row about what somebody tried and may not, or could not prove."""
        self._record(action, subject, "refused", detail)

    def _record(self, action: str, subject: str, outcome: str, detail: dict[str, Any]) -> None:
        self.insert(
            AuditRow(
                id=new_id(self.now),
                at=self.now,
                actor_id=self.actor.person_id,
                action=action,
                subject=subject,
                session_id=self.actor.session_id,
                address=self.actor.address,
                outcome=outcome,
                detail=detail,
            )
        )

    def owe(self, kind: str, subject: str, *, due_in_ms: int, **data: Any) -> None:
        """Remember that people may have to be told of `subject`, to be looked at when due; what is
        remembered already, and due no later, stands."""
        due_at = Millis(self.now + due_in_ms)
        owed = Owed(
            id=f"{kind}:{subject}",
            kind=kind,
            subject=subject,
            at=self.now,
            due_at=due_at,
            data=data,
        )
        self._ops.append(Sooner(Owed.collection.name, to_doc(owed), "due_at"))

    def withdraw(self, kind: str, subject: str) -> None:
        """A subject is over: what phones show of it is changed or taken back."""
        row = Withdrawal(
            id=f"{kind}:{subject}", kind=kind, subject=subject, over_at=self.now, at=self.now
        )
        self.overwrite(row)

    def post(self, word: Callable[[Millis], Append]) -> None:
        """Tell every node something it has to take to heart (see `server.nodes.bulletin`)."""
        self._ops.append(word(self.now))

    def disconnect(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None = None
    ) -> None:
        """End a person's connections after the commit."""
        self._closings.append((person_id, reason, session_ids))

    def afterwards(self, action: Callable[[], None]) -> None:
        """Call a quick function of this process after the commit (refresh a cache)."""
        self._afterwards.append(action)

    # Committing

    async def commit(self, publisher: Publisher) -> None:
        """Store everything, then announce it. Raises what `Store.apply` raises but Repeated."""
        if not self._ops:
            self._announce(publisher, ())
            return
        try:
            await self.store.apply(
                *self._ops, then=lambda stored: self._announce(publisher, stored)
            )
        except Repeated as repeated:
            self._repeat(repeated)

    def submit(self, publisher: Publisher, done: Callable[[], None], failed: Failure) -> None:
        """`commit` for a caller that does not wait: one of the two is called, later."""

        def then(stored: Sequence[Doc | None]) -> None:
            try:
                self._announce(publisher, stored)
            finally:
                done()

        def otherwise(fault: Exception) -> None:
            if not isinstance(fault, Repeated):
                failed(fault)
                return
            try:
                self._repeat(fault)
            except Refused as refused:
                failed(refused)
            else:
                done()

        self.store.submit(*self._ops, then=then, failed=otherwise)

    def _repeat(self, repeated: Repeated) -> None:
        for _, entry in self._entries:
            if entry.op.idem == repeated.entry["idem"]:
                entry.repeat(repeated.entry)

    def _announce(self, publisher: Publisher, stored: Sequence[Doc | None]) -> None:
        publications: list[Publication] = []
        for place, entry in self._entries:
            doc = stored[place]
            assert doc is not None, "an append stores its entry"
            publication = entry.publication(doc)
            if publications and publication.completes(publications[-1]):
                publications[-1] = laid_over(publications[-1], publication)
            else:
                publications.append(publication)
        publications.extend(self._ephemeral)
        if publications:
            publisher.publish(publications)
        for action in self._afterwards:
            action()
        for person_id, reason, session_ids in self._closings:
            publisher.disconnect(person_id, reason, session_ids=session_ids)
