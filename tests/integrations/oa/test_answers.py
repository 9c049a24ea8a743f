"""What the adapter makes of answers no healthy OA gives: larger, empty, from something in front."""

import asyncio
from datetime import UTC, datetime

import pytest

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
from tests.integrations.oa.scripted import (
    COUNT,
    LIST,
    NS,
    XSI,
    Script,
    adapter_for,
    envelope,
    ids,
    listed,
    row,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_a_page_that_reports_an_error_is_no_login(oa: Ecology, script: Script) -> None:
    script.status, script.body = 500, "<html><body>500 Servlet Exception</body></html>"
    with pytest.raises(Unreachable):
        await ids(oa)


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


async def test_while_a_filter_turns_us_away_everybody_hears_that_and_not_of_silence(
    script: Script, address: str
) -> None:
    breaker = Breaker(SystemClock(), threshold=2, first_s=600, cap_s=600)
    oa = adapter_for(address, breaker=breaker, files=f"{address}?fileid={{id}}")
    await oa.open()
    script.status = 404
    script.headers["errorMsg"] = "securityIntercept"
    for _ in range(4):
        with pytest.raises(Blocked, match="security filter") as blocked:
            await oa.counts("2")
        assert blocked.value.never_arrived
    with pytest.raises(Blocked, match="security filter"):
        await oa.attachment("2", "1", 1_000)
    assert len(script.asked) == 2
    await oa.close()


async def test_a_document_the_oa_trips_over_does_not_close_it_for_others(
    script: Script, address: str
) -> None:
    oa = adapter_for(address, breaker=Breaker(SystemClock(), threshold=2, first_s=600, cap_s=600))
    await oa.open()
    fault = "<soap:Fault><faultcode>{}</faultcode><faultstring>x</faultstring></soap:Fault>"
    for broken in (envelope(fault.format("soap:Server")), "nonsense", envelope("")):
        script.body = broken
        for _ in range(3):
            with pytest.raises(OAError):
                await ids(oa)
    script.body = listed(row("7"))
    assert await ids(oa) == ["7"]
    await oa.close()


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
