"""The systems around the server, as the settings name them: WeCom, which is called, and the OA, which is
asked in turn."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from server.background import repeating
from server.clock import Clock
from server.directory import Directory
from server.features.todos.arrivals import Arrivals
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.poller import PollingWorklist
from server.integrations.wecom import GroupChats
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from server.integrations.wecom.group_client import NoGroups, WeComGroups
from server.nodes import Leader
from server.settings import BadSetting, Settings
from server.storage import Store
from server.work import SystemWork

SHARE_S = 1.0
"""How often the calls to the OA are shared out anew among the nodes."""


class OAUsers:
    """The mirror's `Accounts`: people with an OA user id, nobody where no OA is configured."""

    def __init__(self, directory: Directory, endpoint: str) -> None:
        self._directory = directory
        self._has_oa = bool(endpoint)

    async def oa_users(self) -> Mapping[str, str]:
        people = self._directory.active() if self._has_oa else []
        return {person.id: person.oa_user_id for person in people if person.oa_user_id}


def wecom_client(
    settings: Settings, session: aiohttp.ClientSession, clock: Clock
) -> WeComClient | None:
    """The WeCom app of the settings; None when there is none, and nothing is sent."""
    config = WeComConfig(
        api_base=settings.wecom_api_base,
        corp_id=settings.wecom_corp_id,
        agent_id=settings.wecom_agent_id,
        secret=settings.wecom_secret,
    )
    return WeComClient(config, session, clock) if config.complete else None


def wecom_groups(client: WeComClient | None, clock: Clock) -> GroupChats:
    """Groups in the same app's WeCom."""
    return NoGroups() if client is None else WeComGroups(client, clock)


@asynccontextmanager
async def polled_oa(
    settings: Settings,
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    leader: Leader,
) -> AsyncIterator[PollingWorklist]:
    """The mirror of the OA, asking within its budget while the context lasts."""
    budget = Budget(settings.oa_calls_per_second, clock)
    breaker = Breaker(clock)
    config = OAConfig(
        endpoint=settings.oa_endpoint,
        wsdl=settings.oa_wsdl,
        timezone=settings.oa_timezone,
        headers=settings.oa_extra_headers,
    )
    oa = Ecology(config, budget, breaker)
    try:
        await oa.open()
    except ValueError as fault:
        raise BadSetting(f"YUANXIN_OA_WSDL: {fault}") from None
    worklist = PollingWorklist(
        oa,
        OAUsers(directory, settings.oa_endpoint),
        Arrivals(store, system, settings),
        clock,
        budget,
        breaker,
        poll_s=settings.oa_poll_seconds,
        is_shared=not leader.is_alone,
    )

    async def share_out() -> None:
        budget.reduce_to(leader.share(worklist.demand))

    worklist.start()
    try:
        async with (
            leader.keep("documents of everybody", worklist.tour),
            repeating("share of the OA's calls", SHARE_S, share_out),
        ):
            await share_out()
            yield worklist
    finally:
        await worklist.close()
        await oa.close()
