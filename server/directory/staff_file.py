"""The spreadsheet of the staff: reading its rows as plain text, and writing the empty template.

A spreadsheet is a zip of XML from somebody's machine, so it is looked at before it is opened: how
large it is unpacked, and whether it declares entities. Formulas are not evaluated; a cell with one is
reported like any other mistake.
"""

import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

LARGEST_FILE: Final = 20 * 1024 * 1024
LARGEST_UNPACKED: Final = 200 * 1024 * 1024
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 200

NUMBER, NAME, ACCOUNT, DEPARTMENT, TITLE = "工号", "姓名", "账号", "部门", "职务"
OFFICE_PHONE, MOBILE, EMAIL = "办公电话", "手机", "邮箱"
WECOM, OA, ROLES = "企业微信账号", "OA编号", "角色"
OA_DEPARTMENT = "OA部门编号"

COLUMNS: Final[dict[str, str]] = {
    NUMBER: "必填。一人多岗时写多行，工号相同。",
    NAME: "必填。",
    ACCOUNT: "必填。登录用，定下后不能更改，也不会再给别人。",
    DEPARTMENT: "必填。从最上级写起，用 / 分隔，例如 内科/心血管内科。没有的部门会新建。",
    TITLE: "例如 主治医师。",
    OFFICE_PHONE: "例如 60001。",
    MOBILE: "例如 10000000000。",
    EMAIL: "例如 name@hospital.example。",
    WECOM: "收通知用。空着不改。",
    OA: "收待办用。",
    OA_DEPARTMENT: "在公文表单里选这个部门用。写在该部门的任意一行即可，空着不改。",
    ROLES: "员工、负责人、栏目编辑、系统管理员、安全管理员、审计管理员；多个用顿号分隔。",
}
REQUIRED: Final = (NUMBER, NAME, ACCOUNT, DEPARTMENT)


class BadFile(Exception):
    """The file cannot be used at all; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a row, and what to do about it."""

    row: int
    column: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row with something in it: its number in the sheet and its cells as text, by column."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class StaffFile:
    """What a file holds: the columns it has, its rows, and cells that could not be read."""

    columns: frozenset[str]
    rows: list[Row]
    faults: list[Fault]


def read_staff(path: Path) -> StaffFile:
    """Read the first sheet. Raises BadFile."""
    _inspect(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about decorations of the sheet that nobody reads
            return _open(path)
    # Parsers of XML raise kinds of SyntaxError.
    except (InvalidFileException, KeyError, ValueError, IndexError, SyntaxError, OSError) as fault:
        raise BadFile(f"文件打不开（{type(fault).__name__}），请另存为 .xlsx 再试。") from None


def _open(path: Path) -> StaffFile:
    book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    try:
        return _read(book.worksheets[0].iter_rows(max_col=MOST_COLUMNS))
    finally:
        book.close()


def _inspect(path: Path) -> None:
    if not path.is_file():
        raise BadFile(f"没有这个文件：{path}")
    if path.stat().st_size > LARGEST_FILE:
        raise BadFile("文件超过 20 MB，请去掉图片等无关内容。")
    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > LARGEST_UNPACKED:
                raise BadFile("文件展开后过大，请只保留人员表。")
            for part in parts.infolist():
                with parts.open(part) as content:
                    beginning = content.read(4_096).upper()
                if b"<!DOCTYPE" in beginning or b"<!ENTITY" in beginning:
                    raise BadFile("文件里有不允许的声明，请另存为新的 .xlsx。")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        raise BadFile("这不是 .xlsx 文件，请另存为 .xlsx（不加密）再试。") from None


def _read(lines: Iterator[tuple[Any, ...]]) -> StaffFile:
    header = next(lines, ())
    names = [_text(cell.value) for cell in header]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise BadFile(f"第 1 行缺少列：{'、'.join(missing)}。请用模板的表头。")
    known = [name for name in names if name in COLUMNS]
    if len(known) != len(set(known)):
        raise BadFile("第 1 行有重复的列，请删去多余的。")
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=2):
        if number > MOST_ROWS + 1:
            raise BadFile(f"超过 {MOST_ROWS} 行，请分成几个文件，或删去空白行。")
        row, bad = _row(number, names, line)
        faults += bad
        if any(row.cells.values()) or bad:
            rows.append(row)
    return StaffFile(frozenset(known), rows, faults)


def _row(number: int, names: list[str], line: tuple[Any, ...]) -> tuple[Row, list[Fault]]:
    cells: dict[str, str] = {}
    faults: list[Fault] = []
    for name, cell in zip(names, line, strict=False):
        if name not in COLUMNS:
            continue
        text = _text(cell.value)
        if getattr(cell, "data_type", "") == "f":
            faults.append(Fault(number, name, "是公式", "请复制后选择性粘贴为数值"))
        elif getattr(cell, "data_type", "") == "e":
            faults.append(Fault(number, name, f"是错误值 {text[:20]}", "请改正"))
        elif len(text) > LONGEST_CELL:
            faults.append(Fault(number, name, f"超过 {LONGEST_CELL} 个字", "请缩短"))
        else:
            cells[name] = text
    return Row(number, cells), faults


def _text(value: object) -> str:
    """A cell as people see it: whole numbers without a point, no spaces around."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())


def write_template(path: Path) -> None:
    """Write an empty spreadsheet with the columns and what belongs into them. Raises OSError, also where
    a file is already: it may be the list that somebody has filled in."""
    if path.exists():
        raise FileExistsError(f"{path} is there already and was left as it is; name a new file")
    book = Workbook()
    sheet = book.active
    assert sheet is not None, "a new workbook has a sheet"
    sheet.title = "人员"
    sheet.freeze_panes = "A2"
    for place, (name, note) in enumerate(COLUMNS.items(), start=1):
        cell = sheet.cell(1, place, name)
        cell.font = Font(bold=True)
        cell.comment = Comment(note, "院信")
        letter = cell.column_letter
        sheet.column_dimensions[letter].width = 28 if name == DEPARTMENT else 16
        # As text, so that leading zeros stay.
        for number in range(2, 200):
            sheet.cell(number, place).number_format = "@"
    book.save(path)
