"""The systems around the server, as the settings name them: WeCom, which is called, and the OA, which is
asked in turn."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from server.background import repeating
from server.clock import Clock, Millis, SystemClock
from server.directory import Directory
from server.features.deputies.passing import Passing
from server.features.todos.arrivals import Arrivals
from server.features.wecom.documents import Heard
from server.features.wecom.menu import menu_of
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.poller import PollingWorklist
from server.integrations.sms import Sms
from server.integrations.sms.http import HttpSms
from server.integrations.wecom import GroupChats, Host, WeComDesk, WeComError
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from server.integrations.wecom.examining import Examining
from server.integrations.wecom.group_client import NoGroups, WeComGroups
from server.integrations.wecom.host_client import WeComHost
from server.integrations.wecom.token import TokenStore
from server.nodes import Leader
from server.settings import BadSetting, Settings
from server.storage import Store
from server.work import SystemWork

NO_MENU = 46003
"""WeCom's errcode when an app has none."""

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
    settings: Settings,
    session: aiohttp.ClientSession,
    clock: Clock,
    tokens: TokenStore | None = None,
) -> WeComClient | None:
    """The WeCom app of the settings; None when there is none, and nothing is sent."""
    config = _wecom(settings)
    return WeComClient(config, session, clock, tokens) if config.complete else None


def wecom_host(settings: Settings, client: WeComClient | None, clock: Clock) -> Host:
    """The same app as the house the pages live in."""
    return WeComHost(
        _wecom(settings),
        client,
        clock,
        door=settings.wecom_authorize_url,
        picture=settings.wecom_qr_url,
    )


def wecom_desk(
    settings: Settings, session: aiohttp.ClientSession, tokens: TokenStore, store: Store
) -> WeComDesk:
    """Where an administrator asks how WeCom is doing."""

    async def last_heard() -> Millis | None:
        newest = await store.find(Heard.collection.name, "at", reverse=True, limit=1)
        return newest[0]["at"] if newest else None

    return Examining(
        _wecom(settings),
        session,
        tokens,
        has_callback=settings.hears_wecom,
        last_heard=last_heard,
    )


def sms_gateway(settings: Settings, session: aiohttp.ClientSession) -> Sms:
    """What sends texts to phones, if anything does."""
    return HttpSms(settings.sms_url, settings.sms_secret, session)


def _wecom(settings: Settings) -> WeComConfig:
    return WeComConfig(
        api_base=settings.wecom_api_base,
        corp_id=settings.wecom_corp_id,
        agent_id=settings.wecom_agent_id,
        secret=settings.wecom_secret,
    )


async def wecom_menu(settings: Settings, *, set_it: bool) -> int:
    """Give the app in WeCom its menu, or only look, and print what it is now; the exit status."""
    async with aiohttp.ClientSession() as session:
        client = wecom_client(settings, session, SystemClock())
        if client is None:
            raise BadSetting("YUANXIN_WECOM_API_BASE, _CORP_ID and _SECRET name no app in WeCom")
        try:
            if set_it:
                await client.menu.create(settings.wecom_agent_id, menu_of(settings.url))
            menu = await client.menu.get(settings.wecom_agent_id)
        except WeComError as fault:
            if fault.code == NO_MENU and not set_it:
                print("the app has no menu")
                return 0
            print(f"WeCom refused: {fault}")
            return 1
    print(json.dumps({"button": menu["button"]}, ensure_ascii=False, indent=2))
    return 0


def wecom_groups(client: WeComClient | None, clock: Clock) -> GroupChats:
    """Groups in the same app's WeCom."""
    return NoGroups() if client is None else WeComGroups(client, clock)


@asynccontextmanager
async def asked_oa(settings: Settings, clock: Clock) -> AsyncIterator[Ecology]:
    """The OA for an operator's command, which asks it a few things."""
    if not settings.oa_endpoint:
        raise BadSetting("YUANXIN_OA_ENDPOINT names no OA")
    oa = await _opened_oa(settings, Budget(settings.oa_calls_per_second, clock), Breaker(clock))
    try:
        yield oa
    finally:
        await oa.close()


async def _opened_oa(settings: Settings, budget: Budget, breaker: Breaker) -> Ecology:
    config = OAConfig(
        endpoint=settings.oa_endpoint,
        wsdl=settings.oa_wsdl,
        timezone=settings.oa_timezone,
        headers=settings.oa_extra_headers,
        files=settings.oa_files_url,
    )
    oa = Ecology(config, budget, breaker)
    try:
        await oa.open()
    except ValueError as fault:
        await oa.close()
        raise BadSetting(f"YUANXIN_OA_WSDL: {fault}") from None
    return oa


@asynccontextmanager
async def polled_oa(
    settings: Settings,
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    leader: Leader,
) -> AsyncIterator[tuple[PollingWorklist, Ecology]]:
    """The mirror of the OA, asking within its budget while the context lasts, and the OA itself."""
    budget = Budget(settings.oa_calls_per_second, clock)
    breaker = Breaker(clock)
    oa = await _opened_oa(settings, budget, breaker)
    worklist = PollingWorklist(
        oa,
        OAUsers(directory, settings.oa_endpoint),
        Arrivals(store, system, settings, directory, Passing(settings)),
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
            yield worklist, oa
    finally:
        await worklist.close()
        await oa.close()
