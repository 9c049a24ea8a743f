"""The composition root: what the server is made of, in the order in which it starts.

Everything is made here and handed to whoever needs it; what was started last is stopped first. Adapters
are chosen here and nowhere else.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from realtime.errors import Closing
from realtime.gateway import Gateway
from realtime.hub import Hub
from realtime.metrics import HubMetrics
from realtime.publisher import Publisher
from server import schema, stream
from server.acting.acts import Acts
from server.acting.keeping import Keeping
from server.acting.looking import Looking
from server.auth.failures import SignInLimits
from server.auth.passwords import Passwords
from server.auth.sessions import Sessions
from server.auth.states import States
from server.background import repeated, repeating
from server.clock import Clock, SystemClock
from server.directory import Directory
from server.directory import Presence as WhoIsHere
from server.dispatch import Dispatcher
from server.features import FEATURES
from server.features.account.protocol import ServerFacts
from server.features.account.sign_in import SignIn
from server.features.chat.shapes import TEXT_LIMIT
from server.hearing import Hearing
from server.history import StoredHistory
from server.http import health, pages
from server.http.health import Health
from server.integrations.oa import OA
from server.integrations.oa.documents import Documents
from server.integrations.oa.mirror import Worklist
from server.integrations.sms import Sms
from server.integrations.wecom import GroupChats, Host, WeComDesk
from server.line import Line, opened_line
from server.nodes import Leader
from server.nodes import bulletin as bulletins
from server.nodes.alone import alone
from server.nodes.bulletin import READ_S, Reader
from server.nodes.elected import elected
from server.notify.notifier import Notifier
from server.outside import (
    polled_oa,
    sms_gateway,
    wecom_client,
    wecom_desk,
    wecom_groups,
    wecom_host,
)
from server.services import wired
from server.serving import Ports, gateway_options, leave, listen, web_application, web_runner
from server.settings import Settings
from server.socket import SocketApplication
from server.state import (
    ActMetrics,
    NodeMetrics,
    OAMetrics,
    StoreMetrics,
    SyncMetrics,
    oa_check,
    storage_check,
    wecom_check,
)
from server.storage import Store
from server.stores import bring_to_this_version, made_store
from server.stream import Streams
from server.syncing import directory_sync, sync_check
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
    leader: Leader
    notifier: Notifier
    worklist: Worklist
    web: web.Application
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.settings.scheme}://{self.settings.http_host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Shared:
    """What a node has in common with the others. One that is `alone` is the store's only owner."""

    store: Store
    line: Line
    is_alone: bool = True


