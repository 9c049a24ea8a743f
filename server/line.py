"""What links this node with the others, as the settings say: all by Redis, or nothing when it is alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from realtime.backplane import Backplane
from realtime.backplane.redis import LineMetrics, RedisBackplane
from realtime.hub import Hub
from realtime.presence import Presence
from realtime.presence.memory import MemoryPresence
from realtime.presence.redis import RedisPresence
from server.auth.states import States
from server.auth.states.memory import MemoryStates
from server.auth.states.redis import RedisStates
from server.auth.tickets import Tickets, try_out
from server.auth.tickets.memory import MemoryTickets
from server.auth.tickets.redis import RedisTickets
from server.clock import Clock
from server.errors import Refused
from server.http.health import Check
from server.ids import new_id
from server.integrations.wecom.shared_tokens import RedisTokens
from server.integrations.wecom.token import MemoryTokens, TokenStore
from server.settings import Settings

REMEDY: Final = "give all of them the same YUANXIN_REDIS_URL"


@dataclass(frozen=True, slots=True)
class Line:
    """One node's share in the line. The hub starts and stops the backplane."""

    tickets: Tickets
    states: States
    presence_of: Callable[[Hub], Presence]
    check: Callable[[int], Awaitable[Check]]
    """How it does, for so many nodes that share the store."""
    backplane: Backplane | None = None
    wecom_tokens: TokenStore = field(default_factory=MemoryTokens)


@asynccontextmanager
async def opened_line(
    settings: Settings, clock: Clock, registry: CollectorRegistry
) -> AsyncIterator[Line]:
    """The line of these settings; a Redis that is away is waited for by nobody."""
    if not settings.redis_url:
        yield Line(
            MemoryTickets(clock),
            MemoryStates(clock),
            lambda hub: MemoryPresence([hub]),
            _not_configured,
        )
        return
    backplane = RedisBackplane(settings.redis_url, metrics=LineMetrics(registry))
    tickets = RedisTickets(settings.redis_url)
    states = RedisStates(settings.redis_url)
    wecom_tokens = RedisTokens(settings.redis_url, clock, new_id(clock.now()))
    try:
        yield Line(
            tickets,
            states,
            lambda hub: RedisPresence(hub, backplane),
            partial(_check, backplane, tickets),
            backplane,
            wecom_tokens,
        )
    finally:
        await tickets.close()
        await states.close()
        await wecom_tokens.close()


async def _not_configured(nodes: int) -> Check:
    if nodes > 1:
        return Check(False, f"{nodes} nodes share the store and nothing links them: {REMEDY}")
    return Check(False, "not configured")


async def _check(backplane: RedisBackplane, tickets: Tickets, nodes: int) -> Check:
    """Whether nodes hear each other, and pages can open a socket: a Redis may do one without the other."""
    if backplane.fault:
        return Check(False, "away: events of other nodes come late, and nobody new can connect")
    if backplane.nodes < nodes - 1:
        heard = f"{backplane.nodes} of {nodes - 1} other nodes are heard"
        return Check(False, f"{heard}: {REMEDY}")
    try:
        await try_out(tickets)
    except Refused as refused:
        return Check(
            False, f"keeps no tickets, nobody new can connect: {refused.__cause__ or refused}"
        )
    return Check(True)
