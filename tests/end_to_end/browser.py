"""Windows of Debian's Chromium onto the app, and what a window may not do unnoticed.

A window keeps what its page complains of (errors on the console, uncaught ones, violations of the page's
own rules) and every request that left for another host. `close` hands the rest over to be judged.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
)

CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PICTURES: Final = os.environ.get("YUANXIN_PICTURES", "")
"""A folder that screenshots are kept in; empty: they go to the test's own folder."""

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD: Final = "yuanxin"
PATIENCE_MS: Final = 15_000
USUAL_LINE: Final = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
AXE: Final = (
    Path(__file__).resolve().parents[2] / "static" / "node_modules" / "axe-core" / "axe.min.js"
)

NETWORK = re.compile(r"net::ERR_|WebSocket connection to .* failed|status of 50[0-9]")
"""What Chromium itself writes on the console when a server cannot be reached."""

REFUSALS = re.compile(r"the server responded with a status of 4[0-9]{2}")
"""What Chromium itself writes about an answer that the page asked for and shows in words."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A size of window."""

    name: str
    width: int
    height: int
    scale: int
    touch: bool


PHONE: Final = Screen("phone", 390, 844, 2, touch=True)
DESKTOP: Final = Screen("desktop", 1440, 900, 1, touch=False)


class Window:
    """One person's window."""

    def __init__(self, context: BrowserContext, page: Page, base: str) -> None:
        self.context, self.page, self.base = context, page, base
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        context.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            place = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} ({place})")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.foreign.append(request.url)

    def forgive(self, *kinds: re.Pattern[str]) -> None:
        """Strike out complaints that the test itself has caused."""
        self.complaints = [
            said for said in self.complaints if not any(kind.search(said) for kind in kinds)
        ]

    async def sign_in(self, account: str, password: str = PASSWORD) -> None:
        """By the form, as a person does."""
        await self.page.goto(f"{self.base}/sign-in")
        await self.enter(account, password)
        await self.page.wait_for_url("**/messages")

    async def come_in(self, account: str, **settings: str) -> None:
        """Sign in past the form, and let the page find the cookie."""
        form = {"account": account, "password": PASSWORD}
        answer = await self.context.request.post(f"{self.base}/api/v1/auth/login", data=form)
        assert answer.ok, await answer.text()
        if settings:
            await self.command("account.set_settings", **settings)
        await self.goto("/messages")
        await self.see(".list .conversation, .list .note")

    async def enter(self, account: str, password: str = PASSWORD) -> None:
        """Fill in the form that is on the screen and send it."""
        await self.page.fill("input[name=username]", account)
        await self.page.fill("input[name=password]", password)
        await self.page.click("form button[type=submit]")

    async def goto(self, path: str) -> None:
        """Load the page at an address."""
        await self.page.goto(f"{self.base}{path}")

    async def turn_to(self, path: str) -> None:
        """Go to an address without loading the page again, as its links do."""
        await self.page.evaluate(
            """path => {
              history.pushState(null, "", path)
              dispatchEvent(new PopStateEvent("popstate", { state: null }))
            }""",
            path,
        )

    async def command(self, name: str, **fields: Any) -> dict[str, Any]:
        """Ask the server with the window's own session, past the page."""
        answer = await self.context.request.post(
            f"{self.base}/api/v1/commands/{name}", data=fields, headers={"Origin": self.base}
        )
        body: dict[str, Any] = await answer.json()
        assert body["ok"], body
        result: dict[str, Any] = body["result"]
        return result

    async def write(self, text: str) -> None:
        """Write a message in the open chat and send it."""
        await self.page.locator(".composer textarea").fill(text)
        await self.page.locator(".composer .send").click()

    async def see(self, selector: str, **also: Any) -> None:
        """Wait until something is on the screen."""
        await self.page.locator(selector).first.wait_for(**also)

    async def own_line(self) -> CDPSession:
        """The network of this page alone, to be taken away and given back."""
        line = await self.context.new_cdp_session(self.page)
        await line.send("Network.enable")
        return line

    async def kept_a_chat(self, account: str) -> None:
        """Wait until the device remembers a chat for the next visit."""
        await self.page.evaluate(CHAT_IS_KEPT, account)

    async def settle(self) -> None:
        """Wait until nothing on the screen stands for something to come, or still moves."""
        await self.page.evaluate(SETTLED)

    async def shot(self, folder: Path, name: str) -> None:
        """Keep a picture of what is on the screen."""
        place = Path(PICTURES) if PICTURES else folder
        place.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=place / f"{name}.png", animations="disabled")

    async def axe(self) -> list[str]:
        """What makes the screen hard to use for some, of weight serious or critical."""
        await self.page.evaluate("newer.give()")
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8") + ";undefined")
        found = await self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations'], elementRef: false})"
        )
        await self.page.evaluate("newer.take()")
        return [
            f"{fault['id']}: {node['target']} {node['failureSummary']}"
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"][:3]
        ]

    async def sideways(self) -> list[str]:
        """What reaches beyond the screen's sides, or could be pushed there."""
        found: list[str] = await self.page.evaluate(SIDEWAYS)
        return found

    async def small_texts(self, least_px: float) -> list[str]:
        """Visible texts smaller than that; faces are pictures, with the name beside them."""
        found: list[str] = await self.page.evaluate(SMALL_TEXTS, least_px)
        return found

    async def close(self) -> None:
        await self.context.close()


