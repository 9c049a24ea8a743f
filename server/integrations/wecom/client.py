"""WeCom's HTTP interface: wechatpy's knowledge of endpoints, none of its network code.

wechatpy is synchronous, repeats a dead token without limit and lets `gettoken` hang; it also knows
a hundred endpoints we would rather not write down again. So its client is subclassed and its one
road to the network, `_request`, becomes a coroutine on aiohttp: the methods stay as they are and
are awaited. The few that look into the un-awaited answer or go to the network by themselves are
closed (`CLOSED`), and what is inherited of `requests` raises when touched.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import aiohttp
from wechatpy.enterprise import WeChatClient

from server.clock import Clock, SystemClock
from server.integrations.wecom import UNLICENSED, UNREACHABLE, Sent
from server.integrations.wecom.config import WeComConfig
from server.integrations.wecom.exchange import exchange
from server.integrations.wecom.failures import DEAD_TOKEN, TOO_OFTEN, failure, named
from server.integrations.wecom.textcard import recipients
from server.integrations.wecom.token import AccessToken, TokenStore

MINUTE_RULE_S: Final = 60.0
HOUR_RULE_S: Final = 3_600.0
MINUTES_BEFORE_THE_HOUR: Final = 3

CLOSED: Final = (
    "agent.list",
    "appchat.get",
    "chat.get",
    "department.get",
    "department.get_map_users",
    "department.get_users",
    "external_contact_group_chat.list_all",
    "jsapi.get_agent_jsapi_ticket",
    "jsapi.get_jsapi_ticket",
    "material.get",
    "material.get_url",
    "media.download",
    "media.get_jssdk_url",
    "media.get_url",
    "menu.update",
    "misc.get_wechat_ips",
    "shakearound.get_shake_info",
    "tag.list",
    "user.convert_to_user_id",
    "user.list",
)


class NotOverThisWire(AttributeError):
    """A part of wechatpy that would block the loop or leave it."""


class _NoRequests:
    """Stands where wechatpy keeps its `requests` session."""

    def __getattr__(self, name: str) -> NoReturn:
        raise NotOverThisWire(f"wechatpy reached for requests ({name})")


class WeComClient(WeChatClient):  # type: ignore[misc]
    """The adapter. One per app; the aiohttp session is the caller's, who closes it."""

    def __init__(
        self,
        config: WeComConfig,
        session: aiohttp.ClientSession,
        clock: Clock | None = None,
        tokens: TokenStore | None = None,
    ) -> None:
        clock = clock or SystemClock()
        super().__init__(config.corp_id, secret="", auto_retry=False)
        vars(self)["_http"].close()
        self._http = _NoRequests()
        self.session = _NoRequests()
        self._config = config
        self._wire = session
        self._token = AccessToken(config, session, clock, tokens)
        self._pauses = Pauses(clock)
        for path in CLOSED:
            group, method = path.split(".")
            setattr(getattr(self, group), method, _closed(path))

    def __repr__(self) -> str:
        return f"WeComClient(corp_id={self._config.corp_id!r}, agent_id={self._config.agent_id})"

    async def send(self, request: bytes) -> Sent:
        """Send a notice; see the port's promise."""
        users = recipients(request)
        answer = await self._ask("POST", "message/send", {}, lambda: request)
        self._raise_for(answer, users)
        invalid = named(answer.get("invaliduser"))
        unlicensed = named(answer.get("unlicenseduser"))
        refused = {user: UNLICENSED for user in users if user.lower() in unlicensed}
        refused |= {user: UNREACHABLE for user in users if user.lower() in invalid}
        return Sent(
            str(answer.get("msgid", "")),
            refused,
            response_code=str(answer.get("response_code", "")),
        )

    async def update_card(self, request: bytes) -> None:
        """Change a card; see the port's promise."""
        answer = await self._ask("POST", "message/update_template_card", {}, lambda: request)
        self._raise_for(answer)

    async def recall(self, msgid: str) -> None:
        """Take a message back; see the port's promise."""
        body = json.dumps({"msgid": msgid}).encode()
        self._raise_for(await self._ask("POST", "message/recall", {}, lambda: body))

    async def ask(self, endpoint: str, params: Mapping[str, str]) -> dict[str, Any]:
        """WeCom's answer to a question that wechatpy does not know. Raises WeComError."""
        answer: dict[str, Any] = await self._request("GET", endpoint, params=dict(params))
        return answer

    @property
    def access_token(self) -> NoReturn:
        """Not for hands outside: a token travels only inside `_request`."""
        raise NotOverThisWire("the access token is not handed out")

    def fetch_access_token(self) -> NoReturn:
        raise NotOverThisWire("wechatpy does not fetch tokens here")

    async def _request(self, method: str, url_or_endpoint: str, **options: Any) -> Any:
        """What every method of wechatpy ends in. The answer, or one of the port's errors."""
        if "://" in url_or_endpoint or options.get("api_base_url"):
            raise NotOverThisWire(f"{url_or_endpoint.partition('?')[0]} is another host")
        given = options.get("params") or {}
        params = {name: _text(value) for name, value in given.items() if value is not None}
        body = _body(options.get("data"), options.get("files"))
        answer = await self._ask(method.upper(), url_or_endpoint, params, body)
        self._raise_for(answer)
        process = options.get("result_processor")
        return process(answer) if process else answer

    async def answer(self, endpoint: str, request: bytes) -> dict[str, Any]:
        """WeCom's answer to these bytes, for whoever judges its errcode and pauses by itself."""
        return await self._ask("POST", endpoint, {}, lambda: request)

    async def _ask(
        self,
        method: str,
        endpoint: str,
        params: Mapping[str, str],
        body: Callable[[], bytes | aiohttp.FormData | None],
    ) -> dict[str, Any]:
        """Ask with the token; when it turns out to be dead, once more with another."""
        token = await self._token.current()
        answer = await self._ask_with(token.value, method, endpoint, params, body)
        if answer["errcode"] in DEAD_TOKEN:
            token = await self._token.current(dead=token)
            answer = await self._ask_with(token.value, method, endpoint, params, body)
        return answer

    async def _ask_with(
        self,
        token: str,
        method: str,
        endpoint: str,
        params: Mapping[str, str],
        body: Callable[[], bytes | aiohttp.FormData | None],
    ) -> dict[str, Any]:
        with_token = {**params, "access_token": token}
        return await exchange(self._wire, self._config, method, endpoint, with_token, body())

    def _raise_for(self, answer: Mapping[str, Any], users: tuple[str, ...] = ()) -> None:
        code: int = answer["errcode"]
        if code == 0:
            self._pauses.end()
            return
        pause_s = self._pauses.begin() if code == TOO_OFTEN else 0.0
        raise failure(code, answer, users, pause_s)


