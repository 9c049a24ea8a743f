"""审批时效 in a browser: before and after, by process and department, and one's own list by age.

One server with its stand-ins and one browser for all of it.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.end_to_end.browser import chromium
from tests.end_to_end.hard_cases import House
from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.walking import Look, Walker, looks

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LEADER, NURSE = "s0007", "s0004"
LONG_AGO = "2024-12-0{}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("turnaround")
    server = ServerProcess(folder / "data", "run", "--sandbox")
    await server.start()
    try:
        async with chromium() as browser:
            yield House(server, browser, folder, {})
    finally:
        server.close()


@pytest.mark.parametrize("look", looks())
async def test_a_leader_sees_before_and_after_drawn_and_in_numbers(
    house: House, look: Look
) -> None:
    walker = Walker(look, house.pictures)
    async with house.window("", look.screen) as window:
        await window.come_in(LEADER, **look.settings)
        await window.turn_to("/turnaround")
        await walker.judge(window, "turnaround", ".content .cards li:nth-child(4)")
        await window.page.locator(".content .weeks").scroll_into_view_if_needed()
        await walker.judge(window, "turnaround-weeks", ".content .weeks svg path[stroke-dasharray]")
        await window.page.locator(".content .weeks header button").first.click()
        await walker.judge(window, "turnaround-table", ".content .weeks tbody tr:nth-child(10)")
        await window.page.locator(".content .rows").last.scroll_into_view_if_needed()
        await walker.judge(window, "turnaround-rows", ".content .rows >> nth=1")
        await window.page.locator(".content .chips label").last.click()
        for end, day in (("from", "1"), ("to", "7")):
            await window.page.fill(f".content input[name={end}]", LONG_AGO.format(day))
            await window.page.locator(f".content input[name={end}]").dispatch_event("change")
        await walker.judge(window, "turnaround-empty", ".content .card.note .title")
        await window.command("account.set_settings", language="zh", theme="system", font="normal")
    assert walker.faults == []


async def test_a_department_narrows_it_and_a_reversed_range_is_said(house: House) -> None:
    async with house.window(LEADER) as window:
        await window.turn_to("/turnaround")
        await window.see(".content .rows >> nth=1")
        whole = await window.page.locator(".content .cards").get_attribute("aria-label")
        await window.page.select_option(".content select[name=department]", index=1)
        await window.page.wait_for_function(
            "whole => { const cards = document.querySelector('.content .cards');"
            " return cards && cards.getAttribute('aria-label') !== whole }",
            arg=whole,
        )
        assert await window.page.locator(".content .rows").count() == 1
        await window.page.locator(".content .chips label").last.click()
        await window.page.fill(".content input[name=to]", LONG_AGO.format("1"))
        await window.see(".content .problem:text-is('开始日期不能晚于结束日期')")


async def test_everybody_else_sees_his_own_list_by_age(house: House) -> None:
    async with house.window(NURSE) as window:
        await window.turn_to("/todos?state=pending")
        await window.see(".list")
        await window.turn_to("/turnaround")
        await window.see(".content .mine [data-age=more] dd")
        await window.see(".content .said:text-is('全院与各科室的统计由院领导和系统管理员查看。')")
        assert await window.page.locator(".content .cards").count() == 0
        await window.page.locator(".content .mine .row").click()
        await window.page.wait_for_url("**/todos?state=pending")
