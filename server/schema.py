"""Every collection the product keeps, declared by the parts that own them."""

from collections.abc import Sequence

from server import directory, nodes
from server.acting.copies import Copy
from server.acting.documents import Act
from server.acting.endings import Ending
from server.audit import AuditRow
from server.auth import Credential, Session
from server.feature import Feature
from server.notify.state import SenderState
from server.notify.wishes import Wishes
from server.outbox import DOCUMENTS as OUTBOX
from server.storage import Collection, Store
from server.storage.document import Document
from server.work import LOG


def collections(features: Sequence[Feature]) -> list[Collection]:
    """All of them, the floor's first."""
    floor: list[type[Document]] = [AuditRow, *OUTBOX, Wishes, SenderState, Act, Copy, Ending]
    floor += [Credential, Session]
    floor += directory.DOCUMENTS
    documents = [*floor, *(document for feature in features for document in feature.documents)]
    return [LOG, *nodes.COLLECTIONS, *(document.collection for document in documents)]


async def declare(store: Store, features: Sequence[Feature]) -> None:
    """Make the store know every collection. Repeatable."""
    for collection in collections(features):
        await store.ensure(collection)
