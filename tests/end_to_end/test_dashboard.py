"""Live figures in a browser: they move, they say when they do not, and past days are charts and tables.

One server with the HIS stand-in and one browser for all of it.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import TimeoutError as NotSeen
from playwright.async_api import expect

from server.sandbox.hospital import hospital
from tests.end_to_end.browser import DESKTOP, NETWORK, PHONE, Screen, Window, chromium
from tests.end_to_end.hard_cases import House
from tests.end_to_end.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LEADER, ELSEWHERE = "s0007", "union"
"""Somebody who sees the whole hospital, and a department that sees no patients."""
LIVE = ".state:not(.old) b:text-is('实时')"
HASTY = {"YUANXIN_HIS_PERIOD_SECONDS": "2"}
AFTERNOON = 14
CHANGE = re.compile(r"^[+−±][0-9,]+")
SCREENS = pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=lambda screen: screen.name)
STALE_WITHIN_MS = 15_000
CUT_AFTER_MS = 5_000
OVERDUE_MS = 12_000
NUMBERS = "() => [...document.querySelectorAll('.content .tiles b')].map(b => b.textContent)"
BESIEGE = """async () => {
  const body = '{"channel": "dashboard:nowhere"}', headers = { "content-type": "application/json" }
  const ask = async () => {
    const { status } = await fetch("/api/v1/commands/stream.watch", { method: "POST", body, headers })
    window.refused += status === 429
  }
  window.refused = 0
  while (!window.refused) await Promise.all(Array.from({ length: 30 }, ask))
  window.siege = setInterval(ask, 5)
}"""
"""Other pages of the same person ask more than one person may."""
BOXES = """() => [...document.querySelectorAll('.content .tiles .tile')].map(tile => {
  const { x, y, width, height } = tile.getBoundingClientRect()
  return [x, y, width, height].map(Math.round)
})"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("dashboard")
    zone = {"YUANXIN_HIS_TIMEZONE": where_it_is_afternoon(datetime.now(UTC).hour)}
    server = ServerProcess(folder / "data", "run", "--sandbox", settings=HASTY | zone)
    await server.start()
    try:
        async with chromium() as browser:
            yield House(server, browser, folder, {})
    finally:
        server.close()


def where_it_is_afternoon(hour: int) -> str:
    """A zone whose hospital has had a day already, whenever this is run; `hour` is that of UTC."""
    return f"Etc/GMT{hour - AFTERNOON:+d}"  # "-8" lies eight hours ahead


async def look(window: Window) -> None:
    """Open the screen and wait until its numbers are of now."""
    await window.turn_to("/dashboard")
    await window.see(LIVE)


async def his(house: House, mode: str) -> None:
    """Let the stand-in of the HIS misbehave, or behave."""
    async with aiohttp.ClientSession() as http:
        fault = {"mode": mode, "for_s": 120}
        async with http.post(f"{house.server.sandbox_url}/his/faults", json=fault) as answer:
            assert answer.ok, await answer.text()


async def moved(window: Window, before: list[str]) -> list[str]:
    """The numbers, once they are others."""
    await window.page.wait_for_function(
        f"before => ({NUMBERS})().join() !== before", arg=",".join(before)
    )
    numbers: list[str] = await window.page.evaluate(NUMBERS)
    return numbers


def number(text: str) -> int:
    return int(text.replace(",", ""))


@SCREENS
async def test_the_numbers_move_in_their_places(house: House, screen: Screen) -> None:
    async with house.window(LEADER, screen) as window:
        await look(window)
        await expect(
            window.page.locator(".content .tiles .meta").filter(has_text=CHANGE)
        ).to_have_count(5)
        boxes = await window.page.evaluate(BOXES)
        first = await window.page.evaluate(NUMBERS)
        second = await moved(window, first)
        third = await moved(window, second)

        assert await window.page.evaluate(BOXES) == boxes
        assert number(third[0]) >= number(first[0])


