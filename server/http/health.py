"""Whether the server lives, whether it can serve, and its figures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest


@dataclass(frozen=True, slots=True)
class Check:
    """How one thing we rely on is doing."""

    ready: bool
    detail: str = ""


log = logging.getLogger(__name__)

Ask = Callable[[], Awaitable[Check]]


@dataclass(frozen=True, slots=True)
class Health:
    """What to ask. `needed` decides readiness; `others` are only named. A server that is `leaving` is not
    ready whatever it can do."""

    needed: Mapping[str, Ask]
    others: Mapping[str, Ask]
    registry: CollectorRegistry
    leaving: asyncio.Event = field(default_factory=asyncio.Event)


HEALTH = web.AppKey("health", Health)


async def healthz(request: web.Request) -> web.Response:
    """200 while the process answers."""
    return web.json_response({"alive": True})


async def readyz(request: web.Request) -> web.Response:
    """200 when storage answers and migrations are current; the rest is told and changes nothing."""
    health = request.app[HEALTH]
    needed = {name: await _asked(name, ask) for name, ask in health.needed.items()}
    others = {name: await _asked(name, ask) for name, ask in health.others.items()}
    if health.leaving.is_set():
        needed["serving"] = Check(False, "this server is being stopped")
    ready = all(check.ready for check in needed.values())
    body = {
        "ready": ready,
        "checks": {
            name: {"ready": check.ready, "detail": check.detail}
            for name, check in {**needed, **others}.items()
        },
    }
    return web.json_response(body, status=200 if ready else 503)


async def _asked(name: str, ask: Ask) -> Check:
    """What cannot even be asked is not ready, and takes nothing else down."""
    try:
        return await ask()
    except Exception:
        log.exception("a check failed", extra={"check": name})
        return Check(False, "the check failed; it has been logged")


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text."""
    text = generate_latest(request.app[HEALTH].registry)
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})


def add_routes(app: web.Application) -> None:
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
