"""WeCom over a day on two nodes, as processes beside a real Redis and the stand-ins in a third: what the
first sends is tapped on the second, what is pressed on a phone closes on a page of the first, and whoever
leaves WeCom is signed out on both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from realtime.testing import SocketClient
from server.app import opened_store
from server.clock import SystemClock
from server.directory.seeding import seed_people
from server.sandboxed import CALLBACK_AES_KEY, CALLBACK_TOKEN, CORP_ID, SECRET
from server.settings import Settings
from server.storage import Patch
from tests.end_to_end.processes import ServerProcess
from tests.redis_server import RedisServer
from tests.server.house import PASSWORD, HousePerson, HouseStaff
from tests.storage.mongodb import database_for, server_url

pytestmark = [pytest.mark.redis, pytest.mark.timeout(900)]

IN_WECOM = "Mozilla/5.0 (iPhone) Mobile/14C92 wxwork/4.1.6 MicroMessenger/7.0.1 Language/zh"
WITHIN_S = 60.0
PEOPLE = [f"s{number:04}" for number in range(1, 41)]
"""So many that one of them who leaves is less than one in twenty."""


@dataclass
class Hospital:
    """Two nodes and the stand-ins. WeCom knows the hospital by the second, which the public name is."""

    first: ServerProcess
    second: ServerProcess
    outside: ServerProcess
    http: aiohttp.ClientSession
    pages: list[SocketClient] = field(default_factory=list)

    async def post(self, address: str, body: Any, token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.post(address, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def sign_in(self, node: ServerProcess, person: str) -> str:
        form = {"account": person, "password": PASSWORD}
        status, body = await self.post(f"{node.url}/api/v1/auth/login", form)
        return str(body["token"]) if status == 200 else ""

    async def ask(self, node: ServerProcess, token: str, name: str, **fields: Any) -> Any:
        status, body = await self.post(f"{node.url}/api/v1/commands/{name}", fields, token)
        return body["result"] if status == 200 else body["error"]["code"]

    async def page(self, node: ServerProcess, token: str) -> SocketClient:
        """Somebody's open page on this node."""
        _, body = await self.post(f"{node.url}/api/v1/auth/ticket", {}, token)
        page = await SocketClient.connect(node.url, body["ticket"])
        self.pages.append(page)
        return page

    async def in_wecom(self, path: str, **fields: Any) -> Any:
        """Do something in WeCom or in the OA."""
        status, body = await self.post(f"{self.outside.sandbox_url}{path}", fields)
        assert status < 300, body
        return body

    async def phone(self, person: str) -> list[dict[str, Any]]:
        """What a phone shows."""
        url = f"{self.outside.sandbox_url}/wecom/inbox/{person}"
        async with self.http.get(url) as answer:
            return list(await answer.json())


async def becomes(ask: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Wait for something that other processes do; what it was."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not (found := await ask()):
                await asyncio.sleep(0.1)
            return found
    except TimeoutError:
        raise AssertionError(f"it did not come to this: {what}") from None


async def people_of(folder: Path, url: str) -> None:
    """Everybody has an account in WeCom and in the OA, and a sync has met them there."""
    clock = SystemClock()
    people = tuple(
        HousePerson(id, f"职工{id}", wecom_user_id=id, oa_user_id=str(int(id[1:]))) for id in PEOPLE
    )
    async with opened_store(Settings(data_dir=folder, storage_url=url), clock) as store:
        await seed_people(store, HouseStaff(people=people), clock)
        await store.apply(*(Patch("people", id, {"wecom_seen_id": id}) for id in PEOPLE))


def far_from_now() -> int:
    """An hour of the day in which no night's run begins while the test lasts."""
    return (datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).hour + 12) % 24


@asynccontextmanager
async def hospital(folder: Path) -> AsyncIterator[Hospital]:
    url = server_url().replace("/?", f"/{database_for(folder)}?")
    await people_of(folder, url)
    redis = RedisServer(folder)
    await redis.start()
    first, second, outside = (
        ServerProcess(folder / name, command)
        for name, command in (("first", "run"), ("second", "run"), ("outside", "sandbox"))
    )
    away = outside.sandbox_url
    outside.settings = {
        "YUANXIN_HTTP_PORT": str(second.port),
        "YUANXIN_PUBLIC_URL": second.url,
    }
    first.settings = second.settings = {
        "YUANXIN_STORAGE_URL": url,
        "YUANXIN_REDIS_URL": redis.url,
        "YUANXIN_PUBLIC_URL": second.url,
        "YUANXIN_WECOM_API_BASE": f"{away}/wecom/cgi-bin/",
        "YUANXIN_WECOM_AUTHORIZE_URL": f"{away}/wecom/connect/oauth2/authorize",
        "YUANXIN_WECOM_CORP_ID": CORP_ID,
        "YUANXIN_WECOM_SECRET": SECRET,
        "YUANXIN_WECOM_CALLBACK_TOKEN": CALLBACK_TOKEN,
        "YUANXIN_WECOM_CALLBACK_AES_KEY": CALLBACK_AES_KEY,
        "YUANXIN_WECOM_SYNC": "from_wecom",
        "YUANXIN_WECOM_SYNC_HOUR": str(far_from_now()),
        "YUANXIN_OA_ENDPOINT": f"{away}/oa/services/WorkflowService",
        "YUANXIN_OA_CALLS_PER_SECOND": "200",
        "YUANXIN_OA_POLL_SECONDS": "1",
        "YUANXIN_NOTICE_FIRST_SECONDS": "1",
    }
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        made = Hospital(first, second, outside, http)
        try:
            await outside.start(ready=f"{away}/wecom/appchat")
            await first.start()
            await second.start()
            yield made
        finally:
            for page in made.pages:
                await page.close()
            for server in (first, second, outside):
                server.close()
            redis.kill()


