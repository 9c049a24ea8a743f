"""The door at which the OA says that something changed for somebody: signed, bounded, and only a hint.

    POST /oa/changed    {"people": ["2", "17"], "request_id": "10001"}

`people` are the OA's own user ids, for nobody is a sign of life; the document is named for the log only.
Nothing of it is believed: those people are read next, so a repeat, a mistake or a captured request costs
some calls within the budget and changes nothing. It is answered with 202 once it is on its way to the
node that reads for these people; whatever is lost after that, the next reading in turn finds.
"""

import logging
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from realtime.limits import RateTable
from server.clock import Clock
from server.directory import Directory
from server.errors import Invalid, NotFound, RateLimited, TooLarge
from server.http.health import Check
from server.http.signed import SignedRequests
from server.integrations.oa.mirror import Worklist
from server.nodes import Leader
from server.nodes.bulletin import oa_changed
from server.settings import Settings
from server.storage import Store

ADDRESS: Final = "/oa/changed"
BODY_LIMIT: Final = 64 * 1024
PEOPLE_AT_ONCE: Final = 500
CALLS_PER_SECOND: Final = 50.0
CALLS_AT_ONCE: Final = 200
log = logging.getLogger(__name__)

OAName = Annotated[str, Meta(min_length=1, max_length=64)]


class Changed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom something changed in the OA, by its own ids."""

    people: Annotated[list[OAName], Meta(max_length=PEOPLE_AT_ONCE)]
    request_id: OAName = ""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the people are read next, and how many are nobody we know."""

    people: int
    unknown: int


class Door:
    """Lets in what is signed with one of our keys, and has the people read."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        directory: Directory,
        worklist: Worklist,
        leader: Leader,
        store: Store,
    ) -> None:
        self._requests = SignedRequests(settings.oa_webhook_secrets, clock)
        self._calls: RateTable[str] = RateTable(clock, CALLS_PER_SECOND, CALLS_AT_ONCE)
        self._clock = clock
        self._directory = directory
        self._worklist = worklist
        self._leader = leader
        self._store = store

    async def take(self, request: web.Request) -> web.Response:
        """POST /oa/changed"""
        if not self._requests.are_possible:
            raise NotFound("no OA may call here; give it a key with YUANXIN_OA_WEBHOOK_KEYS")
        if (request.content_length or 0) > BODY_LIMIT:
            raise TooLarge(f"a body has at most {BODY_LIMIT} bytes")
        sender, body = await self._requests.read(request)
        wait_ms = self._calls.take(sender.key_id)
        if wait_ms:
            raise RateLimited("too many calls; name several people in one", retry_after_ms=wait_ms)
        changed = _read(body)
        known = [id for name in set(changed.people) for id in self._directory.with_oa(name)]
        unknown = sum(not self._directory.with_oa(name) for name in set(changed.people))
        await self._tell(known)
        log.info(
            "the OA says that something changed",
            extra={"people": len(known), "unknown": unknown, "request_id": changed.request_id},
        )
        receipt = Taken(people=len(known), unknown=unknown)
        return web.Response(
            status=202, body=msgspec.json.encode(receipt), content_type="application/json"
        )

    async def _tell(self, person_ids: list[str]) -> None:
        """To our own mirror, or to those of all nodes: only they know whom they read."""
        if self._leader.is_alone:
            self._worklist.hint(person_ids)
        else:
            await self._store.apply(oa_changed(self._clock.now(), person_ids))


def _read(body: bytes) -> Changed:
    if len(body) > BODY_LIMIT:
        raise TooLarge(f"a body has at most {BODY_LIMIT} bytes")
    try:
        return msgspec.json.decode(body, type=Changed)
    except msgspec.ValidationError as fault:
        raise Invalid(f'send {{"people": ["2"], "request_id": "10001"}}: {fault}') from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Invalid("the body is not JSON") from None


def add_routes(
    app: web.Application,
    settings: Settings,
    clock: Clock,
    directory: Directory,
    worklist: Worklist,
    leader: Leader,
    store: Store,
) -> None:
    """Open the door."""
    door = Door(settings, clock, directory, worklist, leader, store)
    app.router.add_post(ADDRESS, door.take)


async def check_webhook(settings: Settings, clock: Clock, worklist: Worklist) -> Check:
    """When the OA was last heard here, and whether pages rely on it."""
    if not settings.oa_webhook_secrets:
        return Check(False, "not configured")
    state = worklist.health()
    if state.hinted_at is None:
        return Check(False, "not heard since the start: pages are read at the ordinary pace")
    ago_s = max(0, clock.now() - state.hinted_at) // 1000
    pace = "relied on" if state.relies_on_hints else "not relied on, the ordinary pace"
    return Check(
        state.relies_on_hints,
        f"last heard {ago_s} s ago; {pace}; {state.changes_not_hinted} changes were not told",
    )
