"""The stand-in OA: a WorkflowService as e-cology offers it, files, and a desk to put documents on.

There are two builds of the service over the same documents: `/oa/services/WorkflowService` and a later
one whose description has grown, `/oa2024/services/WorkflowService`. The desk (`/oa/requests`) stands for
the OA's own pages: it goes on working while the service is told to misbehave (`/oa/faults`).
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from server.clock import Clock
from server.sandbox.config import OATarget
from server.sandbox.faults import Faults
from server.sandbox.oa_calling import Caller
from server.sandbox.oa_desk import Desk
from server.sandbox.oa_download import DOWNLOAD, Downloads
from server.sandbox.oa_faults import MODES, after, before, hang_up, meanwhile, xml
from server.sandbox.oa_files import OAFiles
from server.sandbox.oa_filling import fetching
from server.sandbox.oa_forms import DEPARTMENTS, Office
from server.sandbox.oa_journal import Documents
from server.sandbox.oa_later import Build, first_build, later_build, later_description
from server.sandbox.oa_seed import plausible_documents
from server.sandbox.oa_service import Service
from server.sandbox.oa_shown import Writer
from server.sandbox.oa_wire import answer, fault, read_question

SERVICE: Final = "/oa/services/WorkflowService"
LATER_SERVICE: Final = "/oa2024/services/WorkflowService"
WSDL: Final = Path(__file__).parents[1] / "integrations" / "oa" / "WorkflowService.wsdl"


class OAStandIn:
    """Routes of the stand-in. `open` reads what was kept; `running` is for what it does by itself."""

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        *,
        people: int = 1600,
        name_of: Callable[[int], str] = lambda user: f"职工{user:04d}",
        department_of: Callable[[int], str] = lambda user: DEPARTMENTS[user % 12 + 1],
        departments: Mapping[int, str] = DEPARTMENTS,
        numbers: Callable[[str], int | None] = lambda number: None,
        calls_out_to: OATarget | None = None,
        wsdl: Path = WSDL,
    ) -> None:
        """`numbers` finds somebody by his staff number."""
        folder = data_dir / "sandbox"
        self.caller = Caller(calls_out_to, clock)
        self.files = OAFiles(folder)
        self.documents = Documents(folder / "oa.jsonl", clock, name_of, self.caller.changed)
        self.faults = Faults(MODES, clock)
        self.calls: Counter[str] = Counter()
        self._clock = clock
        self._people = people
        self._numbers = numbers
        self._wsdl = wsdl
        self._office = Office(
            name_of, department_of, departments or DEPARTMENTS, self.files.of_document
        )
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        await self.files.open()
        await self.documents.open()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It calls out, and fetches attachments, until the block ends."""
        async with aiohttp.ClientSession() as self._http, self.caller.running(self._http):
            yield
        self._http = None

    async def seed(self, count: int = 240) -> None:
        """Put documents of a hospital's everyday life into the lists, unless there are any."""
        if not len(self.documents):
            now = self._clock.now()
            made = await plausible_documents(count, self._people, now, self.files)
            await self.documents.put(made)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(SERVICE, self._serving(first_build)),
            web.get(SERVICE, self._describing(lambda text: text)),
            web.post(LATER_SERVICE, self._serving(later_build)),
            web.get(LATER_SERVICE, self._describing(later_description)),
            web.get(DOWNLOAD, Downloads(self.files, self.faults).serve),
            web.get("/oa/faults", self.faults.show),
            web.post("/oa/faults", self.faults.turn),
            *Desk(self.documents, self.files, self._office, self._clock, self._people).routes(),
        ]

    def _serving(self, build: Build) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        service = Service(
            self.documents,
            Writer(self._office, build),
            self._clock,
            fetching(self.files, self._session),
            self._user_of,
        )

        async def serve(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            mode = self.faults.mode
            if (instead := await before(self.faults, request)) is not None:
                return instead
            try:
                question = read_question(body)
                self.calls[question.operation] += 1
                if mode == "fault":
                    return xml(fault("java.lang.NullPointerException"), 500)
                await meanwhile(self.faults, mode, question.operation)
                text = answer(question.operation, await service.answer(question, mode))
            except (ValueError, LookupError) as failed:
                return xml(fault(f"Invalid operation or argument: {failed}"), 500)
            return await after(self.faults, mode, request, question.operation, text)

        return serve

    def _describing(
        self, made_of: Callable[[str], str]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def describe(request: web.Request) -> web.StreamResponse:
            if "wsdl" not in {name.lower() for name in request.query}:
                return web.Response(text="WorkflowService", status=200)
            if self.faults.mode == "down":
                return hang_up(request)
            text = made_of(await asyncio.to_thread(self._wsdl.read_text, "utf-8"))
            here = f"{request.scheme}://{request.host}{request.path}"
            return xml(re.sub(r'(address location=")[^"]*', lambda found: found[1] + here, text))

        return describe

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise ValueError("attachments are fetched only while the stand-in runs")
        return self._http

    def _user_of(self, field: str, value: str) -> int | None:
        found = re.fullmatch(r"s([0-9]{4,6})", value.strip().lower(), re.ASCII)
        if field.lower() == "workcode":
            return self._numbers(value.strip())
        return int(found[1]) if found is not None and 1 <= int(found[1]) <= self._people else None
