"""Every screen: its address, what has to be there, and what lies over it without an address."""

from server.features.chat.documents import direct_id
from server.features.forum.documents import Post
from server.ids import made_id
from tests.end_to_end.browser import Window
from tests.end_to_end.hard_cases import CROWD, LONG_NAMED, House
from tests.end_to_end.walking import Walker


def addresses(house: House, document: str, mail: str) -> list[tuple[str, str, str]]:
    """Name, address and what has to be there, of every screen with an address."""
    crowd, friend = house.groups[CROWD], direct_id("s0001", "s0002")
    stranger = direct_id("s0001", LONG_NAMED)
    tab = "[role=tab]:nth-child({})[aria-selected=true]{}"
    listed = " >> xpath=../.. >> css=#todos-panel :is(.todo, .note)"
    return [
        ("messages", "/messages", ".conversation"),
        ("direct", f"/c/{friend}", ".bubble"),
        ("long-name", f"/c/{stranger}", ".bubble"),
        ("group", f"/c/{crowd}", ".bubble"),
        ("details", f"/c/{crowd}/details", ".details [role=switch]"),
        ("new-group", "/new-group", ".picker [role=checkbox]"),
        ("todos-pending", "/todos?state=pending", ".todo"),
        ("todos-done", "/todos?state=done", tab.format(2, listed)),
        ("todos-read", "/todos?state=read", tab.format(3, listed)),
        ("todos-started", "/todos?state=started", tab.format(4, listed)),
        ("document", f"/d/{document}", "article h2"),
        ("apps", "/apps", ".tile"),
        ("dashboard", "/dashboard", ".content .panel"),
        ("contacts", "/contacts", ".list .row"),
        ("department", "/contacts/cardiology", ".list .letter"),
        ("person", "/p/s0002", "dl .row"),
        ("person-long", f"/p/{LONG_NAMED}", "dl .row"),
        ("me", "/me", ".list [role=switch]"),
        ("devices", "/devices", "li.row"),
        ("about", "/about", "dl .row"),
        ("mail", "/mail", ".line.unread"),
        ("mail-sent", "/mail/sent", ".line"),
        ("mail-search", "/mail/search", "#mail-panel [role=search]"),
        ("mail-new", "/mail/new?to=s0002", ".to .chip"),
        ("mail-reply", f"/mail/new?reply={mail}&all=1", ".to .chip"),
        ("mail-thread", f"/m/{mail}", "article .text"),
        ("mail-gone", "/m/nosuchmail", ".content .note"),
        ("search", "/search", ".content [role=search]"),
        ("forum", "/forum", ".board"),
        ("board", "/forum/everybody", ".post"),
        ("post", f"/forum/p/{made_id(Post.collection.name, 'everybody', 'seed-76')}", ".comment"),
        ("new-post", "/forum/everybody/new", "textarea[name=text]"),
        ("no-board", "/forum/nosuchboard", ".note"),
        ("no-board-form", "/forum/new-board", ".note"),
        ("lost", "/no/such/page", ".note"),
    ]


async def judge_overlays(window: Window, walker: Walker, crowd: str) -> None:
    """Sheets, menus and results, which have no address of their own."""
    page = window.page
    sheet = ":is(.sheet, #details)"  # beside the chat where there is room

    async def close_sheet() -> None:
        await page.click(f"{sheet} header .icon-button")
        await window.see(f"{sheet} header", state="detached")

    await window.turn_to(f"/c/{crowd}")
    await page.click(".line.mine .under")
    await walker.judge(window, "readers", f"{sheet} .row")
    await close_sheet()
    await page.locator(".bubble").last.click(button="right")
    await walker.judge(window, "bubble-menu", "[role=menu]")
    await page.keyboard.press("Escape")
    await page.click(".content .bar .icon-button >> nth=-2")
    await page.fill(f"{sheet} input", "排班")
    await walker.judge(window, "chat-search", f"{sheet} .row")
    await close_sheet()
    await window.turn_to("/search")
    await page.fill(".content [role=search] input", "zeng")
    await walker.judge(window, "found", ".content .scroll .row")
    await page.fill(".content [role=search] input", "没有这个人")
    await walker.judge(window, "found-nothing", ".content .note")
