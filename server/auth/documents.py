"""What is stored about signing in: sessions and password hashes, apart from the people themselves."""

from typing import ClassVar

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class Session(Document, frozen=True):
    """A signed-in person on a device. Of its token only the digest is known.

    It ends when it is revoked, at `expires_at`, or when nothing has been asked under it for the idle
    time. `seen_at` is written at most once a minute. One that began `by_wecom` ends when the person's
    WeCom id is taken away.
    """

    collection: ClassVar[Collection] = Collection(
        "sessions",
        indexes=(
            Index("token", ("token_hash",), unique=True),
            Index("person", ("person_id", "created_at")),
            Index("expires", ("expires_at",)),
        ),
    )

    person_id: str
    token_hash: str
    created_at: Millis
    seen_at: Millis
    expires_at: Millis
    device: str = ""
    address: str = ""
    by_wecom: bool = False
    revoked_at: Millis | None = None


class Credential(Document, frozen=True):
    """A person's password, as a hash; the id is the person's."""

    collection: ClassVar[Collection] = Collection("credentials")

    password_hash: str
    changed_at: Millis
