"""Fetching a file of the OA: from one place, in bounds, and never a page instead."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from server.clock import SystemClock
from server.integrations.oa import Blocked, NotUnderstood, OAError, RefusedByOA, Unreachable
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.files import Files
from server.integrations.oa.markup import file_name, files_in

BYTES = b"%PDF-1.7 " + b"x" * 200_000


pytestmark = pytest.mark.asyncio(loop_scope="module")


class Cabinet:
    """Serves one answer to everything, and hangs after a piece of it if it is told to."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.status, self.body, self.headers = 200, BYTES, {"Content-Type": "application/pdf"}
        self.in_pieces = self.hangs = False
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if not self.hangs and not self.in_pieces:
            return web.Response(status=self.status, body=self.body, headers=self.headers)
        response = web.StreamResponse(headers=self.headers)
        await response.prepare(request)
        for at in range(0, len(self.body), 50_000):
            await response.write(self.body[at : at + 50_000])
            if self.hangs:
                await asyncio.sleep(30)
        return response


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened_cabinet() -> AsyncIterator[tuple[Cabinet, Files, Budget]]:
    cabinet = Cabinet()
    app = web.Application()
    app.router.add_get("/{path:.*}", cabinet.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = SystemClock()
    budget = Budget(1_000, clock)
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/down?fileid={{id}}&download=1"
    files = Files(address, {"X-Door": "7"}, budget, Breaker(clock), timeout_s=0.5)
    yield cabinet, files, budget
    await files.close()
    await runner.cleanup()


Given = tuple[Cabinet, Files, Budget]


@pytest.fixture
def cabinet(opened_cabinet: Given) -> Given:
    opened_cabinet[0].forget()
    return opened_cabinet


async def test_a_file_comes_in_pieces_and_is_paid_for(cabinet: Given) -> None:
    served, files, budget = cabinet
    spent = budget.spent
    served.headers["Content-Disposition"] = (
        "attachment; filename*=UTF-8''%E9%80%9A%E7%9F%A5%2F..%2F%E4%B8%80.pdf"
    )
    download = await files.fetch("30271", 1_000_000)
    assert (download.name, download.content_type, download.size) == (
        "一.pdf",
        "application/pdf",
        len(BYTES),
    )
    assert b"".join([piece async for piece in download.pieces]) == BYTES
    assert served.asked == ["/down?fileid=30271&download=1"]
    assert budget.spent == spent + 1


@pytest.mark.parametrize("number", ["", "x", "1/../2", "1&a=b", "٣", "-1", "1" * 19, "1\n"])
async def test_what_is_no_number_never_becomes_an_address(cabinet: Given, number: str) -> None:
    served, files, _ = cabinet
    with pytest.raises(RefusedByOA):
        await files.fetch(number, 1_000)
    assert served.asked == []


async def test_without_an_address_there_are_no_files(cabinet: Given) -> None:
    clock = SystemClock()
    nowhere = Files("", {}, cabinet[2], Breaker(clock), timeout_s=1)
    with pytest.raises(RefusedByOA):
        await nowhere.fetch("1", 1_000)
    await nowhere.close()


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (302, {"Location": "http://127.0.0.1:1/login"}, b"", Blocked),
        (403, {}, b"", Blocked),
        (404, {}, b"", RefusedByOA),
        (404, {"errorMsg": "securityIntercept"}, b"", Blocked),
        (500, {}, b"", Unreachable),
        (200, {}, b"", RefusedByOA),
        (200, {"Content-Type": "text/html"}, b"\r\n<!DOCTYPE html><html>login</html>", Blocked),
        (200, {}, b"<script>top.location='/login'</script>", Blocked),
        (200, {"Content-Encoding": "gzip"}, BYTES, NotUnderstood),
        (200, {}, b"x" * 1_000_001, RefusedByOA),
    ],
)
async def test_what_is_not_the_file_is_told_as_what_it_is(
    cabinet: Given, status: int, headers: dict[str, str], body: bytes, kind: type[OAError]
) -> None:
    served, files, _ = cabinet
    served.status, served.body = status, body
    served.headers |= headers
    with pytest.raises(kind):
        await files.fetch("1", 1_000_000)
    assert len(served.asked) == 1


async def test_a_page_that_is_sent_as_a_file_is_one(cabinet: Given) -> None:
    served, files, _ = cabinet
    served.body = b"<html>report</html>"
    served.headers["Content-Disposition"] = 'attachment; filename="report.html"'
    download = await files.fetch("1", 1_000)
    assert b"".join([piece async for piece in download.pieces]) == served.body


async def test_a_file_that_begins_like_many_pages_is_looked_at_as_quickly_as_any(
    cabinet: Given,
) -> None:
    """Each comment doubled the ways to read it: with thirty nobody was served for ten minutes."""
    served, files, _ = cabinet
    served.body = b"<!---->" * 280 + b"x"
    download = await files.fetch("1", 10_000)
    assert b"".join([piece async for piece in download.pieces]) == served.body
    served.body = b"<!-- one\n--> <!-- two --> <html>"
    with pytest.raises(Blocked):
        await files.fetch("1", 10_000)


async def test_a_file_whose_size_was_not_told_is_cut_off(cabinet: Given) -> None:
    served, files, _ = cabinet
    served.in_pieces = True
    download = await files.fetch("1", 100_000)
    with pytest.raises(RefusedByOA):
        async for _ in download.pieces:
            pass


async def test_a_file_that_stops_coming_ends_and_leaves_its_place(cabinet: Given) -> None:
    served, files, _ = cabinet
    served.hangs = True

    async def read() -> None:
        download = await files.fetch("1", 1_000_000)
        async for _ in download.pieces:
            pass

    ends = await asyncio.gather(*(read() for _ in range(6)), return_exceptions=True)
    assert {type(end) for end in ends} == {Unreachable}
    served.hangs = False
    await read()


async def test_pieces_nobody_wants_leave_their_place_when_closed(cabinet: Given) -> None:
    _, files, _ = cabinet
    for _ in range(8):
        download = await files.fetch("1", 1_000_000)
        await download.pieces.aclose()


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("关于印发.docx", "关于印发.docx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.doc", "b.doc"),
        ("..hidden", "hidden"),
        ("a\u202ecod.exe", "acod.exe"),
        ("<b>x</b>\x00.pdf", "x .pdf"),
        ("长" * 300 + ".pdf", "长" * 196 + ".pdf"),
    ],
)
async def test_names_of_files_are_names_only(told: str, name: str) -> None:
    assert file_name(told) == name


async def test_files_in_markup_are_found_in_each_way_of_naming_them() -> None:
    one = '<a href="/weaver/weaver.file.FileDownload?fileid=7&download=1">表.xlsx（1.5M）</a>'
    named_before = (
        "<a onclick=\"openFullWindow('/docs/DocDsp.jsp?id=901')\">图.png(12B)</a>"
        '<a href="/x?download=1&amp;fileid=8">下载</a>'
    )
    nameless = '<A HREF="/x?fileid=9"><img src="/i.gif"></A>'
    found = files_in(one + named_before, nameless, one, None, "plain", "<a href='?fileid=x'>y</a>")
    assert [(file.id, file.name, file.size) for file in found] == [
        ("7", "表.xlsx", 1_572_864),
        ("8", "图.png", 12),
        ("9", "9", None),
    ]
