"""The house over WeCom's HTTP interface: the adapter of `Host`, on the client that sends notices too."""

import json
import secrets
from typing import Any, Final
from urllib.parse import urlencode

from server.clock import Clock
from server.integrations.wecom import Misconfigured, Retry
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from server.integrations.wecom.host import Level, Shown, Signature, Visitor
from server.integrations.wecom.script import ScriptTickets, signature

DOOR: Final = "https://open.weixin.qq.com/connect/oauth2/authorize"
PICTURE: Final = "https://login.work.weixin.qq.com/wwlogin/sso/login"
LONGEST_CODE: Final = 512


class WeComHost:
    """One app; without a client there is no house, and whatever is asked of it is Misconfigured."""

    def __init__(
        self,
        config: WeComConfig,
        client: WeComClient | None,
        clock: Clock,
        *,
        door: str = "",
        picture: str = "",
    ) -> None:
        self.corp_id = config.corp_id
        self.agent_id = config.agent_id
        self._client = client
        self._clock = clock
        self._door = door or DOOR
        self._picture = picture or PICTURE
        self._tickets = ScriptTickets(self._ask, clock)

    @property
    def is_there(self) -> bool:
        """Whether a WeCom is set."""
        return self._client is not None

    def door(self, back: str, state: str, *, asks: bool) -> str:
        """The order of the fields and the end are WeCom's."""
        query = urlencode(
            {
                "appid": self.corp_id,
                "redirect_uri": back,
                "response_type": "code",
                "scope": "snsapi_privateinfo" if asks else "snsapi_base",
                "state": state,
                "agentid": self.agent_id,
            }
        )
        return f"{self._door}?{query}#wechat_redirect"

    def picture(self, back: str, state: str) -> str:
        """WeCom's own page with the picture."""
        query = urlencode(
            {
                "login_type": "CorpApp",
                "appid": self.corp_id,
                "agentid": self.agent_id,
                "redirect_uri": back,
                "state": state,
            }
        )
        return f"{self._picture}?{query}"

    async def visitor(self, code: str) -> Visitor:
        answer = await self._ask("auth/getuserinfo", {"code": code[: LONGEST_CODE + 1]})
        user_id, ticket = answer.get("userid", ""), answer.get("user_ticket", "")
        if not isinstance(user_id, str) or not isinstance(ticket, str):
            raise Retry("WeCom's answer names nobody")
        return Visitor(user_id, ticket)

    async def shown(self, ticket: str) -> Shown:
        if self._client is None:
            raise Misconfigured("no WeCom is set")
        request = json.dumps({"user_ticket": ticket}).encode()
        answer = await self._client.answer("auth/getuserdetail", request)
        facts = [answer.get(name, "") for name in ("userid", "mobile", "biz_mail")]
        if not all(isinstance(fact, str) for fact in facts):
            raise Retry("WeCom's answer shows nobody")
        return Shown(*facts)

    async def sign(self, level: Level, page: str) -> Signature:
        ticket = await self._tickets.current(level)
        nonce, timestamp = secrets.token_hex(8), self._clock.now() // 1000
        return Signature(timestamp, nonce, signature(ticket, nonce, timestamp, page))

    async def _ask(self, endpoint: str, params: Any) -> dict[str, Any]:
        if self._client is None:
            raise Misconfigured("no WeCom is set")
        return await self._client.ask(endpoint, params)
