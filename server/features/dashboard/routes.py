"""The door by which the HIS comes in: one address, signed, bounded, answered after the commit."""

import logging
from typing import Final

import msgspec
from aiohttp import web

from realtime.limits import RateTable
from server.clock import Clock
from server.directory import Directory
from server.errors import NotFound, RateLimited, Unauthenticated
from server.features.dashboard.days import HospitalDays
from server.features.dashboard.ingest import Ingest
from server.features.dashboard.ticker import Ticker
from server.http.identity import address_of
from server.integrations.his import Intake, Receipt, Sender
from server.integrations.his.reading import read_batch
from server.integrations.his.signing import check_signature, claimed_sender
from server.settings import Settings
from server.work import SystemWork

ADDRESS: Final = "/api/v1/his/events"
BATCHES_PER_SECOND: Final = 100.0
BATCHES_AT_ONCE: Final = 200
FAILURES_PER_SECOND: Final = 0.5
FAILURES_AT_ONCE: Final = 30
log = logging.getLogger(__name__)


class Door:
    """Lets in what is signed with one of our keys.

    Whoever keeps failing is told to wait, by address; a right signature is never held back for it.
    """

    def __init__(self, settings: Settings, clock: Clock, intake: Intake) -> None:
        self._keys = settings.his_secrets
        self._clock = clock
        self._intake = intake
        self._batches: RateTable[str] = RateTable(clock, BATCHES_PER_SECOND, BATCHES_AT_ONCE)
        self._failures: RateTable[str] = RateTable(clock, FAILURES_PER_SECOND, FAILURES_AT_ONCE)

    async def take(self, request: web.Request) -> web.Response:
        """POST /api/v1/his/events"""
        if not self._keys:
            raise NotFound("no HIS may send here; give it a key with YUANXIN_HIS_KEYS")
        sender, body = await self._read(request)
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

    async def _read(self, request: web.Request) -> tuple[Sender, bytes]:
        try:
            sender = claimed_sender(request.headers, self._clock.now())
            body = await request.read()
            check_signature(self._keys, request.headers, sender, body)
        except Unauthenticated as refused:
            wait_ms = self._failures.take(address_of(request))
            if wait_ms:
                raise RateLimited(refused.message, retry_after_ms=wait_ms) from None
            log.warning(
                "a batch for the HIS was not let in",
                extra={"why": refused.message, "address": address_of(request)},
            )
            raise
        return sender, body


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
