"""A whole server and a WeCom stand-in on loopback, and what a test asks of both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.directory import Person
from server.ids import new_id
from server.sandbox.config import SandboxPerson
from server.storage import Patch
from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, running_sandbox
from tests.server.house import NAMES, Answer, House, open_house

PHONES = (
    *(SandboxPerson(id, NAMES[id]) for id in ("ann", "bob", "dan")),
    SandboxPerson("Cai", NAMES["cai"]),
    SandboxPerson("eve", NAMES["eve"], in_scope=False),
)
ACCOUNTS = {"ann": "ann", "bob": "bob", "cai": "Cai", "dan": "dan", "eve": "eve"}
PATIENCE_S = 20.0


@dataclass
class Ward:
    """Commands go in over HTTP; what WeCom shows is read from the stand-in."""

    house: House
    sandbox: RunningSandbox
    clock: ManualClock

    async def ask(self, person: str, name: str, **fields: Any) -> Answer:
        return await self.house.ask(person, name, **fields)

    async def do(self, person: str, name: str, **fields: Any) -> dict[str, Any]:
        result: dict[str, Any] = (await self.ask(person, name, **fields)).result
        return result

    async def group(self, owner: str, *others: str, title: str = "夜班群") -> str:
        """A new group's id."""
        made = await self.do(
            owner, "chat.create_group", title=title, member_ids=list(others) or ["bob"]
        )
        return str(made["conversation_id"])

    async def mirror(self, owner: str, id: str, *, messages: bool = True, on: bool = True) -> None:
        await self.do(
            owner, "chat.set_mirror", conversation_id=id, is_on=on, with_messages=messages
        )

    async def mirrored(self, owner: str, *others: str, **more: Any) -> str:
        """A new group that WeCom shows with its messages."""
        id = await self.group(owner, *others, **more)
        await self.mirror(owner, id)
        return id

    async def say(self, person: str, id: str, text: str) -> int:
        """The number of a message."""
        sent = await self.do(
            person,
            "chat.send",
            conversation_id=id,
            client_id=new_id(self.clock.now()),
            content={"kind": "text", "text": text},
        )
        return int(sent["seq"])

    async def shown(self, id: str, person: str = "ann") -> dict[str, Any]:
        """How members see the mirror."""
        mirror: dict[str, Any] = (await self.do(person, "chat.mirror", conversation_id=id))[
            "mirror"
        ]
        return mirror

    async def wecom(self, place: int = 0) -> dict[str, Any]:
        """One of WeCom's groups, in order of making; nothing while there is none."""
        async with self.sandbox.http.get(f"{self.sandbox.base}/wecom/appchat") as answer:
            ids = await answer.json()
        if len(ids) <= place:
            return {}
        async with self.sandbox.http.get(f"{self.sandbox.base}/wecom/appchat/{ids[place]}") as one:
            group: dict[str, Any] = await one.json()
        return group

    async def texts(self, place: int = 0) -> list[str]:
        """What is written in WeCom's group after the greeting."""
        return [m["content"] for m in (await self.wecom(place)).get("messages", [])][1:]

    async def until(self, what: Callable[[], Awaitable[object]], *, clock_s: float = 1.0) -> None:
        """Wait for something to become true; the clocks go on meanwhile."""
        async with asyncio.timeout(PATIENCE_S):
            while not await what():
                self.clock.advance(clock_s)
                await asyncio.sleep(0.02)

    async def until_texts(self, *texts: str, place: int = 0) -> None:
        """Wait until exactly these are written."""

        async def written() -> bool:
            return len(await self.texts(place)) >= len(texts)

        await self.until(written)
        assert await self.texts(place) == list(texts)

    async def until_trouble(self, id: str, trouble: str) -> dict[str, Any]:
        """Wait until the group shows this trouble; how it shows it."""

        async def is_so() -> bool:
            return (await self.shown(id))["trouble"] == trouble

        await self.until(is_so)
        return await self.shown(id)

    async def until_users(self, *users: str, place: int = 0) -> None:
        """Wait until WeCom's group holds exactly these."""

        async def is_so() -> bool:
            return sorted((await self.wecom(place)).get("userlist", [])) == sorted(users)

        await self.until(is_so)


@asynccontextmanager
async def open_ward(folder: Path, **settings: Any) -> AsyncIterator[Ward]:
    """A hospital that offers messages of groups in WeCom, unless told otherwise."""
    clock = ManualClock()
    async with running_sandbox(folder, clock, people=PHONES) as sandbox:
        told = {
            "wecom_api_base": f"{sandbox.base}/wecom/cgi-bin/",
            "wecom_corp_id": "wwsandbox",
            "wecom_secret": "sandbox",
            "wecom_groups": "messages",
            **settings,
        }
        async with open_house(folder, clock, **told) as house:
            people = Person.collection.name
            given = [Patch(people, id, {"wecom_user_id": user}) for id, user in ACCOUNTS.items()]
            await house.server.store.apply(*given)
            await house.server.directory.load(house.server.store)
            yield Ward(house, sandbox, clock)