async def a_notice_goes_once_and_a_tap_signs_in_on_the_other_node(
    made: Hospital, sender: str, away: str
) -> None:
    token = await made.sign_in(made.first, sender)
    talk = (await made.ask(made.first, token, "chat.open", person_id=away))["conversation_id"]
    for number in range(3):
        said = {"kind": "text", "text": f"第 {number} 句"}
        await made.ask(
            made.second if number % 2 else made.first,
            token,
            "chat.send",
            conversation_id=talk,
            client_id=f"c{number}",
            content=said,
        )
    [card] = await becomes(lambda: made.phone(away), "a card")
    assert card["url"].startswith(f"{made.second.url}/c/{talk}")

    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"User-Agent": IN_WECOM}) as phone:
        door = f"{made.outside.sandbox_url}/wecom/phones/{away}/open"
        async with phone.get(door, params={"url": card["url"]}) as opened:
            assert str(opened.url) == card["url"]
        for node in (made.second, made.first):
            me = f"{node.url}/api/v1/commands/account.me"
            async with phone.post(me, json={}, headers={"Origin": made.second.url}) as answer:
                assert (await answer.json())["result"]["person"]["person_id"] == away
    assert len(await made.phone(away)) == 1


async def a_yes_on_the_card_closes_the_todo_on_a_page(made: Hospital, approver: str) -> None:
    token = await made.sign_in(made.first, approver)

    async def known() -> Any:
        counted = await made.ask(made.first, token, "todos.count")
        if isinstance(counted, str):  # A refusal: asked too often, or in the middle of a start.
            return None
        return counted if counted["as_of"] and not counted["stale"] else None

    before = (await becomes(known, "the OA is read"))["pending"]
    asked = {"title": "关于排班的请示", "creator": "s0001", "approvers": [approver]}
    request = str((await made.in_wecom("/oa/requests", **asked))["request_id"])

    async def card_of() -> Any:
        await known()
        cards = await made.phone(approver)
        return next((card for card in cards if f"/d/{request}?" in card["url"]), None)

    card = await becomes(card_of, "the document's card")
    page = await made.page(made.first, token)
    key = card["buttons"][0]["key"]
    await made.in_wecom("/wecom/press", userid=approver, msgid=card["msgid"], key=key)
    await page.wait_for(
        "todos.counted", lambda body: bool(body["pending"] == before), timeout_s=WITHIN_S
    )

    async def says() -> bool:
        return bool((await card_of())["says"] == "已同意")

    await becomes(says, "the card says so")
    assert page.is_open


async def a_leaver_is_signed_out_on_both(made: Hospital, leaver: str) -> None:
    nodes = (made.first, made.second)
    tokens = [await made.sign_in(node, leaver) for node in nodes]
    pages = [await made.page(node, token) for node, token in zip(nodes, tokens, strict=True)]
    await made.in_wecom("/wecom/directory", do="delete_user", userid=leaver)
    for page in pages:
        await page.ended(timeout_s=WITHIN_S)

    async def is_out() -> bool:
        said = [await made.ask(node, token, "account.me") for node in nodes for token in tokens]
        return said == ["unauthenticated"] * len(said)

    async def is_gone() -> bool:
        return not any([await made.sign_in(node, leaver) for node in nodes])

    await becomes(is_out, "signed out on both")
    await becomes(is_gone, "nobody of that name comes in any more")


@pytest.mark.parametrize(
    "rounds", [pytest.param(1, id="once"), pytest.param(6, marks=pytest.mark.nightly, id="often")]
)
async def test_a_day_of_wecom_on_two_nodes(tmp_path: Path, rounds: int) -> None:
    async with hospital(tmp_path) as made:
        for number in range(rounds):
            sender, away, approver, leaver = PEOPLE[number::10]
            # One in twenty may leave within a day; that is two of forty.
            await a_notice_goes_once_and_a_tap_signs_in_on_the_other_node(made, sender, away)
            await a_yes_on_the_card_closes_the_todo_on_a_page(made, approver)
            if number < 2:
                await a_leaver_is_signed_out_on_both(made, leaver)
