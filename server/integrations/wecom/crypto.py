"""The callback cipher: what WeCom encrypts for us, and what we answer.

AES-256-CBC with the key's first 16 bytes as IV; 16 random bytes, the length, the message and the
receive id; PKCS#7 to a block of *32*, which a stock 128-bit unpadder gets wrong half of the time.
The signature is a SHA-1 over the sorted parts and is compared in constant time, before anything is
decrypted. WeCom's scheme leaves no choice of algorithm.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK: Final = 32
_PREFIX: Final = 16
_KEY_CHARACTERS: Final = re.compile(r"[A-Za-z0-9]{43}")
_TOKEN_CHARACTERS: Final = re.compile(r"[A-Za-z0-9]{1,32}")


class BadCallback(Exception):
    """Not from WeCom, not for us, or damaged. `fault` is one word; nothing secret in it."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"callback refused: {fault}")
        self.fault = fault


def key_fault(token: str, aes_key: str) -> str | None:
    """Why these two settings cannot be right; None when they can. Asked once, at start."""
    if not _TOKEN_CHARACTERS.fullmatch(token):
        return "the WeCom callback token must be 1 to 32 letters or digits"
    if len(aes_key) != 43:
        return f"the WeCom callback key must have 43 characters, it has {len(aes_key)}"
    if not _KEY_CHARACTERS.fullmatch(aes_key):
        return "the WeCom callback key must be letters and digits only"
    return None


@dataclass(frozen=True, slots=True)
class Envelope:
    """An encrypted reply and what proves it."""

    encrypted: str
    signature: str
    timestamp: str
    nonce: str

    def xml(self) -> str:
        """As WeCom wants it in the body. The parts are base64, hex, digits and our own nonce."""
        return (
            f"<xml><Encrypt><![CDATA[{self.encrypted}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{self.signature}]]></MsgSignature>"
            f"<TimeStamp>{self.timestamp}</TimeStamp><Nonce><![CDATA[{self.nonce}]]></Nonce></xml>"
        )


@dataclass(frozen=True)
class CallbackCipher:
    """Opens and seals callbacks for one receive id (for an app of one's own: the corp id)."""

    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    receive_id: str
    max_age_s: int = 300
    """How old a callback may be, and how far ahead; 0 turns the check off."""

    def __post_init__(self) -> None:
        if fault := key_fault(self.token, self.aes_key):
            raise ValueError(fault)

    def open(
        self, encrypted: str, signature: str, timestamp: str, nonce: str, now_s: float
    ) -> bytes:
        """The message, once everything about it has been found right; else `BadCallback`."""
        expected = self.sign(timestamp, nonce, encrypted)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            raise BadCallback("signature")
        if self.max_age_s and not self._is_recent(timestamp, now_s):
            raise BadCallback("age")
        return self._decrypted(encrypted)

    def seal(
        self, message: bytes, timestamp: str, nonce: str, prefix: bytes | None = None
    ) -> Envelope:
        """An encrypted reply. `prefix` is 16 random bytes, given only to compare with samples."""
        prefix = os.urandom(_PREFIX) if prefix is None else prefix
        plain = prefix + len(message).to_bytes(4, "big") + message + self.receive_id.encode()
        pad = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
        encrypted = base64.b64encode(sealed).decode()
        return Envelope(encrypted, self.sign(timestamp, nonce, encrypted), timestamp, nonce)

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """The proof that whoever made this knows the token."""
        parts = "".join(sorted((self.token, timestamp, nonce, encrypted)))
        return hashlib.sha1(parts.encode(errors="replace"), usedforsecurity=False).hexdigest()

    def _is_recent(self, timestamp: str, now_s: float) -> bool:
        readable = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
        return readable and abs(now_s - int(timestamp)) <= self.max_age_s

    def _decrypted(self, encrypted: str) -> bytes:
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise BadCallback("decrypt") from None
        if not sealed or len(sealed) % 16:
            raise BadCallback("decrypt")
        decryptor = self._cipher().decryptor()
        padded = decryptor.update(sealed) + decryptor.finalize()
        pad = padded[-1]
        if not 1 <= pad <= _BLOCK or padded[-pad:] != bytes([pad]) * pad:
            raise BadCallback("decrypt")
        plain = padded[:-pad]
        length = int.from_bytes(plain[_PREFIX : _PREFIX + 4], "big")
        end = _PREFIX + 4 + length
        if len(plain) < _PREFIX + 4 or end > len(plain):
            raise BadCallback("decrypt")
        if not hmac.compare_digest(plain[end:], self.receive_id.encode()):
            raise BadCallback("receive_id")
        return plain[_PREFIX + 4 : end]

    def _cipher(self) -> Cipher[modes.CBC]:
        # 43 base64 characters carry 258 bits: the last two are not looked at.
        key = base64.b64decode(self.aes_key + "=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
