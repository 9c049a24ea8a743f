"""WeCom as it calls: messages sealed with the token and key of a test's house, whole or broken."""

import secrets
from typing import Any
from xml.sax.saxutils import escape

from server.clock import Clock
from server.integrations.wecom.crypto import CallbackCipher
from server.integrations.wecom.envelope import encrypted_part, read_flat
from tests.server.house import Answer, House

TOKEN, KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CORP = "wwcorp"
SETTINGS: dict[str, Any] = {
    "wecom_callback_token": TOKEN,
    "wecom_callback_aes_key": KEY,
    "wecom_corp_id": CORP,
}
ADDRESS = "/wecom/callback"


def message(user: str = "s0001", **fields: str) -> str:
    """What WeCom seals: flat XML of these fields."""
    told = {
        "ToUserName": CORP,
        "FromUserName": user,
        "CreateTime": "1767600000",
        "AgentID": "1000002",
        **fields,
    }
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
    return f"<xml>{inner}</xml>"


def typed(text: str, user: str = "s0001", message_id: str = "") -> str:
    return message(user, MsgType="text", Content=text, MsgId=message_id or secrets.token_hex(8))


def event(name: str, user: str = "s0001", **fields: str) -> str:
    return message(user, MsgType="event", Event=name, **fields)


class Caller:
    """Knows what WeCom knows of a house."""

    def __init__(self, house: House, clock: Clock, corp: str = CORP) -> None:
        self.house, self.clock = house, clock
        self.cipher = CallbackCipher(TOKEN, KEY, corp)

    def sealed(self, xml: str | bytes) -> tuple[dict[str, str], bytes]:
        """The query and the body of a call."""
        at = str(self.clock.now() // 1000)
        said = xml.encode() if isinstance(xml, str) else xml
        envelope = self.cipher.seal(said, at, secrets.token_hex(5))
        query = {
            "msg_signature": envelope.signature,
            "timestamp": envelope.timestamp,
            "nonce": envelope.nonce,
        }
        body = (
            f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
            f"<AgentID><![CDATA[1000002]]></AgentID>"
            f"<Encrypt><![CDATA[{envelope.encrypted}]]></Encrypt></xml>"
        )
        return query, body.encode()

    async def send(self, query: dict[str, str], body: bytes) -> Answer:
        """A POST as it is."""
        async with self.house.http.post(
            f"{self.house.url}{ADDRESS}", params=query, data=body
        ) as said:
            return Answer(said.status, said.headers, await said.text(errors="replace"), None)

    async def call(self, xml: str | bytes) -> Answer:
        """A callback; what was answered."""
        return await self.send(*self.sealed(xml))

    def opened(self, answer: Answer) -> str:
        """What a sealed answer says."""
        parts = read_flat(answer.text.encode())
        encrypted = encrypted_part(answer.text.encode())
        return self.cipher.open(
            encrypted,
            parts["MsgSignature"],
            parts["TimeStamp"],
            parts["Nonce"],
            self.clock.now() / 1000,
        ).decode()
