"""The sandbox as one aiohttp application: `/wecom/…`, `/oa/…`, and the page at `/`."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.sandbox.config import SandboxConfig
from server.sandbox.page import page_routes
from server.sandbox.people import People
from server.sandbox.wecom import WeComStandIn

Stop = Callable[[web.Application], Awaitable[None]]

WECOM: Final = web.AppKey("wecom", WeComStandIn)


def sandbox_app(config: SandboxConfig) -> web.Application:
    """Everything the stand-in port serves. The state is opened here and closed at clean-up."""
    app = web.Application()
    wecom = WeComStandIn(config)
    app[WECOM] = wecom
    app.add_routes(wecom.routes())
    app.add_routes(People(config).routes())
    app.add_routes(page_routes())
    # Slow answers end when the application shuts down, not after it.
    app.on_shutdown.append(_then(lambda: wecom.faults.set("off")))
    app.on_cleanup.append(_then(wecom.close))
    return app


def _then(act: Callable[[], None]) -> Stop:
    async def stop(app: web.Application) -> None:
        act()

    return stop
