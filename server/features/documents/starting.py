"""Starting documents."""

from server.errors import Unavailable
from server.features.documents.protocol import (
    BlankCard,
    DraftKept,
    KeepDraft,
    Kinds,
    ListKinds,
    OpenBlank,
    Start,
    Started,
)
from server.work import UnitOfWork


async def list_kinds(command: ListKinds, work: UnitOfWork) -> Kinds:
    raise Unavailable("not there yet")


async def open_blank(command: OpenBlank, work: UnitOfWork) -> BlankCard:
    raise Unavailable("not there yet")


async def keep_draft(command: KeepDraft, work: UnitOfWork) -> DraftKept:
    raise Unavailable("not there yet")


async def start(command: Start, work: UnitOfWork) -> Started:
    raise Unavailable("not there yet")
