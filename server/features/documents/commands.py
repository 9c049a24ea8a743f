"""What a person may do with a whole document."""

from server.errors import Unavailable
from server.features.documents.protocol import (
    Act,
    Acted,
    CopiesRead,
    ListOpinions,
    OpenDocument,
    OpenedCard,
    Opinions,
    ReadCopies,
)
from server.work import UnitOfWork


async def open_document(command: OpenDocument, work: UnitOfWork) -> OpenedCard:
    raise Unavailable("not there yet")


async def list_opinions(command: ListOpinions, work: UnitOfWork) -> Opinions:
    raise Unavailable("not there yet")


async def act(command: Act, work: UnitOfWork) -> Acted:
    raise Unavailable("not there yet")


async def mark_read(command: ReadCopies, work: UnitOfWork) -> CopiesRead:
    raise Unavailable("not there yet")
