"""How a node is reached: its routes, where it listens, and how it leaves."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from realtime.errors import Closing
from realtime.gateway import Gateway, GatewayOptions
from realtime.gateway.front import FrontLine
from server.auth.sessions import Sessions
from server.dispatch import Dispatcher
from server.feature import Feature
from server.http import answers, commands, health
from server.http.health import Health
from server.http.keys import DISPATCHER, SESSIONS, SETTINGS
from server.nodes import Leader
from server.services import Services, wired
from server.settings import BadSetting, Settings

IDLE_S: Final = 75.0
"""How long a connection is kept that waits for its next request, or for the rest of a head."""


@dataclass(frozen=True, slots=True)
class Ports:
    """How to listen beside other processes of one machine: at one port together, and at one's own."""

    is_shared: bool = False
    own: int | None = None

    @classmethod
    def of_worker(cls, settings: Settings, number: int | None) -> "Ports":
        """Those of one of several workers, which are numbered from 0; None: the only process."""
        if number is None:
            return cls()
        own = settings.worker_port + number if settings.worker_port else None
        return cls(is_shared=True, own=own)


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


def web_runner(app: web.Application) -> web.AppRunner:
    """What answers over HTTP, before it listens."""
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=2.0,
        keepalive_timeout=IDLE_S,
        # A small compressed body may be a large one; no client of ours compresses.
        auto_decompress=False,
    )


async def listen(front: FrontLine, settings: Settings, ports: Ports) -> int:
    """Open the doors; the port of the first. Raises BadSetting."""
    host, backlog, tls = settings.http_host, 4_096, _tls(settings)
    try:
        port = await front.open(
            host, settings.http_port, backlog, reuse_port=ports.is_shared, tls=tls
        )
        if ports.own is not None:
            await front.open(host, ports.own, backlog, tls=tls)
    except OSError as fault:
        also = f" or {ports.own}" if ports.own is not None else ""
        place = f"{host}:{settings.http_port}{also}"
        raise BadSetting(f"cannot listen on {place}: {fault.strerror or fault}") from None
    return port


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    except (OSError, ssl.SSLError) as fault:
        raise BadSetting(
            f"YUANXIN_TLS_CERTIFICATE and _TLS_KEY cannot be used together: {fault}"
        ) from None
    return context


async def leave(
    settings: Settings, state: Health, front: FrontLine, gateway: Gateway, leader: Leader
) -> None:
    """Say first that this node is not to be used any more, then let nobody in, then answer what was
    accepted and hand over the lead, side by side: both may take seconds."""
    state.leaving.set()
    await asyncio.sleep(settings.drain_seconds)
    await front.close()
    await asyncio.gather(gateway.close(Closing.GOING_AWAY), leader.resign())
