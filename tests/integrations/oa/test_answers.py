"""What the adapter makes of answers no healthy OA gives: a scripted server says anything at all."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from aiohttp import web

from server.clock import SystemClock
from server.integrations.oa import (
    Blocked,
    NotUnderstood,
    OAError,
    RefusedByOA,
    Unreachable,
)
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.soap import Limits

pytestmark = pytest.mark.asyncio(loop_scope="module")

NS = "webservices.services.weaver.com.cn"
LIST = "getToDoWorkflowRequestListResponse"
COUNT = "getToDoWorkflowRequestCountResponse"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
SCHEMA_ORDER = (
    "createTime", "creatorName", "currentNodeName", "receiveTime", "requestId", "requestLevel",
    "requestName",
)  # fmt: skip


class Script:
    """A server that gives one answer to everything, and keeps what it was asked."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.body: bytes | str = b""
        self.status = 200
        self.headers = {"Content-Type": "text/xml; charset=utf-8"}
        self.hangs = False
        self.asked: list[tuple[dict[str, str], str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((dict(request.headers), await request.text()))
        if self.hangs:
            await asyncio.sleep(30)
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return web.Response(body=body, status=self.status, headers=self.headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scripted() -> AsyncIterator[tuple[Script, str, Ecology]]:
    """One server and one adapter for the module: reading the description takes its time."""
    script = Script()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/services/WorkflowService"
    adapter = adapter_for(address)
    await adapter.open()
    yield script, address, adapter
    await adapter.close()
    await runner.cleanup()


@pytest.fixture
def script(scripted: tuple[Script, str, Ecology]) -> Script:
    scripted[0].forget()
    return scripted[0]


@pytest.fixture
def address(scripted: tuple[Script, str, Ecology]) -> str:
    return scripted[1]


@pytest.fixture
def oa(scripted: tuple[Script, str, Ecology]) -> Ecology:
    return scripted[2]


def adapter_for(address: str, timeout_s: float = 5.0) -> Ecology:
    clock = SystemClock()
    config = OAConfig(address, headers={"X-Door": "7"}, limits=Limits(timeout_s=timeout_s))
    return Ecology(config, Budget(1_000, clock), Breaker(clock, threshold=1_000))


def envelope(inside: str) -> str:
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:xsd="http://www.w3.org/2001/XMLSchema" {XSI}><soap:Body>{inside}</soap:Body>'
        "</soap:Envelope>"
    )


def listed(*rows: str) -> str:
    return envelope(f'<a:{LIST} xmlns:a="{NS}"><a:out>{"".join(rows)}</a:out></a:{LIST}>')


def row(request_id: str = "7", *, name: str = "请示", between: str = "", order: int = 1) -> str:
    values = {
        "createTime": "2026-01-05 07:00:00",
        "creatorName": "李四",
        "currentNodeName": "审批",
        "receiveTime": "2026-01-05 08:30:00",
        "requestId": request_id,
        "requestLevel": "2",
        "requestName": name,
    }
    fields = [f"<{field}>{values[field]}</{field}>" for field in SCHEMA_ORDER[::order]]
    inner = between.join(["", *fields, ""])
    return (
        '<WorkflowRequestInfo xmlns="http://webservices.workflow.weaver">'
        f"{inner}</WorkflowRequestInfo>"
    )


async def titles(oa: Ecology) -> list[str]:
    return [item.title for item in (await oa.list_items("2", "pending", 1, 20)).items]


async def ids(oa: Ecology) -> list[str]:
    return [item.request_id for item in (await oa.list_items("2", "pending", 1, 20)).items]


# Larger than the schema


@pytest.mark.parametrize(
    "between",
    [
        "<laterField>1</laterField>",
        '<laterField xmlns="urn:elsewhere"><inner a="1"><b/></inner></laterField>',
        f'<laterField {XSI} xsi:nil="true"/>',
        "<!-- a remark --><?pi?>",
    ],
)
async def test_elements_of_later_builds_leave_every_known_field_as_it_was(
    oa: Ecology, script: Script, between: str
) -> None:
    script.body = listed(row("7", between=between), row("8", between=between))
    page = await oa.list_items("2", "pending", 1, 20)
    assert [item.request_id for item in page.items] == ["7", "8"]
    first = page.items[0]
    assert (first.title, first.creator_name, first.node) == ("请示", "李四", "审批")
    assert first.urgency == "urgent"
    assert first.received_at == datetime(2026, 1, 5, 0, 30, tzinfo=UTC).timestamp() * 1000


async def test_another_order_of_the_fields_loses_none(oa: Ecology, script: Script) -> None:
    script.body = listed(row("7", order=-1))
    (item,) = (await oa.list_items("2", "pending", 1, 20)).items
    assert (item.request_id, item.title, item.urgency) == ("7", "请示", "urgent")


async def test_unknown_elements_between_rows_and_around_the_result_are_passed_over(
    oa: Ecology, script: Script
) -> None:
    out = f"<a:later/><a:out><x/>{row('7')}<x/></a:out><a:later>1</a:later>"
    script.body = envelope(f'<a:{LIST} xmlns:a="{NS}">{out}</a:{LIST}>')
    assert await ids(oa) == ["7"]


# Nothing, in its many ways


@pytest.mark.parametrize(
    "out", ["<a:out/>", '<a:out xsi:nil="true"/>', "<a:out></a:out>", "<a:out> </a:out>"]
)
async def test_an_empty_list_is_empty_however_it_is_written(
    oa: Ecology, script: Script, out: str
) -> None:
    script.body = envelope(f'<a:{LIST} xmlns:a="{NS}">{out}</a:{LIST}>')
    assert await ids(oa) == []


async def test_nil_rows_in_a_list_are_passed_over(oa: Ecology, script: Script) -> None:
    nil = '<WorkflowRequestInfo xmlns="http://webservices.workflow.weaver" xsi:nil="true"/>'
    script.body = listed(nil, row("7"), nil)
    assert await ids(oa) == ["7"]


async def test_rows_of_which_none_has_an_id_are_not_an_empty_list(
    oa: Ecology, script: Script
) -> None:
    script.body = listed(row(""), row(" "))
    with pytest.raises(NotUnderstood):
        await ids(oa)


async def test_rows_in_a_foreign_namespace_are_not_understood(oa: Ecology, script: Script) -> None:
    for namespace in ("http://webservices.workflow.weaver", NS):
        script.body = listed(row("7")).replace(namespace, "urn:other")
        with pytest.raises(NotUnderstood):
            await ids(oa)


@pytest.mark.parametrize(
    "out",
    ["<a:out/>", '<a:out xsi:nil="true"/>', "", "<a:out>many</a:out>", "<a:out>-1</a:out>"],
)
async def test_a_count_that_is_no_number_is_never_zero(
    oa: Ecology, script: Script, out: str
) -> None:
    script.body = envelope(f'<a:{COUNT} xmlns:a="{NS}">{out}</a:{COUNT}>')
    with pytest.raises(NotUnderstood):
        await oa.counts("2")


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "ok",
        "{}",
        envelope(""),
        envelope("<other/>"),
        envelope(f'<a:{LIST} xmlns:a="{NS}"/>'),
        "<a/>",
        listed(row())[:-30],
        "\0",
    ],
)
async def test_an_answer_that_is_no_answer_is_not_understood(
    oa: Ecology, script: Script, body: str
) -> None:
    script.body = body
    with pytest.raises(NotUnderstood):
        await ids(oa)


