"""Whose a WeCom id is, and who says so of himself and has yet to prove it."""

from typing import ClassVar, Literal

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document

How = Literal["listed", "account", "code", "password", "shown"]
"""By the staff list, by being the account's name, by a code on the phone, by the password, by what the
member has shown in WeCom: phone number or company mail."""


def bound_as(wecom_user_id: str) -> str:
    """The id of a WeCom id's documents: WeCom does not tell capitals apart."""
    return wecom_user_id.casefold()


class Binding(Document, frozen=True):
    """Whose a WeCom id is; the id is `bound_as` of it.

    Without a person it was taken away by an administrator: then it is nobody's, whatever the staff list
    says, until somebody proves that it is his.
    """

    collection: ClassVar[Collection] = Collection(
        "wecom_bindings", indexes=(Index("person", ("person_id",), unique=True, sparse=True),)
    )

    person_id: str = ""
    how: How = "listed"
    bound_at: Millis = Millis(0)
    taken_away_at: Millis | None = None


class Claim(Document, frozen=True):
    """Somebody WeCom vouches for, whom we do not know yet; the id is `bound_as` of the WeCom id, so that
    there is one at a time.

    `token_hash` ties it to the browser that came. `code_hash` is of the code and that token together, so
    that whoever reads the store cannot try a million codes on it.
    """

    collection: ClassVar[Collection] = Collection(
        "wecom_claims", indexes=(Index("expires", ("expires_at",)),)
    )

    wecom_user_id: str
    token_hash: str
    target: str
    expires_at: Millis
    person_id: str = ""
    code_hash: str = ""
    code_expires_at: Millis = Millis(0)
    code_sent_at: Millis = Millis(0)
    tries: int = 0
    has_shown: bool = False
    """The member has shown phone and mail in WeCom, and nobody here was known by them."""
