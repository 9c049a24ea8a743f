"""The door by which WeCom comes in: one address, signed and encrypted, answered after the commit.

In this order: a bound on the body, the signature, the age, the cipher, whom it is for, and only then what it
says. Whatever fails before is refused with 400 or 403 and leaves nothing; whatever opens is answered with
200, understood or not. Only a store that cannot take it answers 503, so that WeCom sends it again.
"""

import asyncio
import logging
import secrets
from typing import Final

from aiohttp import web

from server.auth.sessions import Sessions
from server.clock import Clock
from server.directory import Directory
from server.errors import NotFound, Unavailable
from server.features.wecom.accepting import Accepting, Fields
from server.http.answers import body_of
from server.integrations.wecom.crypto import BadCallback, CallbackCipher
from server.integrations.wecom.envelope import encrypted_part, read_flat
from server.settings import BadSetting, Settings
from server.work import SystemWork

ADDRESS: Final = "/wecom/callback"
STORED_WITHIN_S: Final = 3.0
"""WeCom hangs up after five; what was stored late is known when it comes again."""
LOG_EVERY_S: Final = 60.0
_FORBIDDEN: Final = frozenset({"signature", "age", "receive_id"})
_REPLY: Final = (
    "<xml><ToUserName><![CDATA[{user}]]></ToUserName><FromUserName><![CDATA[{corp}]]></FromUserName>"
    "<CreateTime>{at}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[{text}]]></Content></xml>"
)
log = logging.getLogger(__name__)


def cipher_of(settings: Settings) -> CallbackCipher | None:
    """What opens callbacks; None when there is no token and key. Raises BadSetting."""
    token, key = settings.wecom_callback_token, settings.wecom_callback_aes_key
    if not token and not key:
        return None
    try:
        return CallbackCipher(token, key, settings.wecom_corp_id, settings.wecom_callback_max_age)
    except ValueError as fault:
        raise BadSetting(f"YUANXIN_WECOM_CALLBACK_TOKEN and _AES_KEY: {fault}") from None


class Door:
    """Lets in what is WeCom's."""

    def __init__(self, cipher: CallbackCipher | None, clock: Clock, accepting: Accepting) -> None:
        self._cipher = cipher
        self._clock = clock
        self._accepting = accepting
        self._logged_at = float("-inf")

    async def verify(self, request: web.Request) -> web.Response:
        """GET: WeCom's console asks whether we can read it."""
        cipher = self._opener()
        try:
            said = self._open(cipher, request, request.query.get("echostr", ""))
        except BadCallback as bad:
            return self._refuse(bad)
        # Bare bytes: WeCom compares them.
        return web.Response(body=said, content_type="text/plain")

    async def take(self, request: web.Request) -> web.Response:
        """POST: somebody wrote, pressed, came or went."""
        cipher = self._opener()
        try:
            fields = read_message(
                self._open(cipher, request, encrypted_part(await body_of(request)))
            )
        except BadCallback as bad:
            return self._refuse(bad)
        try:
            async with asyncio.timeout(STORED_WITHIN_S):
                sentence = await self._accepting.take(fields)
        except TimeoutError:
            raise Unavailable("the store is too slow now; send it again") from None
        return self._reply(cipher, fields, sentence) if sentence else web.Response()

    def _opener(self) -> CallbackCipher:
        if self._cipher is None:
            raise NotFound(
                "no callback is set up; give it YUANXIN_WECOM_CALLBACK_TOKEN and _AES_KEY"
            )
        return self._cipher

    def _open(self, cipher: CallbackCipher, request: web.Request, encrypted: str) -> bytes:
        given = request.query
        return cipher.open(
            encrypted,
            given.get("msg_signature", ""),
            given.get("timestamp", ""),
            given.get("nonce", ""),
            self._clock.now() / 1000,
        )

    def _reply(self, cipher: CallbackCipher, fields: Fields, text: str) -> web.Response:
        """A sentence in the answer itself, sealed as WeCom's messages are."""
        at, user = str(self._clock.now() // 1000), fields.get("FromUserName", "")
        said = _REPLY.format(user=user, corp=cipher.receive_id, at=at, text=text)
        envelope = cipher.seal(said.encode(), at, secrets.token_hex(8))
        return web.Response(text=envelope.xml(), content_type="text/xml")

    def _refuse(self, bad: BadCallback) -> web.Response:
        now = self._clock.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            log.warning("a callback was not let in", extra={"why": bad.fault})
        status = 403 if bad.fault in _FORBIDDEN else 400
        return web.Response(status=status, text="refused", content_type="text/plain")


def read_message(opened: bytes) -> Fields:
    """The fields of what was opened; none when it is nothing we can read, which is not its sender's
    fault."""
    try:
        return read_flat(opened)
    except BadCallback:
        return {}


def add_routes(
    app: web.Application,
    settings: Settings,
    clock: Clock,
    system: SystemWork,
    directory: Directory,
    sessions: Sessions,
) -> None:
    """Open the door. Raises BadSetting for a key that cannot be one."""
    door = Door(cipher_of(settings), clock, Accepting(system, clock, directory, sessions))
    app.router.add_get(ADDRESS, door.verify, allow_head=False)
    app.router.add_post(ADDRESS, door.take)
