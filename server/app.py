"""The composition root: what the server is made of, in the order in which it starts.

Everything is made here and handed to whoever needs it; what was started last is stopped first. Adapters
are chosen here and nowhere else.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from realtime.errors import Closing
from realtime.gateway import Gateway, GatewayOptions
from realtime.hub import Hub
from realtime.metrics import HubMetrics
from realtime.presence.memory import MemoryPresence
from realtime.publisher import Publisher
from server import schema, stream
from server.auth.failures import SignInLimits
from server.auth.passwords import Passwords
from server.auth.sessions import Sessions
from server.auth.tickets.memory import MemoryTickets
from server.background import repeating
from server.clock import Clock, SystemClock
from server.directory import Directory, Presence
from server.dispatch import Dispatcher
from server.feature import Feature
from server.features import FEATURES
from server.features.account.protocol import ServerFacts
from server.features.account.sign_in import SignIn
from server.features.chat.shapes import TEXT_LIMIT
from server.features.todos.arrivals import Arrivals
from server.http import answers, commands, health, pages
from server.http.health import Check, Health
from server.http.keys import DISPATCHER, SESSIONS, SETTINGS
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.mirror import Worklist
from server.integrations.oa.poller import PollingWorklist
from server.integrations.wecom import WeCom
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from server.notify.notifier import Notifier
from server.services import Services, wired
from server.settings import BadSetting, Settings
from server.socket import SocketApplication
from server.storage import Store
from server.storage.migrate import migrate
from server.storage.sqlite import SqliteStore
from server.stream import Streams
from server.work import SystemWork

log = logging.getLogger(__name__)

ALL = (*FEATURES, stream.feature)
PAGES = Path(__file__).resolve().parent.parent / "static" / "dist"
"""The built H5 app."""

GIL_SWITCH_S = 0.0005
"""With the default of 5 ms a loop busy with pure Python starves the storage's writer thread."""

PRUNE_S = 600.0
SWEEP_S = 2.0
"""How often ended sessions are looked for; their sockets have to be closed within 5 s."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and the parts that tests and tools look into."""

    settings: Settings
    store: Store
    directory: Directory
    hub: Hub
    gateway: Gateway
    dispatcher: Dispatcher
    notifier: Notifier
    worklist: Worklist
    web: web.Application
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.settings.http_host}:{self.port}"