@asynccontextmanager
async def running(
    settings: Settings,
    clock: Clock | None = None,
    shared: Shared | None = None,
    *,
    ports: Ports | None = None,
) -> AsyncIterator[Server]:
    """The whole server while the context lasts: one node, alone unless `shared` with others. Raises
    BadSetting or StorageError at the start."""
    clock = clock or SystemClock()
    sys.setswitchinterval(GIL_SWITCH_S)
    registry = CollectorRegistry()
    async with AsyncExitStack() as stack:
        if shared is None:
            shared = await stack.enter_async_context(opened(settings, clock, registry))
        store = shared.store
        leader = await stack.enter_async_context(_leader(shared, clock))
        bulletin = Reader(store)
        await bulletin.begin()
        directory = Directory()
        await directory.load(store)

        metrics = HubMetrics(registry)
        registry.register(StoreMetrics(store))
        registry.register(NodeMetrics(leader))
        streams = Streams(ALL)
        line = shared.line
        history = StoredHistory(store, streams)
        hub = Hub(clock, metrics, backplane=line.backplane, history=history)
        presence = line.presence_of(hub)
        await hub.start()
        stack.push_async_callback(hub.stop)

        session = await stack.enter_async_context(aiohttp.ClientSession())
        wecom = wecom_client(settings, session, clock, line.wecom_tokens)
        system = SystemWork(store, hub, clock)
        worklist, documents = await stack.enter_async_context(
            polled_oa(settings, store, system, clock, directory, leader)
        )
        hub.on_visible = worklist.visible
        acts = Acts(store, system, clock, directory, documents, worklist)
        registry.register(ActMetrics(acts))
        registry.register(OAMetrics(worklist, clock))

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
        sync = directory_sync(
            settings, store, system, clock, directory, sessions, session, line.wecom_tokens
        )
        registry.register(SyncMetrics(sync))
        failures = SignInLimits(clock, nodes=lambda: leader.nodes)
        sign_in = SignIn(
            store,
            hub,
            clock,
            directory,
            passwords,
            failures,
            sessions,
            line.tickets,
        )
        services: dict[type, Any] = {
            Acts: acts,
            Clock: clock,
            CollectorRegistry: registry,
            Directory: directory,
            Documents: documents,
            SignInLimits: failures,
            GroupChats: wecom_groups(wecom, clock),
            Host: wecom_host(settings, wecom, clock),
            Hub: hub,
            Leader: leader,
            OA: documents,
            Passwords: passwords,
            WhoIsHere: presence,
            Publisher: hub,
            ServerFacts: ServerFacts(recall_seconds=settings.recall_seconds, text_limit=TEXT_LIMIT),
            Sessions: sessions,
            Settings: settings,
            SignIn: sign_in,
            Sms: sms_gateway(settings, session),
            States: line.states,
            Store: store,
            Streams: streams,
            SystemWork: system,
            WeComDesk: wecom_desk(settings, session, line.wecom_tokens, store),
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
            cards=wecom,
        )
        hub.on_gone = notifier.wake
        dispatcher = Dispatcher(ALL, store, hub, clock, services)

        application = SocketApplication(line.tickets, sessions, streams, store, dispatcher)
        gateway = Gateway(application, hub, gateway_options(settings))
        app = web_application(ALL, settings, sessions, dispatcher, services)
        app[health.HEALTH] = state = Health(
            needed={"storage": storage_check(store)},
            others={
                "oa": oa_check(worklist, settings),
                "wecom": wecom_check(notifier, settings),
                "redis": lambda: line.check(leader.nodes),
                "directory": sync_check(sync),
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
        runner = web_runner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        front = gateway.front(runner)
        port = await listen(front, settings, ports or Ports())
        stack.push_async_callback(front.close)

        await stack.enter_async_context(leader.keep("notices", notifier.run))
        await stack.enter_async_context(leader.keep("directory and WeCom", sync.follow))
        looking = Looking(acts, store, clock)
        await stack.enter_async_context(leader.keep("lost answers of the OA", looking.run))
        await stack.enter_async_context(
            repeating("ended sessions", SWEEP_S, lambda: _sweep(sessions, hub))
        )
        if not leader.is_alone:
            hearing = Hearing(store, directory, sessions, hub, worklist)
            await stack.enter_async_context(
                repeating("bulletin", READ_S, lambda: bulletin.read(hearing))
            )
        for name, every_s, prune in (
            ("old sessions", PRUNE_S, sessions.prune),
            ("old acts", PRUNE_S, Keeping(store, clock).drop_old),
            ("old words", bulletins.PRUNE_S, lambda: bulletins.prune(store, clock)),
        ):
            await stack.enter_async_context(
                leader.keep(name, partial(repeated, name, every_s, prune))
            )
        await stack.enter_async_context(watching(metrics))
        stack.push_async_callback(leave, settings, state, front, gateway, leader)
        gc.collect()
        gc.freeze()
        # What is new is few: short looks, so that no command waits for a long one.
        gc.set_threshold(20_000, 50, 1_000)
        log.info("serving", extra={"port": port, "people": len(directory.active())})
        yield Server(
            settings,
            store,
            directory,
            hub,
            gateway,
            dispatcher,
            leader,
            notifier,
            worklist,
            app,
            port,
        )


def _leader(shared: Shared, clock: Clock) -> AbstractAsyncContextManager[Leader]:
    return alone() if shared.is_alone else elected(shared.store, clock)


@asynccontextmanager
async def opened(
    settings: Settings, clock: Clock, registry: CollectorRegistry
) -> AsyncIterator[Shared]:
    """What the settings say a node shares."""
    async with (
        opened_store(settings, clock) as store,
        opened_line(settings, clock, registry) as line,
    ):
        yield Shared(store, line, is_alone=not settings.storage_url)


@asynccontextmanager
async def opened_store(
    settings: Settings, clock: Clock, *, upgrade: bool = False
) -> AsyncIterator[Store]:
    """The store, brought to this version; a shared one that is behind only with `upgrade`."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = made_store(settings, clock)
    await store.open()
    try:
        await bring_to_this_version(store, settings, clock, upgrade=upgrade)
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
    async for person_id, session_id in sessions.sweep():
        hub.close_connections(person_id, Closing.REVOKED, frozenset({session_id}))
