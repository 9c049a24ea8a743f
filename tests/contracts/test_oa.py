"""The OA port against the e-cology adapter, on a real socket, with the stand-in as the OA."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from server.clock import SystemClock
from server.integrations.oa import OA, NotUnderstood, RefusedByOA, Unreachable
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.soap import Limits
from server.sandbox.oa import OAStandIn
from tests.clocks import ManualClock

Put = Callable[..., Awaitable[str]]


@pytest.fixture
async def stand_in(tmp_path: Path) -> OAStandIn:
    desk = OAStandIn(tmp_path, ManualClock())
    await desk.open()
    return desk


@pytest.fixture
async def address(stand_in: OAStandIn) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(stand_in.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/oa"
    await runner.cleanup()


@pytest.fixture
async def oa(address: str) -> AsyncIterator[OA]:
    clock = SystemClock()
    adapter = Ecology(
        OAConfig(f"{address}/services/WorkflowService", limits=Limits(timeout_s=2.0)),
        Budget(1_000, clock),
        Breaker(clock, threshold=1_000),
    )
    await adapter.open()
    yield adapter
    await adapter.close()


@pytest.fixture
async def put(address: str) -> Put:
    async def put(title: str = "采购申请", creator: str = "s0009", **more: Any) -> str:
        async with aiohttp.ClientSession() as http:
            body = {"title": title, "creator": creator, "approvers": ["s0002"]} | more
            async with http.post(f"{address}/requests", json=body) as response:
                assert response.status == 201
                return str((await response.json())["request_id"])

    return put


async def test_a_document_put_on_the_desk_waits_for_its_approver(oa: OA, put: Put) -> None:
    request_id = await put("关于采购监护仪的申请", urgency="urgent")
    page = await oa.list_items("2", "pending")
    assert (await oa.counts("2")).pending == 1
    assert page.total == 1
    assert [item.request_id for item in page.items] == [request_id]
    item = page.items[0]
    assert (item.title, item.urgency, item.node) == ("关于采购监护仪的申请", "urgent", "审批")
    assert item.received_at == ManualClock().now()


async def test_each_list_holds_what_its_name_says(oa: OA, put: Put, stand_in: OAStandIn) -> None:
    running = await put(approvers=["s0002", "s0003"], copies=["s0004"])
    archived = await put(creator="s0008")
    await stand_in.documents.submit(int(running), 2, "submit")
    await stand_in.documents.submit(int(archived), 2, "submit")

    async def ids(user: str, state: Any) -> set[str]:
        return {item.request_id for item in (await oa.list_items(user, state)).items}

    assert await ids("2", "pending") == set()
    assert await ids("2", "done") == {running, archived}
    assert await ids("3", "pending") == {running}
    assert await ids("4", "read") == {running}
    assert await ids("9", "started") == {running}
    assert (await oa.counts("4", with_copies=True)).to_read == 1


async def test_a_refused_document_goes_back_to_its_creator(
    oa: OA, put: Put, stand_in: OAStandIn
) -> None:
    request_id = await put()
    await stand_in.documents.submit(int(request_id), 2, "reject")
    assert (await oa.counts("2")).pending == 0
    assert [item.request_id for item in (await oa.list_items("9", "pending")).items] == [request_id]


async def test_pages_together_hold_every_document_once_newest_first(oa: OA, put: Put) -> None:
    ids = [await put(f"第{number}号") for number in range(45)]
    pages = [await oa.list_items("2", "pending", page) for page in (1, 2, 3, 4)]
    assert [len(page.items) for page in pages] == [20, 20, 5, 0]
    assert [item.request_id for page in pages for item in page.items] == ids[::-1]


async def test_the_done_list_pages_through_two_lists_in_one_order(
    oa: OA, stand_in: OAStandIn
) -> None:
    clock = stand_in._clock
    assert isinstance(clock, ManualClock)
    ids = []
    for number in range(50):
        approvers = [2] if number % 3 else [2, 3]
        document = await stand_in.documents.create(f"第{number}号", 9, approvers)
        await stand_in.documents.submit(document.request_id, 2, "submit")
        ids.append(str(document.request_id))
        clock.advance(60)
    pages = [await oa.list_items("2", "done", page) for page in (1, 2, 3, 4)]
    assert [item.request_id for page in pages for item in page.items] == ids[::-1]
    assert {page.total for page in pages} == {50}


async def test_a_user_id_that_is_no_number_is_never_sent(oa: OA, stand_in: OAStandIn) -> None:
    for user in ("s0002", "", "-1", "2 or 1=1", "٢", "99999999999"):
        with pytest.raises(RefusedByOA):
            await oa.counts(user)
    assert not stand_in.calls


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("down", Unreachable),
        ("slow", Unreachable),
        ("fault", RefusedByOA),
        ("malformed", NotUnderstood),
    ],
)
async def test_each_fault_is_told_as_its_kind(
    oa: OA, put: Put, stand_in: OAStandIn, mode: str, kind: type[Exception]
) -> None:
    await put()
    stand_in.faults.set(mode)
    with pytest.raises(kind):
        await oa.list_items("2", "pending")
    stand_in.faults.set("off")
    assert (await oa.counts("2")).pending == 1


async def test_swallowed_errors_look_like_nothing_waiting(
    oa: OA, put: Put, stand_in: OAStandIn
) -> None:
    await put()
    stand_in.faults.set("empty")
    assert (await oa.counts("2")).pending == 0
    assert (await oa.list_items("2", "pending", 1, 1)).items == ()


async def test_a_wrong_total_cuts_the_page_as_the_original_does(oa: OA, put: Put) -> None:
    for _ in range(3):
        await put()
    assert len((await oa.list_items("2", "pending", 1, 2)).items) == 2
    assert (await oa.list_items("2", "pending", 1, 0)).items == ()


async def test_the_live_description_serves_as_well_as_the_bundled_one(address: str) -> None:
    clock = SystemClock()
    service = f"{address}/services/WorkflowService"
    adapter = Ecology(
        OAConfig(service, wsdl=f"{service}?wsdl"), Budget(1_000, clock), Breaker(clock)
    )
    await adapter.open()
    assert (await adapter.counts("2")).pending == 0
    await adapter.close()
