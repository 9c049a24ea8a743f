"""Files of documents, from the OA to the reader: through us, sealed, recorded, and never trusted.

A page that was shown a document holds a sealed address for each of its files. It names the person and the
session it was given to, and is good for ten minutes and for as long as that session stands; it needs no
cookie, so that a phone's viewer can fetch it too. A file goes through in pieces and is kept nowhere.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Final

from aiohttp import web

from realtime.limits import RateTable
from server.auth import Actor
from server.auth.sessions import Sessions
from server.clock import Clock
from server.directory import Directory
from server.errors import NotFound, RateLimited, Unauthenticated
from server.features.documents.commands import oa_user_of
from server.features.documents.file_types import LOOKED_AT, disposition, safe_name, type_of
from server.features.documents.seals import FileNote, Seals
from server.features.documents.shown import FILES
from server.features.documents.words import refused_file
from server.http.identity import address_of
from server.integrations.oa import OAError
from server.integrations.oa.documents import Documents, Download
from server.work import SystemWork, UnitOfWork

MOST_BYTES: Final = 50 * 1024 * 1024
AT_ONCE_EACH: Final = 2
WRITE_S: Final = 30.0
"""Whoever takes nothing for so long is gone; the OA's connection is not held open for him."""

SANDBOX: Final = (
    "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)
PDF: Final = "default-src 'none'; object-src 'self'; frame-ancestors 'self'"
"""Browsers do not open their PDF viewer inside a sandbox; a PDF is no page of ours, whatever is in it."""

log = logging.getLogger(__name__)


class FileDoor:
    """Gives out files to whoever holds an address."""

    def __init__(
        self,
        sessions: Sessions,
        system: SystemWork,
        clock: Clock,
        directory: Directory,
        oa: Documents,
        seals: Seals,
    ) -> None:
        self._sessions = sessions
        self._system = system
        self._directory = directory
        self._oa = oa
        self._seals = seals
        self._rates: RateTable[str] = RateTable(clock, 0.5, 20)
        self._under_way: Counter[str] = Counter()

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Answer one request for a file."""
        sealed = self._seals.read(FileNote, request.match_info["seal"])
        if sealed is None:
            raise NotFound("this address is over: open the document again")
        actor = await self._sessions.actor(sealed.session_id, address_of(request))
        if actor.person_id != sealed.person_id:
            raise Unauthenticated("this address is not for you")
        with self._turn(actor.person_id):
            try:
                download = await self._oa.attachment(
                    oa_user_of(actor, self._directory), sealed.note.attachment_id, MOST_BYTES
                )
            except OAError as fault:
                raise refused_file(fault) from None
            async with aclosing(download.pieces):
                return await self._stream(request, actor, sealed.note, download)

    @contextmanager
    def _turn(self, person_id: str) -> Iterator[None]:
        wait_ms = self._rates.take(person_id)
        if self._under_way[person_id] >= AT_ONCE_EACH:
            wait_ms = max(wait_ms, 2_000)
        if wait_ms:
            raise RateLimited("too many files at once; wait a moment", retry_after_ms=wait_ms)
        self._under_way[person_id] += 1
        try:
            yield
        finally:
            self._under_way[person_id] -= 1
            if not self._under_way[person_id]:
                del self._under_way[person_id]

    async def _stream(
        self, request: web.Request, actor: Actor, note: FileNote, download: Download
    ) -> web.StreamResponse:
        try:
            begins = await _beginning(download.pieces)
        except OAError as fault:
            raise refused_file(fault) from None
        await self._record(actor, note)
        response = _headers(note, begins, download.size, saved="download" in request.query)
        await response.prepare(request)
        try:
            await _write(response, begins)
            async for piece in download.pieces:
                await _write(response, piece)
            async with asyncio.timeout(WRITE_S):
                await response.write_eof()
        except (OAError, TimeoutError) as fault:
            # What came is not the file: break it off, so that nobody takes it for one.
            log.info("a file broke off: %s", type(fault).__name__)
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _record(self, actor: Actor, note: FileNote) -> None:
        async def record(work: UnitOfWork) -> None:
            work.record(
                "documents.downloaded",
                note.request_id,
                attachment=note.attachment_id,
                name=safe_name(note.name),
            )

        await self._system.do(record, actor)


async def _beginning(pieces: AsyncIterator[bytes]) -> bytes:
    begins = b""
    while len(begins) < LOOKED_AT:
        piece = await anext(pieces, b"")
        if not piece:
            break
        begins += piece
    return begins


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    async with asyncio.timeout(WRITE_S):
        await response.write(piece)


def _headers(note: FileNote, begins: bytes, size: int | None, *, saved: bool) -> web.StreamResponse:
    name = safe_name(note.name)
    kind = type_of(name, begins)
    shown = kind.may_be_shown and not saved
    is_pdf = kind.content_type == "application/pdf"
    response = web.StreamResponse(
        headers={
            "Content-Type": kind.content_type,
            "Content-Disposition": disposition(name, shown=shown),
            "Content-Security-Policy": PDF if is_pdf and shown else SANDBOX,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
    )
    response.content_length = size
    return response


def add_routes(
    app: web.Application,
    sessions: Sessions,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    oa: Documents,
    seals: Seals,
) -> None:
    """The one address of files; the name at its end is for whoever saves it, and is not read."""
    door = FileDoor(sessions, system, clock, directory, oa, seals)
    app.router.add_get(FILES + "/{seal}/{name}", door.give, allow_head=False)
