"""Small real files of the usual kinds, made by simple means: what hangs on seeded documents."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Final

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_LINKS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KIND: Final = "application/vnd.openxmlformats-officedocument."
_EARLY: Final = (1980, 1, 1, 0, 0, 0)


def _packed(parts: dict[str, str]) -> bytes:
    """The same bytes each time, so that a size told once stays true."""
    to = BytesIO()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _EARLY), _XML + text)
    return to.getvalue()


def _types(part: str, kind: str, *more: tuple[str, str]) -> str:
    named = "".join(
        f'<Override PartName="{name}" ContentType="{_KIND}{of}+xml"/>'
        for name, of in ((part, kind), *more)
    )
    return (
        f'<Types xmlns="{_TYPES}"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{named}</Types>'
    )


def _links(target: str, kind: str) -> str:
    return (
        f'<Relationships xmlns="{_LINKS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


def _docx() -> bytes:
    lines = "".join(
        f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>"
        for line in ("关于开展医疗质量检查的通知", "各科室：", "请于月底前完成自查并报医务科。")
    )
    body = f'<w:document xmlns:w="{_WORD}"><w:body>{lines}</w:body></w:document>'
    return _packed(
        {
            "[Content_Types].xml": _types("/word/document.xml", "wordprocessingml.document.main"),
            "_rels/.rels": _links("word/document.xml", "officeDocument"),
            "word/document.xml": body,
        }
    )


def _xlsx() -> bytes:
    rows = "".join(
        f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{name}</t></is></c>'
        f'<c r="B{number}"><v>{count}</v></c></row>'
        for number, (name, count) in enumerate((("心电监护仪", 4), ("注射泵", 12)), 1)
    )
    book = (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="明细" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    page = f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'
    sheet = ("/xl/worksheets/sheet1.xml", "spreadsheetml.worksheet")
    return _packed(
        {
            "[Content_Types].xml": _types("/xl/workbook.xml", "spreadsheetml.sheet.main", sheet),
            "_rels/.rels": _links("xl/workbook.xml", "officeDocument"),
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": _links("worksheets/sheet1.xml", "worksheet"),
            "xl/worksheets/sheet1.xml": page,
        }
    )


def _pdf() -> bytes:
    drawn = b"BT /F1 18 Tf 72 760 Td (Quality check 2026) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + (
        b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (table, len(made))
    )


def _png() -> bytes:
    """A slope of colours, 160 by 120."""
    lines = b"".join(
        b"\0" + b"".join(bytes((x, 2 * y, 160)) for x in range(160)) for y in range(120)
    )
    header = struct.pack(">IIBBBBB", 160, 120, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    )


def _txt() -> bytes:
    return "检查要点：\r\n一、病历书写\r\n二、三级查房\r\n三、危急值报告\r\n".encode()


MADE: Final[dict[str, Callable[[], bytes]]] = {
    "docx": _docx,
    "xlsx": _xlsx,
    "pdf": _pdf,
    "png": _png,
    "txt": _txt,
}


@cache
def made_file(ending: str) -> bytes:
    """The file of this kind."""
    return MADE[ending]()