OLDEST: Final = """{
const names = [
  [Array, ["fromAsync"]],
  [Array.prototype, ["at", "findLast", "findLastIndex", "toReversed", "toSorted", "toSpliced", "with"]],
  [Object, ["groupBy", "hasOwn"]],
  [Promise, ["any", "try", "withResolvers"]],
  [String.prototype, ["at", "isWellFormed", "replaceAll", "toWellFormed"]],
  [AbortSignal, ["any", "timeout"]],
  [Element.prototype, ["checkVisibility", "replaceChildren"]],
  [Intl, ["DisplayNames", "Segmenter"]],
  [Crypto.prototype, ["randomUUID"]],
  [window, ["FinalizationRegistry", "WeakRef", "requestIdleCallback", "scheduler", "structuredClone"]],
]
const held = names
  .flatMap(([of, all]) => all.map(name => [of, name, Object.getOwnPropertyDescriptor(of, name)]))
  .filter(([, , what]) => what)
window.newer = {
  take: () => held.forEach(([of, name]) => delete of[name]),
  give: () => held.forEach(([of, name, what]) => Object.defineProperty(of, name, what)),
}
newer.take()
}"""
"""Takes from a page what the oldest webviews lack that the app promises to run in (static/vite.config.ts).
The judge of screens needs it and is given it back meanwhile."""

CHAT_IS_KEPT: Final = """account => new Promise(resolve => {
  const request = indexedDB.open("yuanxin:" + account)
  request.onsuccess = () => {
    const look = () => {
      const counted = request.result.transaction("windows").objectStore("windows").count()
      counted.onsuccess = () => counted.result ? resolve(request.result.close()) : setTimeout(look, 50)
    }
    look()
  }
})"""

SETTLED: Final = """() => new Promise(resolve => {
  const until = Date.now() + 5000
  const look = () => {
    const moves = document.getAnimations().some(one => one.playState === "running")
    const waits = document.querySelector(".skeleton")
    if ((moves || waits) && Date.now() < until) requestAnimationFrame(look)
    else resolve(null)
  }
  requestAnimationFrame(look)
})"""

SIDEWAYS: Final = """() => {
  const meant = ".crumbs, .tray, .strip, .swipe, .recent, .hidden, .watermark"
  const found = []
  for (const el of document.querySelectorAll("body *")) {
    if (el.closest(meant) || el.closest("svg") || el.closest("[aria-hidden=true]")) continue
    const style = getComputedStyle(el)
    const box = el.getBoundingClientRect()
    if (!box.width || !box.height || style.visibility === "hidden") continue
    const what = `${el.tagName.toLowerCase()}.${[...el.classList].join(".")} "${el.textContent.slice(0, 30)}"`
    if (box.right > document.documentElement.clientWidth + 1 || box.left < -1)
      found.push(`${what} ${Math.round(box.left)}..${Math.round(box.right)}`)
    else if (["auto", "scroll"].includes(style.overflowX) && el.scrollWidth > el.clientWidth + 1)
      found.push(`${what} holds ${el.scrollWidth} in ${el.clientWidth}`)
  }
  return found.slice(0, 5)
}"""

SMALL_TEXTS: Final = """least => {
  const found = new Set()
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const el = node.parentElement
    if (!node.data.trim() || el.closest(".hidden, script, style, .watermark, .avatar")) continue
    const box = el.getBoundingClientRect()
    const size = parseFloat(getComputedStyle(el).fontSize)
    if (box.width && box.height && size < least - 0.01)
      found.add(`${el.tagName}.${[...el.classList].join(".")} "${node.data.trim().slice(0, 30)}" ${size}px`)
  }
  return [...found].slice(0, 8)
}"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser while the context lasts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        await browser.close()


async def open_window(browser: Browser, base: str, screen: Screen, **also: Any) -> Window:
    """A window of the app, with cookies of its own, that knows no more than the oldest webview."""
    window = await _window(browser, base, screen, **also)
    await window.context.add_init_script(OLDEST)
    return window


async def open_stand_ins(browser: Browser, base: str, place: str = "/") -> Window:
    """The page of the stand-ins: made for whoever tries the server, with a browser of today."""
    window = await _window(browser, base, DESKTOP)
    await window.page.goto(base + place)
    return window


async def _window(browser: Browser, base: str, screen: Screen, **also: Any) -> Window:
    context = await browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        device_scale_factor=screen.scale,
        has_touch=screen.touch,
        is_mobile=screen.touch,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        **also,
    )
    context.set_default_timeout(PATIENCE_MS)
    return Window(context, await context.new_page(), base)