async def test_a_silent_source_is_said_with_its_last_time_and_forgiven(house: House) -> None:
    async with house.window(LEADER) as window:
        await look(window)
        boxes = await window.page.evaluate(BOXES)
        await his(house, "silent")
        try:
            await window.see(
                ".state.old b:text-matches('^数据截至 [0-9:]{8}$')",
                timeout=STALE_WITHIN_MS,
            )
            await window.see(".state.old .why:text-is('医院信息系统没有新数据')")
            await window.see(".tiles.old")
            await window.shot(house.pictures, "dashboard-stale")
            said = await window.page.evaluate(NUMBERS)
            assert await window.page.evaluate(BOXES) == boxes
        finally:
            await his(house, "off")
        await window.see(LIVE, timeout=STALE_WITHIN_MS)
        await window.see(".tiles:not(.old)")
        await moved(window, said)


async def test_a_line_that_is_down_makes_the_numbers_old(house: House) -> None:
    async with house.window(LEADER, forgiven=[NETWORK]) as window:
        await look(window)
        await window.context.set_offline(True)
        await window.see(".network .away")
        fresh = await window.page.locator(".state:not(.old)").count()
        await window.see(
            ".state.old .why:text-is('与服务器的连接已断开')", timeout=CUT_AFTER_MS + 10_000
        )
        await window.context.set_offline(False)
        await window.see(LIVE)

    assert fresh == 1  # a short break is nothing to speak of


async def test_numbers_of_a_server_that_tells_no_more_are_old_although_the_line_holds(
    house: House,
) -> None:
    async with house.window(LEADER) as window:
        await window.page.clock.install()
        await look(window)
        with house.server.frozen():
            # Twice: what was on its way, or waited to be shown, is news and begins the wait again.
            for _ in range(2):
                await window.page.clock.run_for(OVERDUE_MS)
            await window.see(".state.old b:text-matches('^数据截至 [0-9:]{8}$')", timeout=5_000)
        await window.see(LIVE)


async def test_a_page_that_was_told_to_wait_asks_again_and_goes_live(house: House) -> None:
    async with house.window(LEADER) as window:
        told: list[str] = []
        window.page.on(
            "websocket",
            lambda line: line.on("framereceived", lambda frame: told.append(str(frame))),
        )
        await window.goto("/apps")
        await window.page.evaluate(BESIEGE)
        # Now and then a page that asks is let through all the same.
        for _ in range(20):
            await window.turn_to("/dashboard")
            try:
                await window.see(LIVE, timeout=1_000)
            except NotSeen:
                if any("rate_limited" in frame for frame in told):
                    break
            await window.turn_to("/apps")
        else:
            pytest.fail("it was never told to wait")
        await window.page.evaluate("clearInterval(window.siege)")
        await window.see(LIVE)


@SCREENS
async def test_charts_are_fetched_when_they_come_onto_the_screen(
    house: House, screen: Screen
) -> None:
    low = Screen(screen.name, screen.width, 400, screen.scale, screen.touch)
    async with house.window(LEADER, low) as window:
        fetched: list[str] = []
        window.page.on("request", lambda request: fetched.append(request.url))
        await look(window)
        await window.see(".panel.departments", state="attached")
        before = [url for url in fetched if "/echarts-" in url]
        await window.page.locator(".panel.departments .drawing").scroll_into_view_if_needed()
        await window.see(".panel.departments .chart svg")

    assert before == []
    assert [url for url in fetched if "/echarts-" in url]


async def test_a_chart_that_cannot_be_fetched_is_a_table(house: House) -> None:
    async with house.window(LEADER, DESKTOP, forgiven=[NETWORK]) as window:
        await window.page.route("**/echarts-*", lambda route: route.abort())
        await look(window)
        await window.see(".panel.departments .broken:has-text('先以表格显示')")
        await window.see(".panel.departments .strip table")
        await window.page.unroute("**/echarts-*")
        await window.page.click(".panel.departments [aria-label='看图表']")
        await window.see(".panel.departments .chart svg")


