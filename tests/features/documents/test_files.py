"""Files of documents: for whom they were shown, as long as that lasts, and never more than bytes."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.auth.sessions import Sessions
from server.features.documents import files
from server.features.documents.file_types import disposition, safe_name, type_of
from server.features.documents.seals import Seals
from server.http.answers import answer_refusals
from server.http.keys import SETTINGS
from server.integrations.oa import RefusedByOA, Unreachable
from server.integrations.oa.documents import Attachment, Download, Field
from server.storage import Insert, Patch
from server.storage.document import to_doc
from tests.features.documents.desk import Desk, OneDocument, open_desk

NAME = "关于排班的通知 (第2稿).pdf"


class Counter:
    """Where files are fetched, by whoever has an address."""

    def __init__(self, desk: Desk, http: aiohttp.ClientSession, server: TestServer) -> None:
        self.desk, self._http, self._server = desk, http, server

    async def address(self) -> str:
        card = await self.desk.open()
        url: str = card["fields"][0]["attachments"][0]["url"]
        return url

    async def get(self, url: str) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self._http.get(self._server.make_url(url)) as response:
            return response, await response.read()


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    field = Field("file", "附件", "attachments", attachments=(Attachment("901", NAME, 18),))
    async with open_desk(tmp_path, OneDocument(fields=(field,))) as desk:
        office = desk.office
        sessions = Sessions(
            office.store, office.clock, office.directory.roles_of, idle_hours=1, days=1
        )
        _, session = sessions.begin("ann", "phone", "10.0.0.1")
        stored = to_doc(session) | {"_id": "session-ann"}
        await office.store.apply(Insert(session.collection.name, stored))
        app = web.Application(middlewares=[answer_refusals])
        app[SETTINGS] = office.settings
        files.add_routes(
            app,
            sessions,
            office.system,
            office.clock,
            office.directory,
            desk.oa,
            office.services[Seals],
        )
        async with TestServer(app) as server, aiohttp.ClientSession() as http:
            counter = Counter(desk, http, server)
            counter.sessions = sessions  # type: ignore[attr-defined]
            yield counter


async def test_a_file_is_given_as_what_its_bytes_are_under_its_own_name(counter: Counter) -> None:
    response, body = await counter.get(await counter.address())
    assert (response.status, body) == (200, counter.desk.oa.file)
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    said = response.headers["Content-Disposition"]
    assert said.startswith("inline")
    assert said.endswith("filename*=UTF-8''" + quote(NAME, safe=""))
    [row] = await counter.desk.records()
    assert (row["actor_id"], row["action"], row["subject"]) == ("ann", "documents.downloaded", "7")
    assert (row["detail"]["name"], row["address"]) == (NAME, "127.0.0.1")


async def test_a_page_called_pdf_is_saved_as_bytes_and_never_shown(counter: Counter) -> None:
    counter.desk.oa.file = b"<html><script>alert(1)</script>"
    response, _ = await counter.get(await counter.address())
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"].startswith("sandbox")


async def test_whoever_wants_to_keep_it_saves_it(counter: Counter) -> None:
    response, _ = await counter.get(await counter.address() + "?download=1")
    assert response.headers["Content-Disposition"].startswith("attachment")


async def test_an_address_ends_after_ten_minutes_and_is_good_for_nothing_else(
    counter: Counter,
) -> None:
    address = await counter.address()
    *front, seal, name = address.split("/")
    body, _, signature = seal.partition(".")
    before = (await counter.desk.open())["more_before"]
    for other in (f"{body}.AAAA", f"{body[:-4]}AAAA.{signature}", body, "x", before):
        response, _ = await counter.get("/".join([*front, other, name]))
        assert response.status == 404
    counter.desk.office.clock.advance(601)
    response, _ = await counter.get(address)
    assert response.status == 404


async def test_it_ends_with_the_session_it_was_given_to(counter: Counter) -> None:
    address = await counter.address()
    now = counter.desk.office.clock.now()
    await counter.desk.office.store.apply(Patch("sessions", "session-ann", {"revoked_at": now}))
    counter.sessions.forget("session-ann")  # type: ignore[attr-defined]
    response, _ = await counter.get(address)
    assert response.status == 401
    assert await counter.desk.records() == []


async def test_who_fetches_too_much_waits(counter: Counter) -> None:
    address = await counter.address()
    statuses = [(await counter.get(address))[0].status for _ in range(21)]
    assert set(statuses[:20]) == {200}
    assert statuses[20] == 429


async def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(counter: Counter) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"%PDF-" + bytes(600)
        raise Unreachable("gone")

    async def attachment(*_: object) -> Download:
        return Download("x", "", None, pieces())  # type: ignore[arg-type]

    counter.desk.oa.attachment = attachment  # type: ignore[method-assign, assignment]
    with pytest.raises(aiohttp.ClientError):
        await counter.get(await counter.address())


async def test_a_file_that_the_oa_does_not_have_is_not_there(counter: Counter) -> None:
    async def attachment(*_: object) -> Download:
        raise RefusedByOA("no such file")

    counter.desk.oa.attachment = attachment  # type: ignore[method-assign]
    response, _ = await counter.get(await counter.address())
    assert response.status == 404
    assert await counter.desk.records() == []


@pytest.mark.parametrize(
    ("name", "begins", "content_type", "shown"),
    [
        ("a.PDF", b"%PDF-1.4", "application/pdf", True),
        ("a.png", b"\x89PNG\r\n\x1a\n", "image/png", True),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8", "image/webp", True),
        ("a.svg", b"<svg onload='x'/>", "application/octet-stream", False),
        ("a.html", b"<html>", "application/octet-stream", False),
        ("a.txt", "通知".encode(), "text/plain; charset=utf-8", True),
        ("a.txt", "通知".encode()[:-1], "text/plain; charset=utf-8", True),
        ("a.txt", "关于排班".encode("gb18030"), "text/plain; charset=gb18030", True),
        ("a.txt", b"MZ\x00\x01", "application/octet-stream", False),
        ("a.jpg", b"%PDF-1.4", "application/octet-stream", False),
        ("a.exe", b"MZ", "application/octet-stream", False),
        ("a", b"%PDF-1.4", "application/octet-stream", False),
    ],
)
def test_a_type_is_what_ending_and_bytes_agree_on(
    name: str, begins: bytes, content_type: str, shown: bool
) -> None:
    kind = type_of(name, begins)
    assert (kind.content_type, kind.may_be_shown) == (content_type, shown)


def test_a_name_is_a_name_and_no_more() -> None:
    assert safe_name("..\\../etc/pass\r\nwd\u202efdp.exe") == "_.._etc_pass__wd_fdp.exe"
    assert safe_name("  ") == "file"
    assert len(safe_name("长" * 300 + ".docx")) == 120
    assert safe_name("长" * 300 + ".docx").endswith(".docx")
    assert disposition('a".txt', shown=False).count('"') == 3
