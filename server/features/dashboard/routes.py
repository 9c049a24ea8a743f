"""The door by which the HIS comes in: one address, signed, bounded, answered after the commit."""

from typing import Final

import msgspec
from aiohttp import web

from realtime.limits import RateTable
from server.clock import Clock
from server.days import HospitalDays
from server.directory import Directory
from server.errors import NotFound, RateLimited
from server.features.dashboard.ingest import Ingest
from server.features.dashboard.ticker import Ticker
from server.http.signed import SignedRequests
from server.integrations.his import Intake, Receipt
from server.integrations.his.reading import read_batch
from server.settings import Settings
from server.work import SystemWork

ADDRESS: Final = "/api/v1/his/events"
BATCHES_PER_SECOND: Final = 100.0
BATCHES_AT_ONCE: Final = 200


class Door:
    """Lets in what is signed with one of our keys."""

    def __init__(self, settings: Settings, clock: Clock, intake: Intake) -> None:
        self._requests = SignedRequests(settings.his_secrets, clock)
        self._intake = intake
        self._batches: RateTable[str] = RateTable(clock, BATCHES_PER_SECOND, BATCHES_AT_ONCE)

    async def take(self, request: web.Request) -> web.Response:
        """POST /api/v1/his/events"""
        if not self._requests.are_possible:
            raise NotFound("no HIS may send here; give it a key with YUANXIN_HIS_KEYS")
        sender, body = await self._requests.read(request)
        wait_ms = self._batches.take(sender.key_id)
        if wait_ms:
            raise RateLimited("too many batches; send fewer, larger ones", retry_after_ms=wait_ms)
        events, refused = read_batch(body)
        receipt = await self._intake.take(events, sender)
        return _answer(
            Receipt(
                accepted=receipt.accepted,
                repeated=receipt.repeated,
                refused=[*refused, *receipt.refused],
                as_of=receipt.as_of,
            )
        )


def add_routes(
    app: web.Application,
    settings: Settings,
    clock: Clock,
    system: SystemWork,
    directory: Directory,
    ticker: Ticker,
) -> None:
    """Open the door."""
    intake = Ingest(system, directory, ticker, HospitalDays(settings.his_timezone))
    app.router.add_post(ADDRESS, Door(settings, clock, intake).take)


def _answer(receipt: Receipt) -> web.Response:
    return web.Response(body=msgspec.json.encode(receipt), content_type="application/json")
