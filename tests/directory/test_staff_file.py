"""Reading spreadsheets of staff: ours, others, and such as are made to do harm."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from server.directory.staff_file import COLUMNS, BadFile, read_staff, write_template
from server.directory.staff_import import import_staff
from tests.directory.staff_office import ANN, BOB, Office, office

__all__ = ["office"]


async def test_the_template_is_accepted_and_empty(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    write_template(office.file)

    assert read_staff(office.file).columns == frozenset(COLUMNS)
    assert await import_staff(office.file, office.store, office.clock, True) == 2
    assert "没有人员" in capsys.readouterr().out
    assert [c.value for c in load_workbook(office.file).active[1]] == list(COLUMNS)


def test_a_header_without_the_needed_columns_is_no_staff_file(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["姓名", "电话"])
    book.save(tmp_path / "x.xlsx")

    with pytest.raises(BadFile, match="缺少列：工号、账号、部门"):
        read_staff(tmp_path / "x.xlsx")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nonsense", b"\xd0\xcf\x11\xe0old", b"a,b\n"])
def test_other_files_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.xlsx"
    file.write_bytes(content)

    with pytest.raises(BadFile):
        read_staff(file)
    with pytest.raises(BadFile):
        read_staff(tmp_path / "missing.xlsx")


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", b"<worksheet><broken"),
        ("xl/worksheets/sheet1.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'),
        ("xl/workbook.xml", b""),
    ],
)
def test_a_spoiled_file_is_refused_in_words(
    office: Office, tmp_path: Path, part: str, content: bytes
) -> None:
    office.write(ANN)
    spoiled = tmp_path / "spoiled.xlsx"
    with zipfile.ZipFile(office.file) as old, zipfile.ZipFile(spoiled, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))

    with pytest.raises(BadFile):
        read_staff(spoiled)


def test_a_file_that_unpacks_to_too_much_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.directory.staff_file.LARGEST_UNPACKED", 1_000_000)
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b" " * 2_000_000)

    with pytest.raises(BadFile, match="过大"):
        read_staff(bomb)


def test_too_many_rows_are_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.directory.staff_file.MOST_ROWS", 1)
    office.write(ANN, BOB)

    with pytest.raises(BadFile, match="超过 1 行"):
        read_staff(office.file)


def test_an_empty_template_takes_no_filled_lists_place(tmp_path: Path) -> None:
    filled = tmp_path / "people.xlsx"
    filled.write_bytes(b"months of work")

    with pytest.raises(FileExistsError, match="already"):
        write_template(filled)

    assert filled.read_bytes() == b"months of work"
