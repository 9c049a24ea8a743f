"""Sealed notes: what a page was shown, given into its keeping, and believed again when it comes back.

The OA does not ask who reads on in a log or fetches a file, so we have to: only who was shown a document has
its seals. A note names the person and the session it was given to and ends after a while; whoever opens one
asks whether that session still stands. What is in it can be read by its holder, so no address of the OA and
no id of a person there is ever put in.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Generic, TypeVar

import msgspec

from server.auth import Actor
from server.clock import Clock, Millis
from server.features.documents.documents import SealKey
from server.storage import Duplicate, Insert, Store
from server.storage.document import from_doc, to_doc

KEY_ID: Final = "seals"
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 16
LONGEST: Final = 2_000


class FileNote(msgspec.Struct, frozen=True, tag="f", array_like=True):
    """A file of a document that was shown."""

    request_id: str
    attachment_id: str
    name: str


class LogNote(msgspec.Struct, frozen=True, tag="l", array_like=True):
    """A place in the log of a document that was shown."""

    request_id: str
    workflow_id: str
    more_before: str


N = TypeVar("N", FileNote, LogNote)


class Sealed(msgspec.Struct, Generic[N], frozen=True, array_like=True):
    """A note, whose it is, and until when."""

    note: N
    person_id: str
    session_id: str
    until: Millis


class Seals:
    """Gives notes and reads them."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def seal(self, note: FileNote | LogNote, actor: Actor, lasts_ms: int) -> str:
        """A note for this person on this device."""
        until = Millis(self._clock.now() + lasts_ms)
        body = msgspec.json.encode(Sealed(note, actor.person_id, actor.session_id, until))
        return _text(body) + "." + _text(self._signature(body))

    def read(self, kind: type[N], token: str) -> Sealed[N] | None:
        """What was sealed; None when it is not ours, of another kind, or over."""
        text, _, signature = token.partition(".")
        if len(token) > LONGEST:
            return None
        try:
            body = _bytes(text)
            if not hmac.compare_digest(_bytes(signature), self._signature(body)):
                return None
            sealed: Sealed[N] = msgspec.json.decode(body, type=Sealed[kind])  # type: ignore[valid-type]
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return None
        return sealed if self._clock.now() < sealed.until else None

    def _signature(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).digest()[:SIGNATURE_BYTES]


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


@asynccontextmanager
async def sealing(store: Store, clock: Clock) -> AsyncIterator[Seals]:
    """With the key that all nodes have in common."""
    mine = SealKey(id=KEY_ID, key=secrets.token_hex(KEY_BYTES))
    try:
        await store.apply(Insert(SealKey.collection.name, to_doc(mine)))
    except Duplicate:
        kept = await store.get(SealKey.collection.name, KEY_ID)
        assert kept is not None, "a duplicate is there"
        mine = from_doc(SealKey, kept)
    yield Seals(bytes.fromhex(mine.key), clock)