async def table_of(window: Window, panel: str) -> dict[str, list[str]]:
    """The rows of a panel's table, shown or only to be heard."""
    rows = await window.page.eval_on_selector_all(
        f".panel.{panel} tbody tr",
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))",
    )
    return {row[0]: row[1:] for row in rows}


async def choose(window: Window, name: str) -> None:
    """A chip, and wait for what it brings."""
    await window.page.click(f".chips label:has-text('{name}')")


async def asked(window: Window, days: int, **also: Any) -> dict[str, Any]:
    scopes = await window.command("dashboard.scopes")
    today = date.fromisoformat(scopes["today"])
    first = (today - timedelta(days=days)).isoformat()
    last = (today - timedelta(days=1)).isoformat()
    return await window.command("dashboard.range", from_day=first, to_day=last, **also)


async def fill_days(window: Window, first: str, last: str) -> None:
    await choose(window, "自定义")
    await window.page.fill("input[name=from]", first)
    await window.page.fill("input[name=to]", last)


async def test_chart_table_and_file_hold_the_numbers_the_server_has(
    house: House, tmp_path: Path
) -> None:
    async with house.window(LEADER, DESKTOP) as window:
        await look(window)
        told = await asked(window, 10)
        await fill_days(window, told["from_day"], told["to_day"])
        await window.see(f".as-of:has-text('{told['from_day']} – {told['to_day']}')")
        await window.page.locator(".panel.days .chart").scroll_into_view_if_needed()
        await window.see(".panel.days .chart svg")
        assert await window.page.locator(".panel.hours .some").count() == 0  # no hour still runs
        heard = await table_of(window, "departments")
        days = await table_of(window, "days")
        await window.page.click(".panel.departments [aria-label='看表格']")
        await window.see(".panel.departments .strip table")
        shown = await table_of(window, "departments")
        async with window.page.expect_download() as waiting:
            await window.page.click(".panel.departments [aria-label='导出表格']")
        saved = tmp_path / "saved.csv"
        download = await waiting.value
        await download.save_as(saved)
        await window.shot(house.pictures, "dashboard-table")
        await window.page.click(".panel.departments [aria-label='看图表']")
        await window.see(".panel.departments .chart svg")

    sums = {row["name"]: row["registered"] for row in told["departments"] if row["registered"]}
    written = saved.read_text(encoding="utf-8")
    lines = [line.split(",") for line in written.removeprefix("\ufeff").splitlines()]
    assert {name: number(cells[-1]) for name, cells in heard.items()} == sums
    assert shown == heard
    assert [number(cells[0]) for cells in days.values()] == [
        day["registered"] for day in told["days"]
    ]
    assert written.startswith("\ufeff科室,普通,")
    assert {line[0]: int(line[-1]) for line in lines[1:]} == sums
    assert download.suggested_filename.endswith(f"{told['from_day']}-{told['to_day']}.csv")


async def test_ranges_kinds_and_types_narrow_what_is_shown(house: House) -> None:
    async with house.window(LEADER) as window:
        await look(window)
        await window.see(".panel.hours .some:has-text('还在进行')", state="attached")
        for name, weeks in (("近7天", "上周同期"), ("近30天", "5 周前同期")):
            await choose(window, name)
            await window.see(f".panel.hours .legend button:has-text('{weeks}')")
            await window.see(".panel.days", state="attached")
        told = await asked(window, 7, type="expert")
        await fill_days(window, told["from_day"], told["to_day"])
        await choose(window, "接诊")
        await window.page.select_option("select[name=type]", "expert")
        await window.see(
            ".panel.departments:not(:has(.legend)) h2:text-is('各科室接诊')", state="attached"
        )
        narrowed = await table_of(window, "departments")
        await choose(window, "在院")
        await window.see(".panel.departments h2:text-is('各科室在院')", state="attached")
        assert await window.page.locator("select[name=type]").is_disabled()
        assert await window.page.locator(".panel.hours").count() == 0

    sums = {row["name"]: row["seen"] for row in told["departments"] if row["seen"]}
    assert {name: number(cells[-1]) for name, cells in narrowed.items()} == sums


