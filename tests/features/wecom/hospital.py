"""The whole server and the stand-ins for WeCom and the OA, all on loopback, calling each other.

Three people with phones and OA accounts; a fourth has a phone and is not in the directory.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from server.clock import SystemClock
from server.integrations.oa.poller import PollingWorklist
from server.sandbox.config import SandboxPerson
from tests.features.wecom.calling import ADDRESS, CORP, KEY, SETTINGS, TOKEN, Caller
from tests.sandbox.running import AGENT_ID, RunningSandbox, running_sandbox
from tests.server.house import House, HousePerson, HousePost, HouseStaff, open_house

WAIT_S = 30.0
STAFF = {"s0001": "单雄信", "s0002": "曾巩", "s0003": "区适子"}
STRANGER = "s0009"
FILES = "/oa/weaver/weaver.file.FileDownload?fileid={id}&download=1"


class Hospital:
    """What tests do at the phones and at the desk, and what they see there."""

    def __init__(self, house: House, sandbox: RunningSandbox) -> None:
        self.house, self.sandbox = house, sandbox
        self.http = house.http
        self.wecom = Caller(house, house.clock)

    async def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """Open one of the sandbox's doors."""
        async with self.http.post(f"{self.sandbox.base}{path}", json=fields) as said:
            assert said.status < 300, await said.text()
            return dict(await said.json())

    async def get(self, path: str) -> Any:
        async with self.http.get(f"{self.sandbox.base}{path}") as said:
            return await said.json()

    async def document(self, title: str = "关于排班的请示", **fields: Any) -> str:
        """Put one on the desk, for s0002; its number."""
        told = {"title": title, "creator": "s0001", "approvers": ["s0002"], **fields}
        return str((await self.post("/oa/requests", **told))["request_id"])

    async def in_oa(self, request_id: str) -> dict[str, Any]:
        found = await self.get("/oa/requests")
        return next(dict(one) for one in found if one["request_id"] == request_id)

    async def phone(self, user: str = "s0002") -> list[dict[str, Any]]:
        return list(await self.sandbox.inbox(user))

    async def card(self, request_id: str, user: str = "s0002") -> dict[str, Any]:
        """The newest message about a document, once it is there."""

        async def found() -> dict[str, Any] | None:
            about = [one for one in await self.phone(user) if f"/d/{request_id}" in one["url"]]
            return about[-1] if about else None

        return dict(await until(found))

    async def press(self, card: dict[str, Any], user: str = "s0002", **how: Any) -> None:
        key = next(button["key"] for button in card["buttons"] if button["key"])
        await self.post("/wecom/press", userid=user, msgid=card["msgid"], key=key, **how)

    async def says(self, card: dict[str, Any], user: str = "s0002") -> str:
        """What stands in place of a card's buttons, once something does."""

        async def said() -> str:
            return next(o["says"] for o in await self.phone(user) if o["msgid"] == card["msgid"])

        return str(await until(said))

    async def say(self, text: str, user: str = "s0002") -> None:
        await self.post("/wecom/say", userid=user, text=text)

    async def called(self) -> list[dict[str, Any]]:
        """All calls back, once none is under way."""

        async def ended() -> list[dict[str, Any]] | None:
            calls = await self.get("/wecom/callbacks")
            return None if any(call["waiting"] for call in calls) else calls

        return list(await until(ended))

    async def settled(self) -> None:
        """Until nothing that was pressed or is over waits to be carried out."""
        for name in ("presses", "withdrawals", "owed"):

            async def none_left(name: str = name) -> bool:
                return not await self.house.server.store.scan(name, limit=1)

            await until(none_left)

    async def audit(self, action: str) -> list[dict[str, Any]]:
        rows = await self.house.server.store.scan("audit", limit=1_000)
        return [row for row in rows if row["action"] == action]

    async def pending(self, user: str = "s0002") -> int:
        return (await self.house.server.worklist.counts(user)).pending


async def until(ask: Callable[[], Any]) -> Any:
    """What it says once that is something."""
    async with asyncio.timeout(WAIT_S):
        while not (said := await ask()):
            await asyncio.sleep(0.05)
    return said


@asynccontextmanager
async def whole_hospital(folder: Path, **settings: Any) -> AsyncIterator[Hospital]:
    """Everything, with a baseline of one document for each of the three."""
    people = [SandboxPerson(id, name) for id, name in {**STAFF, STRANGER: "外人"}.items()]
    staff = HouseStaff(
        people=tuple(
            HousePerson(
                id,
                name,
                posts=(HousePost(leads=id == "s0001"),),
                wecom_user_id=id,
                oa_user_id=str(int(id[1:])),
            )
            for id, name in STAFF.items()
        )
    )
    clock = SystemClock()
    async with running_sandbox(
        folder / "sandbox",
        clock,
        people=people,
        corp_id=CORP,
        callback_token=TOKEN,
        callback_aes_key=KEY,
        callback_between_s=0.1,
    ) as sandbox:
        told = {
            **SETTINGS,
            "wecom_api_base": f"{sandbox.base}/wecom/cgi-bin/",
            "wecom_secret": "sandbox",
            "wecom_agent_id": AGENT_ID,
            "oa_endpoint": f"{sandbox.base}/oa/services/WorkflowService",
            "oa_files_url": f"{sandbox.base}{FILES}",
            "oa_calls_per_second": 500,
            "oa_poll_seconds": 1,
            "notice_first_seconds": 0.2,
            "notice_merge_seconds": 0,
            **settings,
        }
        async with (
            aiohttp.ClientSession() as http,
            open_house(folder / "house", clock, staff, **told) as house,
        ):
            sandbox.wecom.caller.url = f"{house.url}{ADDRESS}"
            body = {"title": "旧文件", "creator": "s0001", "approvers": list(STAFF)}
            async with http.post(f"{sandbox.base}/oa/requests", json=body) as said:
                assert said.status == 201
            hospital = Hospital(house, sandbox)
            await _baseline(hospital)
            yield hospital


async def _baseline(hospital: Hospital) -> None:
    worklist = hospital.house.server.worklist
    assert isinstance(worklist, PollingWorklist)
    worklist.staff_changed()
    for person in STAFF:
        worklist.visible(person, True)

        async def known(person: str = person) -> bool:
            seen = await worklist.seen(person)
            return seen is not None and len(seen.items) == 1

        await until(known)
