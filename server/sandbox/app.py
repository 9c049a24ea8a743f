"""The sandbox as one aiohttp application: `/wecom/…`, `/oa/…`, `/his/…`, `/sms/…`, and the page at `/`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from aiohttp import web

from server.sandbox.config import SandboxConfig
from server.sandbox.his import HisStandIn
from server.sandbox.oa import OAStandIn
from server.sandbox.page import page_routes
from server.sandbox.people import People
from server.sandbox.sms import SmsStandIn
from server.sandbox.wecom import WeComStandIn

Step = Callable[[web.Application], Awaitable[None]]

WECOM: Final = web.AppKey("wecom", WeComStandIn)
OA: Final = web.AppKey("oa", OAStandIn)
HIS: Final = web.AppKey("his", HisStandIn)


def sandbox_app(config: SandboxConfig) -> web.Application:
    """Everything the stand-in port serves. The state is opened here and closed at clean-up."""
    people = People(config)
    wecom = WeComStandIn(config)
    oa = OAStandIn(
        config.data_dir,
        config.clock,
        people=people.highest_number,
        name_of=people.name_of,
        department_of=people.department_of,
        departments=people.departments,
        numbers=people.number_of_staff,
        calls_out_to=config.oa_calls_out_to,
    )
    app = web.Application()
    app[WECOM], app[OA] = wecom, oa
    sms = SmsStandIn(config)
    for routes in (wecom.routes(), oa.routes(), sms.routes(), people.routes(), page_routes()):
        app.add_routes(routes)
    if config.his is not None:
        app[HIS] = his = HisStandIn(config, config.his)
        app.add_routes(his.routes())
        app.cleanup_ctx.append(_living(his))
    app.cleanup_ctx.append(_calling(wecom))
    app.cleanup_ctx.append(_running(oa))
    app.on_startup.append(_opened(oa, config.seed_documents))
    # Slow answers end when the application shuts down, not after it.
    app.on_shutdown.append(_then(lambda: wecom.faults.set("off")))
    app.on_shutdown.append(_then(lambda: oa.faults.set("off")))
    app.on_shutdown.append(_then(lambda: sms.faults.set("off")))
    app.on_cleanup.append(_then(wecom.close))
    return app


def _opened(oa: OAStandIn, documents: int) -> Step:
    async def start(app: web.Application) -> None:
        await oa.open()
        if documents:
            await oa.seed(documents)

    return start


def _living(his: HisStandIn) -> Callable[[web.Application], AsyncIterator[None]]:
    async def life(app: web.Application) -> AsyncIterator[None]:
        async with his.running():
            yield

    return life


def _calling(wecom: WeComStandIn) -> Callable[[web.Application], AsyncIterator[None]]:
    async def life(app: web.Application) -> AsyncIterator[None]:
        async with wecom.caller.running():
            yield

    return life


def _running(oa: OAStandIn) -> Callable[[web.Application], AsyncIterator[None]]:
    async def life(app: web.Application) -> AsyncIterator[None]:
        async with oa.running():
            yield

    return life


def _then(act: Callable[[], None]) -> Step:
    async def stop(app: web.Application) -> None:
        act()

    return stop
