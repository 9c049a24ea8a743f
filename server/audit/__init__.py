"""The record of who did what: rows written in the same commit as the act, and never changed.

A message is its own record. Everything else that changes something leaves a row here. The rows hold no
message text and no secrets.
"""

from typing import Any, ClassVar

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class AuditRow(Document, frozen=True):
    """One act. `action` is `<feature>.<what>`, `subject` the id of what it was done to."""

    collection: ClassVar[Collection] = Collection(
        "audit",
        indexes=(
            Index("at", ("at",)),
            Index("actor", ("actor_id", "at")),
            Index("subject", ("subject", "at")),
        ),
    )

    at: Millis
    actor_id: str
    action: str
    subject: str
    session_id: str = ""
    address: str = ""
    outcome: str = "done"
    detail: dict[str, Any] = {}