# What stands in front of the OA


@pytest.mark.parametrize("body", ["", "<html><body/></html>", listed(row())])
async def test_the_security_filter_is_told_as_blocked(
    oa: Ecology, script: Script, body: str
) -> None:
    script.status, script.body = 404, body
    script.headers["errorMsg"] = "securityIntercept"
    with pytest.raises(Blocked, match="security filter"):
        await ids(oa)


async def test_a_well_formed_404_page_is_blocked_and_not_a_fault(
    oa: Ecology, script: Script
) -> None:
    script.status, script.body = 404, "<html><head/><body><h1>404</h1></body></html>"
    with pytest.raises(Blocked):
        await ids(oa)


@pytest.mark.parametrize(
    "body",
    [
        "<script>top.location.href='/login/Login.jsp'</script>",
        "\r\n<!DOCTYPE html>\n<html><body>login</body></html>",
        "<!-- x --><HTML><head></head></HTML>",
    ],
)
async def test_a_login_page_is_told_as_blocked(oa: Ecology, script: Script, body: str) -> None:
    script.body = body
    with pytest.raises(Blocked):
        await ids(oa)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, Blocked), (401, Blocked), (403, Blocked), (418, NotUnderstood), (429, Unreachable),
     (500, Unreachable), (502, Unreachable), (503, Unreachable), (504, Unreachable)],
)  # fmt: skip
async def test_a_status_is_told_as_its_kind(
    oa: Ecology, script: Script, status: int, kind: type[OAError]
) -> None:
    script.status, script.body = status, "<error>gone</error>"
    script.headers["Location"] = "/elsewhere"
    with pytest.raises(kind):
        await ids(oa)
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_a_fault_is_a_refusal_and_its_text_stays_out_of_ours(
    oa: Ecology, script: Script, status: int
) -> None:
    script.status = status
    script.body = envelope(
        "<soap:Fault><faultcode>soap:Server</faultcode>"
        "<faultstring>secret detail</faultstring></soap:Fault>"
    )
    with pytest.raises(RefusedByOA) as refused:
        await ids(oa)
    assert "secret" not in refused.value.sentence