class StoreMetrics(Collector):
    """The store's own figures, read when somebody asks for the metrics."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        state = self._store.health()
        for name, sentence, value in (
            ("storage_ready", "1 while changes can be stored", state.ready),
            ("storage_waiting", "Operations waiting for the disk", state.waiting),
            ("storage_last_batch", "Submissions in the last commit", state.last_batch),
            ("storage_last_commit_ms", "Milliseconds of the last commit", state.last_commit_ms),
            ("storage_commits", "Commits since the start", state.commits),
            ("storage_reads", "Reads since the start", state.reads),
        ):
            yield GaugeMetricFamily(name, sentence, value=float(value))


class OAUsers:
    """The mirror's `Accounts`: people with an OA user id, nobody where no OA is configured."""

    def __init__(self, directory: Directory, endpoint: str) -> None:
        self._directory = directory
        self._has_oa = bool(endpoint)

    async def oa_users(self) -> Mapping[str, str]:
        people = self._directory.active() if self._has_oa else []
        return {person.id: person.oa_user_id for person in people if person.oa_user_id}


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Server]:
    """The whole server while the context lasts. Raises BadSetting or StorageError at the start."""
    clock = clock or SystemClock()
    sys.setswitchinterval(GIL_SWITCH_S)
    registry = CollectorRegistry()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened_store(settings, clock))
        directory = Directory()
        await directory.load(store)

        metrics = HubMetrics(registry)
        registry.register(StoreMetrics(store))
        hub = Hub(clock, metrics)
        presence = MemoryPresence([hub])
        await hub.start()
        stack.push_async_callback(hub.stop)

        session = await stack.enter_async_context(aiohttp.ClientSession())
        wecom = wecom_client(settings, session, clock)
        system = SystemWork(store, hub, clock)
        worklist = await stack.enter_async_context(
            polled_oa(settings, store, system, clock, directory)
        )
        hub.on_visible = worklist.visible

        passwords = Passwords()
        stack.callback(passwords.close)
        sessions = Sessions(
            store,
            clock,
            directory.roles_of,
            idle_hours=settings.session_idle_hours,
            days=settings.session_days,
        )
        await sessions.load()
        tickets = MemoryTickets(clock)
        failures = SignInLimits(clock)
        streams = Streams(ALL)
        sign_in = SignIn(
            store,
            hub,
            clock,
            directory,
            passwords,
            failures,
            sessions,
            tickets,
            keeps_secure=settings.url.startswith("https://"),
        )
        services: dict[type, Any] = {
            Clock: clock,
            Directory: directory,
            SignInLimits: failures,
            Hub: hub,
            Passwords: passwords,
            Presence: presence,
            Publisher: hub,
            ServerFacts: ServerFacts(recall_seconds=settings.recall_seconds, text_limit=TEXT_LIMIT),
            Sessions: sessions,
            Settings: settings,
            SignIn: sign_in,
            Store: store,
            Streams: streams,
            SystemWork: system,
            Worklist: worklist,
        }
        for part in (part for feature in ALL for part in feature.parts):
            made = await stack.enter_async_context(part(**wired(part, services)))
            services[type(made)] = made
        notifier = Notifier(
            store,
            presence,
            wecom,
            clock,
            settings,
            [duty(**wired(duty, services)) for feature in ALL for duty in feature.duties],
            directory.wecom_user_of,
            registry,
        )
        hub.on_gone = notifier.wake
        dispatcher = Dispatcher(ALL, store, hub, clock, services)

        application = SocketApplication(tickets, sessions, streams, store, dispatcher)
        gateway = Gateway(application, hub, gateway_options(settings))
        app = web_application(ALL, settings, sessions, dispatcher, services)
        app[health.HEALTH] = Health(
            needed={"storage": _storage_check(store)},
            others={
                "oa": _oa_check(worklist, settings),
                "wecom": _wecom_check(notifier, settings),
                **{
                    name: partial(check, **wired(check, services))
                    for feature in ALL
                    for name, check in feature.checks.items()
                },
            },
            registry=registry,
        )
        gateway.attach(app)
        pages.add_routes(app, PAGES)
        runner = web.AppRunner(
            # A small compressed body may be a large one; no client of ours compresses.
            app,
            access_log=None,
            shutdown_timeout=2.0,
            auto_decompress=False,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        front = gateway.front(runner)
        try:
            port = await front.open(settings.http_host, settings.http_port, backlog=4_096)
        except OSError as fault:
            place = f"{settings.http_host}:{settings.http_port}"
            raise BadSetting(f"cannot listen on {place}: {fault.strerror or fault}") from None
        stack.push_async_callback(front.close)

        await notifier.start()
        await stack.enter_async_context(
            repeating("ended sessions", SWEEP_S, lambda: _sweep(sessions, hub))
        )
        await stack.enter_async_context(repeating("old sessions", PRUNE_S, sessions.prune))
        await stack.enter_async_context(watching(metrics))
        stack.push_async_callback(_stop, gateway, notifier)
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 1_000)
        log.info("serving", extra={"port": port, "people": len(directory.active())})
        yield Server(
            settings, store, directory, hub, gateway, dispatcher, notifier, worklist, app, port
        )


