"""The app's access token: fetched once for everybody, replaced only when it is the one that died.

A token belongs to an app, so the key is (corp id, agent id). Calls for a token are themselves
counted by WeCom, and failing ones block the whole hospital; therefore one fetch at a time, whose
failure everybody waiting shares, a wrong secret is not tried again for a minute, and a server that
kills every token is not asked for new ones without end.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

import aiohttp

from server.clock import Clock, Millis
from server.integrations.wecom import Misconfigured, Retry, WeComError
from server.integrations.wecom.config import WeComConfig
from server.integrations.wecom.exchange import exchange
from server.integrations.wecom.failures import failure

TokenKey = tuple[str, int]

RENEW_WHEN_LEFT_S: Final = 300
MOST_FETCHES_A_MINUTE: Final = 20
WRONG_SETTING_REST_S: Final = 60.0
CLAIM_S: Final = 12.0
"""A node that fetches for all has an answer by then, or never will: a call ends after ten seconds."""
LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when it was and will be."""

    value: str = field(repr=False)
    fetched_at: Millis
    expires_at: Millis

    def is_fresh(self, now: Millis) -> bool:
        """Whether it will last for a while yet; a short-lived one, for half of its life."""
        margin = min(RENEW_WHEN_LEFT_S * 1000, (self.expires_at - self.fetched_at) // 2)
        return now < self.expires_at - margin


class TokenStore(Protocol):
    """Where tokens lie between calls, and who fetches. Losing one costs a fetch, nothing else."""

    async def get(self, key: TokenKey) -> Token | None: ...

    async def put(self, key: TokenKey, token: Token) -> None: ...

    async def claim(self, key: TokenKey) -> bool:
        """Whether the caller is the one to fetch now. Held until `release`, at most `CLAIM_S`."""
        ...

    async def release(self, key: TokenKey) -> None:
        """The fetch is over, well or ill."""
        ...


class MemoryTokens:
    """Tokens of this process."""

    def __init__(self) -> None:
        self._tokens: dict[TokenKey, Token] = {}

    async def get(self, key: TokenKey) -> Token | None:
        return self._tokens.get(key)

    async def put(self, key: TokenKey, token: Token) -> None:
        self._tokens[key] = token

    async def claim(self, key: TokenKey) -> bool:
        return True

    async def release(self, key: TokenKey) -> None:
        """Nobody waits."""


class AccessToken:
    """The token of one app, for every call of this process."""

    def __init__(
        self,
        config: WeComConfig,
        session: aiohttp.ClientSession,
        clock: Clock,
        store: TokenStore | None = None,
    ) -> None:
        self._config = config
        self._session = session
        self._clock = clock
        self._store: TokenStore = store or MemoryTokens()
        self._key = (config.corp_id, config.agent_id)
        self._one_at_a_time = asyncio.Lock()
        self._fetches: deque[float] = deque(maxlen=MOST_FETCHES_A_MINUTE)
        self._failures = 0
        self._failure: WeComError | None = None
        self._rest_until = 0.0

    async def current(self, dead: Token | None = None) -> Token:
        """A token to use now. `dead` is one that WeCom has just refused."""
        seen = self._failures
        async with self._one_at_a_time:
            kept = await self._kept(dead)
            if kept is not None:
                return kept
            shared = self._failures != seen or self._clock.monotonic() < self._rest_until
            if shared and self._failure is not None:
                raise self._failure.with_traceback(None)
            return await self._fetched_here_or_elsewhere(dead)

    async def _kept(self, dead: Token | None) -> Token | None:
        kept = await self._store.get(self._key)
        is_good = kept is not None and kept != dead and kept.is_fresh(self._clock.now())
        return kept if is_good else None

    async def _fetched_here_or_elsewhere(self, dead: Token | None) -> Token:
        """One node fetches for all; whoever waited too long for it fetches as well."""
        until = asyncio.get_running_loop().time() + CLAIM_S
        while not await self._store.claim(self._key):
            await asyncio.sleep(LOOK_S)
            kept = await self._kept(dead)
            if kept is not None:
                return kept
            if asyncio.get_running_loop().time() >= until:
                break
        try:
            # It may have come between looking and claiming.
            return await self._kept(dead) or await self._fetch()
        finally:
            await self._store.release(self._key)

    async def _fetch(self) -> Token:
        self._failure = None
        try:
            token = await self._ask()
        except WeComError as failed:
            self._failures += 1
            self._failure = failed
            if isinstance(failed, Misconfigured):
                self._rest_until = self._clock.monotonic() + WRONG_SETTING_REST_S
            raise
        await self._store.put(self._key, token)
        return token

    async def _ask(self) -> Token:
        now = self._clock.monotonic()
        if len(self._fetches) == MOST_FETCHES_A_MINUTE and now - self._fetches[0] < 60:
            raise Retry("too many tokens were fetched", after=60 - (now - self._fetches[0]))
        self._fetches.append(now)
        asked_at = self._clock.now()
        answer = await exchange(
            self._session,
            self._config,
            "GET",
            "gettoken",
            {"corpid": self._config.corp_id, "corpsecret": self._config.secret},
        )
        if answer["errcode"] != 0:
            raise failure(answer["errcode"], answer)
        value, lifetime_s = answer.get("access_token"), answer.get("expires_in", 7_200)
        if not isinstance(value, str) or not value or not isinstance(lifetime_s, int):
            raise Retry("WeCom gave no token")
        return Token(value, asked_at, Millis(asked_at + lifetime_s * 1000))
