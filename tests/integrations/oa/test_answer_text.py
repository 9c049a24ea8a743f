"""What the adapter makes of an answer's characters: illegal, strange, marked up, or meant to harm."""

import gzip
from datetime import UTC, datetime

import pytest

from server.integrations.oa import (
    NotUnderstood,
)
from server.integrations.oa.ecology import Ecology
from tests.integrations.oa.scripted import Script, ids, listed, row, titles

pytestmark = pytest.mark.asyncio(loop_scope="module")


# Characters


@pytest.mark.parametrize("bad", ["&#x0b;", "&#11;", "\x0b", "\x00", "&#xD800;", "&#xFFFE;",
                                 "&#0;", "&#99999999999;", "\ufffe"])  # fmt: skip
async def test_a_character_xml_forbids_costs_no_page(oa: Ecology, script: Script, bad: str) -> None:
    script.body = listed(row("7", name=f"甲{bad}乙"), row("8"))
    assert await titles(oa) == ["甲 乙", "请示"]


async def test_legal_references_stay(oa: Ecology, script: Script) -> None:
    script.body = listed(row("7", name="&#30002;&#x4e59;&#10;&amp;"))
    assert await titles(oa) == ["甲乙 &"]


async def test_gbk_is_read_by_declaration_and_by_header(oa: Ecology, script: Script) -> None:
    text = listed(row("7", name="关于会诊的请示"))
    script.body = ('<?xml version="1.0" encoding="GBK"?>' + text).encode("gbk")
    script.headers["Content-Type"] = "text/xml"
    assert await titles(oa) == ["关于会诊的请示"]
    script.body = text.encode("gbk")
    script.headers["Content-Type"] = "text/xml; charset=GBK"
    assert await titles(oa) == ["关于会诊的请示"]
    script.body = ('<?xml version="1.0" encoding="GB2312"?>' + text).encode("gbk")
    assert await titles(oa) == ["关于会诊的请示"]


async def test_half_a_character_costs_a_character_and_no_page(oa: Ecology, script: Script) -> None:
    script.body = listed(row("7", name="请@")).encode().replace(b"@", b"\xe4\xb8")
    assert (await titles(oa))[0].startswith("请")


@pytest.mark.parametrize("encoding", ["rot13", "unicode_escape", "nonsense", "utf-7"])
async def test_strange_encodings_are_not_tried(oa: Ecology, script: Script, encoding: str) -> None:
    script.body = f'<?xml version="1.0" encoding="{encoding}"?>{listed(row())}'
    with pytest.raises(NotUnderstood):
        await ids(oa)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("&lt;span onclick=&quot;x()&quot;&gt;请示&lt;/span&gt;(待办)", "请示(待办)"),
        ("请示&amp;nbsp;二", "请示 二"),
        ("&lt;script&gt;steal()&lt;/script&gt;请示", "请示"),
        ("x&lt;y 且 &lt;管理办法&gt;", "x<y 且 <管理办法>"),
        ("请<b>示</b>", "请示"),
        ("  请\n\t示  ", "请 示"),
        ("\u202e请示\u200b", "请示"),
    ],
)
async def test_titles_are_plain_text(oa: Ecology, script: Script, name: str, title: str) -> None:
    script.body = listed(row("7", name=name))
    assert await titles(oa) == [title]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-05 08:30:00", datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
        ("2026-01-05 08:30", datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
        ("2026-01-05 ", datetime(2026, 1, 4, 16, 0, tzinfo=UTC)),
        # Neither a moment of its own: the creation's is the next best.
        (" ", datetime(2026, 1, 4, 23, 0, tzinfo=UTC)),
        ("2026-13-41 99:99:99", datetime(2026, 1, 4, 23, 0, tzinfo=UTC)),
    ],
)
async def test_times_are_read_leniently_in_the_zone_of_the_oa(
    oa: Ecology, script: Script, written: str, expected: datetime
) -> None:
    script.body = listed(row("7").replace("2026-01-05 08:30:00", written))
    (item,) = (await oa.list_items("2", "pending", 1, 20)).items
    assert item.received_at == expected.timestamp() * 1000


# Attacks


async def test_documents_types_and_entities_are_never_read(
    oa: Ecology, script: Script, address: str
) -> None:
    laughs = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for subset in (
        '<!ENTITY x SYSTEM "file:///etc/hostname">',
        f'<!ENTITY x SYSTEM "{address}">',
        f'<!ENTITY % p SYSTEM "{address}"> %p;',
        laughs,
        "",
    ):
        text = listed(row("7", name="&x;"))
        script.body = f"<?xml version='1.0'?><!DOCTYPE r [{subset}]>{text}"
        asked = len(script.asked)
        with pytest.raises(NotUnderstood):
            await ids(oa)
        assert len(script.asked) == asked + 1


async def test_an_undeclared_entity_is_not_understood(oa: Ecology, script: Script) -> None:
    script.body = listed(row("7", name="&x;"))
    with pytest.raises(NotUnderstood):
        await ids(oa)


async def test_a_huge_answer_is_refused_before_it_is_read_whole(
    oa: Ecology, script: Script
) -> None:
    script.body = listed(row("7", name="x" * 20_000_000))
    with pytest.raises(NotUnderstood, match="larger than 8 MiB"):
        await ids(oa)


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused(
    oa: Ecology, script: Script
) -> None:
    script.headers["Content-Encoding"] = "gzip"
    script.body = gzip.compress(listed(row("7", name="x" * 50_000_000)).encode())
    assert len(script.body) < 100_000
    with pytest.raises(NotUnderstood, match="larger than 8 MiB"):
        await ids(oa)


async def test_a_packed_answer_of_fair_size_is_read(oa: Ecology, script: Script) -> None:
    script.headers["Content-Encoding"] = "gzip"
    script.body = gzip.compress(listed(row("7")).encode())
    assert await ids(oa) == ["7"]


async def test_a_tree_of_great_depth_is_not_understood(oa: Ecology, script: Script) -> None:
    script.body = listed("<a>" * 300_000 + "</a>" * 300_000)
    with pytest.raises(NotUnderstood):
        await ids(oa)