@asynccontextmanager
async def opened_store(settings: Settings, clock: Clock) -> AsyncIterator[Store]:
    """The store, brought to this version: an embedded one belongs to this process alone."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(settings.database, queue_limit=settings.storage_queue, clock=clock)
    await store.open()
    try:
        await migrate(store, clock=clock, backup=settings.data_dir / "backups", alone=True)
        await schema.declare(store, ALL)
        yield store
    finally:
        await store.close()


async def seed_features(settings: Settings, store: Store, clock: Clock) -> None:
    """Let every feature fill what it has nothing of yet: for a sandbox, before it serves."""
    directory = Directory()
    await directory.load(store)
    silence = Hub(clock)
    services: dict[type, Any] = {
        Clock: clock,
        Directory: directory,
        Settings: settings,
        Store: store,
        SystemWork: SystemWork(store, silence, clock),
    }
    for feature in ALL:
        if feature.seed is not None:
            await feature.seed(**wired(feature.seed, services))


def wecom_client(settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> WeCom | None:
    """The WeCom app of the settings; None when there is none, and nothing is sent."""
    config = WeComConfig(
        api_base=settings.wecom_api_base,
        corp_id=settings.wecom_corp_id,
        agent_id=settings.wecom_agent_id,
        secret=settings.wecom_secret,
    )
    return WeComClient(config, session, clock) if config.complete else None


@asynccontextmanager
async def polled_oa(
    settings: Settings, store: Store, system: SystemWork, clock: Clock, directory: Directory
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
    )
    worklist.start()
    try:
        yield worklist
    finally:
        await worklist.close()
        await oa.close()


def gateway_options(settings: Settings) -> GatewayOptions:
    """How sockets are served."""
    return GatewayOptions(
        ping_interval_s=settings.ping_interval_ms / 1000,
        ping_timeout_s=settings.ping_timeout_ms / 1000,
        allowed_origins=frozenset({settings.url}),
        trusted_proxies=settings.proxies,
    )


def web_application(
    features: Sequence[Feature],
    settings: Settings,
    sessions: Sessions,
    dispatcher: Dispatcher,
    services: Services,
) -> web.Application:
    """Routes over HTTP, but for sockets and pages."""
    app = web.Application(
        middlewares=[answers.answer_refusals],
        client_max_size=answers.BODY_LIMIT,
    )
    app[SETTINGS], app[SESSIONS], app[DISPATCHER] = settings, sessions, dispatcher
    app.on_response_prepare.append(answers.set_headers)
    commands.add_routes(app)
    health.add_routes(app)
    for feature in features:
        if feature.routes is not None:
            feature.routes(app, **wired(feature.routes, services, given=1))
    return app


async def _stop(gateway: Gateway, notifier: Notifier) -> None:
    """Answer what was accepted and end the calls under way, side by side: both may take seconds."""
    await asyncio.gather(gateway.close(Closing.GOING_AWAY), notifier.stop())


@asynccontextmanager
async def watching(metrics: HubMetrics) -> AsyncIterator[None]:
    """Measure how late the event loop wakes up."""
    task = asyncio.create_task(metrics.watch_loop(), name="loop lag")
    try:
        yield
    finally:
        task.cancel()
        await task


async def _sweep(sessions: Sessions, hub: Hub) -> None:
    for person_id, session_id in sessions.sweep():
        hub.disconnect(person_id, Closing.REVOKED, session_ids=frozenset({session_id}))


def _storage_check(store: Store) -> health.Ask:
    async def ask() -> Check:
        state = store.health()
        return Check(state.ready, state.detail)

    return ask


def _oa_check(worklist: Worklist, settings: Settings) -> health.Ask:
    async def ask() -> Check:
        if not settings.oa_endpoint:
            return Check(False, "not configured")
        state = worklist.health()
        return Check(state.reachable, state.reason)

    return ask


def _wecom_check(notifier: Notifier, settings: Settings) -> health.Ask:
    async def ask() -> Check:
        if not settings.wecom_api_base:
            return Check(False, "not configured")
        return Check(not notifier.trouble, notifier.trouble)

    return ask
