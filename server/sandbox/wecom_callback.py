"""The stand-in calling back: sealed as WeCom seals, at most three tries of five seconds each.

The cipher is written down here a second time on purpose: two who agree by sharing code prove nothing. What
is to be called is on disk before anybody is answered (`wecom_cards.py`), so that a kill of the stand-in
loses no press. A task owned by `running` sends, one call after another, as one phone after another acts.
"""

import asyncio
import base64
import hashlib
import logging
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import aiohttp
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from server.clock import Clock
from server.sandbox.wecom_cards import Calling, CardState

TRIES: Final = 3
TRY_S: Final = 5.0
BETWEEN_S: Final = 1.0
AT_ONCE: Final = 8
_BLOCK_BITS: Final = 256
log = logging.getLogger(__name__)


class Seal:
    """Seals for one app, and opens what it answers."""

    def __init__(self, token: str, aes_key: str, corp_id: str) -> None:
        self._token, self._corp_id = token, corp_id
        self._key = base64.b64decode(aes_key + "=")

    def sealed(self, said: str, at: int, *, receive_id: str = "") -> tuple[dict[str, str], str]:
        """The query that proves it, and the base64 text."""
        message = said.encode()
        plain = os.urandom(16) + len(message).to_bytes(4, "big") + message
        padder = padding.PKCS7(_BLOCK_BITS).padder()
        padded = padder.update(plain + (receive_id or self._corp_id).encode()) + padder.finalize()
        encryptor = self._cipher().encryptor()
        text = base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
        nonce, timestamp = secrets.token_hex(5), str(at // 1000)
        return {
            "msg_signature": self._signature(timestamp, nonce, text),
            "timestamp": timestamp,
            "nonce": nonce,
        }, text

    def opened(self, text: str, signature: str, timestamp: str, nonce: str) -> str:
        """What an answer says. Raises ValueError."""
        if signature != self._signature(timestamp, nonce, text):
            raise ValueError("the answer's signature is wrong")
        decryptor = self._cipher().decryptor()
        padded = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        plain = unpadder.update(padded) + unpadder.finalize()
        length = int.from_bytes(plain[16:20], "big")
        if plain[20 + length :].decode() != self._corp_id:
            raise ValueError("the answer is for somebody else")
        return plain[20 : 20 + length].decode()

    def _signature(self, *parts: str) -> str:
        joined = "".join(sorted((self._token, *parts)))
        return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


class Caller:
    """Calls the product back. `url` empty: nobody has set a callback up."""

    def __init__(
        self,
        state: CardState,
        clock: Clock,
        url: str,
        seal: Seal | None,
        corp_id: str,
        agent_id: int,
        *,
        try_s: float = TRY_S,
        between_s: float = BETWEEN_S,
    ) -> None:
        self._state, self._clock = state, clock
        self.url, self._seal = url, seal
        self._corp_id, self._agent_id = corp_id, agent_id
        self._try_s, self._between_s = try_s, between_s
        self._more = asyncio.Event()

    @property
    def is_set_up(self) -> bool:
        """Whether the app may send cards with buttons."""
        return bool(self.url and self._seal)

    def call(self, user: str, fields: dict[str, str], **how: Any) -> int:
        """Have it called; its number. It is on disk when this returns."""
        now = self._clock.now()
        told = {
            "ToUserName": self._corp_id,
            "FromUserName": user,
            "CreateTime": str(now // 1000),
            **fields,
        }
        if fields.get("Event") != "change_contact":
            told["AgentID"] = str(self._agent_id)
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
        number = self._state.call(user, f"<xml>{inner}</xml>", how, now)
        self._more.set()
        return number

    async def check(self) -> tuple[int, bool]:
        """What the console does when the address is entered: the status, and whether the echo is right."""
        if self._seal is None or not self.url:
            return 0, False
        echo = str(secrets.randbelow(10**19))
        query, text = self._seal.sealed(echo, self._clock.now())
        address = f"{self.url}?{urlencode({**query, 'echostr': text})}"
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.get(address, timeout=aiohttp.ClientTimeout(total=self._try_s)) as said,
            ):
                return said.status, await said.read() == echo.encode()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Call back while the context lasts; what is left is called after the next start."""
        task = asyncio.create_task(self._run(), name="wecom callbacks")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                self._more.clear()
                waiting = self._state.calls_waiting(AT_ONCE)
                if self._seal is None or not self.url or not waiting:
                    await self._more.wait()
                    continue
                await asyncio.gather(*(self._carry(http, self._seal, each) for each in waiting))

    async def _carry(self, http: aiohttp.ClientSession, seal: Seal, calling: Calling) -> None:
        """All tries of one call, and as many deliveries of it as the test wants."""
        for _ in range(int(calling.how.get("times", 1))):
            for number in range(TRIES):
                if number:
                    await asyncio.sleep(self._between_s)
                status, answer = await self._try(http, seal, calling)
                self._state.tried(calling.number, status, self._clock.now())
                if status == 200:
                    self._show(seal, calling, answer)
                    break
        self._state.called(calling.number)

    async def _try(
        self, http: aiohttp.ClientSession, seal: Seal, calling: Calling
    ) -> tuple[int, bytes]:
        """One try; status 0 when there was no answer."""
        wrong = calling.how.get("wrong")
        query, text = seal.sealed(
            calling.body,
            self._clock.now(),
            receive_id="wwsomebodyelse" if wrong == "receive_id" else "",
        )
        if wrong == "signature":
            query["msg_signature"] = query["msg_signature"][::-1]
        body = (
            f"<xml><ToUserName><![CDATA[{self._corp_id}]]></ToUserName>"
            f"<AgentID><![CDATA[{self._agent_id}]]></AgentID>"
            f"<Encrypt><![CDATA[{text}]]></Encrypt></xml>"
        )
        timeout = aiohttp.ClientTimeout(total=self._try_s)
        try:
            async with http.post(
                self.url, params=query, data=body.encode(), timeout=timeout
            ) as said:
                return said.status, await said.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, b""

    def _show(self, seal: Seal, calling: Calling, answer: bytes) -> None:
        """A sealed sentence in the answer is shown on the phone."""
        if not answer or answer == b"success":
            return
        try:
            text = said_in(seal, answer.decode())
        except (ValueError, IndexError):
            log.warning("the answer to a callback is not sealed as it should be")
            return
        self._state.replied(calling.user, text, self._clock.now())


def said_in(seal: Seal, answer: str) -> str:
    """The text of a sealed answer. Raises ValueError or IndexError."""
    parts = (_part(answer, name) for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce"))
    return _part(seal.opened(*parts), "Content")


def _part(xml: str, name: str) -> str:
    inside = xml.split(f"<{name}>", 1)[1].split(f"</{name}>", 1)[0]
    return inside.removeprefix("<![CDATA[").removesuffix("]]>")