class Pauses:
    """How long to keep quiet after "too often".

    WeCom says the same whether the rule of the minute (60 s) or of the hour (60 min) was broken.
    A minute is tried first; when three of them in a row did not help, it was the hour.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = 0.0
        self._in_a_row = 0

    def begin(self) -> float:
        """Seconds to wait from now. Calls that were in flight together share one pause."""
        now = self._clock.monotonic()
        if now >= self._until:
            self._in_a_row += 1
            hour = self._in_a_row > MINUTES_BEFORE_THE_HOUR
            self._until = now + (HOUR_RULE_S if hour else MINUTE_RULE_S)
        return self._until - now

    def end(self) -> None:
        """A call got through."""
        if self._in_a_row and self._clock.monotonic() >= self._until:
            self._in_a_row = 0


def _closed(path: str) -> Callable[..., NoReturn]:
    def refuse(*args: object, **options: object) -> NoReturn:
        raise NotOverThisWire(f"{path} does not work over this client")

    return refuse


def _text(value: object) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else str(value)


def _body(data: Any, files: Any) -> Callable[[], bytes | aiohttp.FormData | None]:
    """A maker of bodies, so that a second try sends the whole of an upload again."""
    if files:
        parts = [(name, *_upload(part)) for name, part in files.items()]

        def form() -> aiohttp.FormData:
            made = aiohttp.FormData()
            for name, filename, content in parts:
                made.add_field(name, content, filename=filename)
            return made

        return form
    content = data
    if isinstance(data, dict):
        content = json.dumps(data, ensure_ascii=False).encode()
    elif isinstance(data, str):
        content = data.encode()
    return lambda: content


def _upload(part: Any) -> tuple[str, bytes]:
    """File name and bytes of what wechatpy calls a file: bytes, (name, bytes), or a file object."""
    name, content = part[:2] if isinstance(part, tuple) else (getattr(part, "name", "file"), part)
    return str(name).rpartition("/")[2], content if isinstance(content, bytes) else content.read()