# Time


async def test_an_oa_that_accepts_and_is_silent_is_unreachable_in_time(
    script: Script, address: str
) -> None:
    script.hangs = True
    oa = adapter_for(address, timeout_s=0.2)
    await oa.open()
    async with asyncio.timeout(2):
        with pytest.raises(Unreachable):
            await oa.counts("2")
    await oa.close()


async def test_an_answer_that_drips_is_given_up_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 9999\r\n\r\n")
        try:
            while not reader.at_eof():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    oa = adapter_for(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x", timeout_s=0.3)
    await oa.open()
    async with asyncio.timeout(2):
        with pytest.raises(Unreachable):
            await oa.counts("2")
    await oa.close()
    server.close()


@pytest.mark.parametrize("said", [b"", b"220 not HTTP\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_a_connection_cut_short_is_unreachable(said: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    oa = adapter_for(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")
    await oa.open()
    with pytest.raises(Unreachable):
        await oa.counts("2")
    await oa.close()
    server.close()


async def test_nobody_listening_is_unreachable(unused_tcp_port: int) -> None:
    oa = adapter_for(f"http://127.0.0.1:{unused_tcp_port}/x")
    await oa.open()
    with pytest.raises(Unreachable):
        await oa.counts("2")
    await oa.close()


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


# What we say


async def test_a_question_has_the_shape_the_original_expects(oa: Ecology, script: Script) -> None:
    script.body = listed(row("7"))
    await oa.list_items("2", "pending", 1, 20)
    headers, text = script.asked[-1]
    assert headers["SOAPAction"].strip('"') == (
        "urn:weaver.workflow.webservices.WorkflowService.getToDoWorkflowRequestList"
    )
    assert headers["X-Door"] == "7"
    assert (
        "<ns0:in0>1</ns0:in0><ns0:in1>20</ns0:in1><ns0:in2>20</ns0:in2><ns0:in3>2</ns0:in3>"
        "<ns0:in4/>"
    ) in text


async def test_pages_nobody_can_have_are_not_asked_for(oa: Ecology, script: Script) -> None:
    assert (await oa.list_items("2", "pending", 3, 40)).items == ()
    assert (await oa.list_items("2", "pending", 0, 40)).items == ()
    assert (await oa.list_items("2", "pending", 1, 0)).items == ()
    assert script.asked == []


async def test_an_oa_that_is_down_at_the_start_costs_only_its_own_description(
    unused_tcp_port: int,
) -> None:
    address = f"http://127.0.0.1:{unused_tcp_port}/x"
    clock = SystemClock()
    oa = Ecology(OAConfig(address, wsdl=f"{address}?wsdl"), Budget(10, clock), Breaker(clock))
    await oa.open()
    with pytest.raises(Unreachable):
        await oa.counts("2")
    await oa.close()


async def test_a_description_that_is_no_file_stops_the_start() -> None:
    clock = SystemClock()
    config = OAConfig("http://127.0.0.1:1/x", wsdl="/nowhere/at-all.wsdl")
    oa = Ecology(config, Budget(10, clock), Breaker(clock))
    with pytest.raises(ValueError, match="WSDL cannot be read"):
        await oa.open()
    await oa.close()
