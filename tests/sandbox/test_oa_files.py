"""Files of the stand-in OA: real ones, badly named in the header, and the ways in which they fail."""

import json
import zipfile
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from openpyxl import load_workbook

from server.sandbox.oa_files import OAFiles
from server.sandbox.oa_made_files import made_file
from tests.sandbox.running import RunningSandbox, running_sandbox

DOWNLOAD = "/oa/weaver/weaver.file.FileDownload"


@pytest.fixture
async def files(tmp_path: Path) -> OAFiles:
    made = OAFiles(tmp_path)
    await made.open()
    return made


def test_the_made_files_are_what_their_endings_say() -> None:
    with zipfile.ZipFile(BytesIO(made_file("docx"))) as document:
        assert "医疗质量检查" in document.read("word/document.xml").decode()
    sheet = load_workbook(BytesIO(made_file("xlsx"))).active
    assert sheet is not None
    assert sheet["A1"].value == "心电监护仪"
    pdf = made_file("pdf")
    place = int(pdf.rsplit(b"startxref\n", 1)[1].split()[0])
    assert pdf[place : place + 4] == b"xref"
    png = made_file("png")
    packed = png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8]
    assert len(zlib.decompress(packed)) == 120 * (1 + 160 * 3)


async def test_files_are_found_again_after_a_restart_by_both_ids(
    files: OAFiles, tmp_path: Path
) -> None:
    made = (await files.make(["关于检查的通知.docx"]))[0]
    sent = await files.keep("照片.bin", b"abc")
    with (tmp_path / "oa_files.jsonl").open("ab") as cut_short:
        cut_short.write(b'{"document_id": 5')
    again = OAFiles(tmp_path)
    await again.open()

    assert again.of_document(made.document_id) == again.find(made.file_id) == made
    assert await again.read(made) == made_file("docx")
    assert await again.read(sent) == b"abc"
    assert (await again.keep("三.txt", b"")).file_id == sent.file_id + 1


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(tmp_path, seed_documents=12) as running:
        yield running


def made_names(folder: Path) -> tuple[str, str]:
    lines = (folder / "sandbox" / "oa_files.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = (json.loads(line)["name"] for line in lines[:2])
    return first, second


async def test_a_download_is_named_in_gbk_or_in_utf_8(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    named = []
    for number in (30_271, 30_272):
        address = f"{sandbox.base}{DOWNLOAD}?fileid={number}&download=1"
        async with sandbox.http.get(address) as answer:
            assert answer.status == 200
            assert await answer.read()
            named.append(dict(answer.raw_headers)[b"Content-Disposition"])

    first, second = made_names(tmp_path)
    assert named[0] == f'attachment; filename="{first}"'.encode("gbk")
    assert named[1] == f'attachment; filename="{quote(second)}"'.encode()


async def test_files_fail_in_the_ways_a_switch_is_turned_to(sandbox: RunningSandbox) -> None:
    async def asked(mode: str) -> tuple[int, str, bytes]:
        await sandbox.http.post(f"{sandbox.base}/oa/faults", json={"mode": mode, "for_s": 60})
        address = f"{sandbox.base}{DOWNLOAD}?fileid=30272"
        async with sandbox.http.get(address, allow_redirects=False) as answer:
            start = await answer.content.read(200_000)
            answer.close()
            return answer.status, answer.content_type, start

    assert b"Login.jsp" in (await asked("file_login"))[2]
    assert (await asked("file_type"))[1] == "text/html"
    assert (await asked("file_elsewhere"))[0] == 302
    assert (await asked("file_endless"))[2].startswith(bytes(1_000))
    assert (await asked("off"))[0] == 200


async def test_an_unknown_file_is_a_page_that_says_so(sandbox: RunningSandbox) -> None:
    async with sandbox.http.get(f"{sandbox.base}{DOWNLOAD}?fileid=1") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