async def test_no_numbers_are_words_and_impossible_days_are_named(house: House) -> None:
    async with house.window(LEADER) as window:
        await look(window)
        await fill_days(window, "2020-02-01", "2020-02-03")
        await window.see(".panels .note:has-text('该时段无数据')")
        assert await window.page.locator(".panels .chart").count() == 0
        await window.page.fill("input[name=from]", "2020-02-04")
        await window.see(".problem:text-is('开始日期不能晚于结束日期')")
        await window.page.fill("input[name=to]", "2039-01-01")
        await window.see(".problem:text-is('结束日期不能晚于今天')")


@SCREENS
async def test_values_can_be_tapped_and_columns_turned_off(house: House, screen: Screen) -> None:
    async with house.window(LEADER, screen) as window:
        await look(window)
        chart = window.page.locator(".panel.departments .chart")
        await chart.scroll_into_view_if_needed()
        await window.see(".panel.departments .chart svg")
        box = await chart.bounding_box()
        assert box is not None
        middle = {"x": box["width"] / 2, "y": box["height"] / 3}
        await (chart.tap(position=middle) if screen.touch else chart.click(position=middle))
        await expect(chart).to_contain_text(re.compile("专家.*急诊", re.DOTALL))
        await window.page.click(".panel.departments .legend button:has-text('专家')")
        await window.see(".panel.departments .legend [aria-pressed=false]:has-text('专家')")
        await (chart.tap(position=middle) if screen.touch else chart.click(position=middle))
        await expect(chart).not_to_contain_text("专家")
        await expect(chart).to_contain_text("急诊")


async def test_a_tile_opens_its_parts_which_add_up(house: House) -> None:
    async with house.window(LEADER) as window:
        await look(window)
        await his(house, "silent")  # numbers that stand still can be added up
        try:
            await window.see(".state.old", timeout=STALE_WITHIN_MS)
            await window.page.click(".tile[data-metric=registered]")
            await window.see(".sheet dl")
            parts = await window.page.eval_on_selector_all(
                ".sheet dl",
                "lists => lists.map(list => [...list.querySelectorAll('dd')].map(n => n.textContent))",
            )
            whole = await window.page.inner_text(".sheet .sum")
            await window.page.keyboard.press("Escape")
            await window.see(".sheet", state="detached")
        finally:
            await his(house, "off")

    assert [sum(map(number, part)) for part in parts] == [number(whole)] * 2


async def test_a_leader_turns_to_a_department_and_everybody_else_has_their_own(
    house: House,
) -> None:
    async with house.window(LEADER) as window:
        await look(window)
        whole = number((await window.page.evaluate(NUMBERS))[0])
        await window.page.select_option("select[name=scope]", "dashboard:cardiology")
        await window.see(".state:not(.old)")
        await window.see(".tile[data-metric=registered] b:not(:text-is('–'))")
        await window.see(".panel.hours", state="attached")
        part = number((await window.page.evaluate(NUMBERS))[0])
        assert await window.page.locator(".panel.departments").count() == 0
    async with house.window("s0001") as window:
        await look(window)
        await window.see(".state .scope:text-is('心血管内科')")
        assert await window.page.locator("select[name=scope]").count() == 0

    assert 0 < part < whole


async def test_who_has_no_figures_is_told_whom_to_ask(house: House) -> None:
    [person, *_] = [
        one.id
        for one in hospital().people
        if [post.department_id for post in one.posts] == [ELSEWHERE] and "leader" not in one.roles
    ]
    async with house.window(person) as window:
        await window.turn_to("/dashboard")
        await window.see(".note:has-text('您没有可查看的数据'):has-text('请联系信息中心')")
