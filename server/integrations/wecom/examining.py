"""The connection to WeCom, tried step by step: settings, secret, this server's address, scope, callback.

`gettoken` works from any address, so "the token is good" proves little; `agent/get` is the call that fails
with 60020 when this server is not trusted. The token is asked for anew: one that was fetched before
the secret was changed would still work for two hours.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp

from server.clock import Millis
from server.integrations.wecom import WeComError
from server.integrations.wecom.config import WeComConfig
from server.integrations.wecom.desk import Finding, Step, TokenState
from server.integrations.wecom.exchange import exchange
from server.integrations.wecom.failures import failure
from server.integrations.wecom.token import TokenStore

LastHeard = Callable[[], Awaitable[Millis | None]]
"""When WeCom last called back, if it ever did."""

NOT_IN_SCOPE: Final = frozenset({60011, 60111, 46004, 40003})


class Examining:
    """Keeps the promise of `WeComDesk`. The session is the caller's."""

    def __init__(
        self,
        config: WeComConfig,
        session: aiohttp.ClientSession,
        tokens: TokenStore,
        *,
        has_callback: bool,
        last_heard: LastHeard | None = None,
    ) -> None:
        self._config = config
        self._session = session
        self._tokens = tokens
        self._has_callback = has_callback
        self._last_heard = last_heard

    async def examine(self, wecom_user: str | None) -> list[Finding]:
        found = [self._settings()]
        if found[0].found == "good":
            found += await self._connection(wecom_user)
        return [*found, await self._callback()]

    def _settings(self) -> Finding:
        needed = {
            "WECOM_API_BASE": self._config.api_base,
            "WECOM_CORP_ID": self._config.corp_id,
            "WECOM_SECRET": self._config.secret,
        }
        missing = ", ".join(f"YUANXIN_{name}" for name, value in needed.items() if not value)
        return Finding("settings", "bad" if missing else "good", detail=missing)

    async def _connection(self, wecom_user: str | None) -> list[Finding]:
        secret = {"corpid": self._config.corp_id, "corpsecret": self._config.secret}
        answer, finding = await self._asked("secret", "gettoken", secret)
        if answer is None:
            return [finding]
        found = [finding]
        token = {"access_token": str(answer.get("access_token", ""))}
        agent = {"agentid": str(self._config.agent_id), **token}
        answer, finding = await self._asked("address", "agent/get", agent)
        found.append(finding)
        if answer is not None:
            found.append(await self._scope(answer, token, wecom_user))
        return found

    async def _scope(
        self, agent: Mapping[str, Any], token: Mapping[str, str], wecom_user: str | None
    ) -> Finding:
        if agent.get("close") == 1:
            return Finding("scope", "bad", 50003)
        if wecom_user is None:
            return Finding("scope", "unknown")
        answer, finding = await self._asked("scope", "user/get", {"userid": wecom_user, **token})
        if answer is None and finding.code in NOT_IN_SCOPE:
            return Finding("scope", "bad", finding.code, wecom_user)
        return finding

    async def _asked(
        self, step: Step, endpoint: str, params: Mapping[str, str]
    ) -> tuple[dict[str, Any] | None, Finding]:
        try:
            answer = await exchange(self._session, self._config, "GET", endpoint, params)
            if answer["errcode"] != 0:
                raise failure(answer["errcode"], answer)
        except WeComError as fault:
            return None, Finding(step, "bad", fault.code or 0, fault.reason)
        return answer, Finding(step, "good")

    async def _callback(self) -> Finding:
        if not self._has_callback:
            names = "YUANXIN_WECOM_CALLBACK_TOKEN, YUANXIN_WECOM_CALLBACK_AES_KEY"
            return Finding("callback", "bad", detail=names)
        heard_at = None if self._last_heard is None else await self._last_heard()
        if heard_at is None:
            return Finding("callback", "unknown")
        return Finding("callback", "good", detail=str(heard_at))

    async def token(self) -> TokenState | None:
        kept = await self._tokens.get((self._config.corp_id, self._config.agent_id))
        return None if kept is None else TokenState(kept.fetched_at, kept.expires_at)
