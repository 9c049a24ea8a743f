"""The server dies under load, again and again; whatever it had acked is there, once, in order, and
everybody who was away finds everything on the phone."""

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.senders import History, Sender, command, sign_in

JUDGE = Path(__file__).with_name("judge.py")
SENDERS = [f"s{n:04d}" for n in range(101, 151)]
FEW = 20
"""As many as fill the groups: what is judged is one person's history, and each costs a sign-in."""
AWAY = [f"s{n:04d}" for n in range(201, 207)]
GROUPS = 8
MERGE_S = 10
"""So long that nobody is owed more cards in a minute than WeCom takes: that wait proves nothing here."""
QUIET_WITHIN_S = 90.0

pytestmark = pytest.mark.timeout(900)


class Ward:
    """A server, the stand-ins beside it, those who send and some people who are away."""

    def __init__(self, folder: Path, people: list[str]) -> None:
        self.people = people
        self.histories = folder / "histories"
        self.histories.mkdir()
        self.stand_ins = ServerProcess(folder / "stand-ins", "sandbox")
        base = self.stand_ins.sandbox_url
        self.server = ServerProcess(
            folder / "server",
            "run",
            "--sandbox",
            settings={
                # Its own stand-ins die with it and are not asked.
                "YUANXIN_WECOM_API_BASE": f"{base}/wecom/cgi-bin/",
                "YUANXIN_OA_ENDPOINT": f"{base}/oa/services/WorkflowService",
                "YUANXIN_OA_CALLS_PER_SECOND": "100",
                "YUANXIN_NOTICE_FIRST_SECONDS": "2",
                "YUANXIN_NOTICE_MERGE_SECONDS": str(MERGE_S),
            },
        )
        self.http: aiohttp.ClientSession
        self.tokens: dict[str, str] = {}
        self.groups: list[str] = []
        self.members: dict[str, list[str]] = {}
        self.documents: dict[str, list[str]] = {person: [] for person in AWAY}

    async def open(self, chance: random.Random) -> None:
        await self.stand_ins.start(f"{self.stand_ins.sandbox_url}/wecom/calls")
        await self.server.start()
        self.http = aiohttp.ClientSession()
        everybody = (*self.people, *AWAY)
        signing_in = (sign_in(self.http, self.server.url, person) for person in everybody)
        self.tokens = dict(zip(everybody, await asyncio.gather(*signing_in), strict=True))
        # The first reading makes no notices.
        await asyncio.gather(*(self.ask(person, "todos.count") for person in AWAY))
        for n in range(GROUPS):
            people = chance.sample(self.people, 12) + chance.sample(AWAY, 3)
            made = await self.ask(
                people[0], "chat.create_group", title=f"第{n}组", member_ids=people[1:]
            )
            self.groups.append(made["conversation_id"])
            self.members[made["conversation_id"]] = people

    async def ask(self, person: str, name: str, **fields: Any) -> dict[str, Any]:
        return await command(self.http, self.server.url, self.tokens[person], name, **fields)

    def senders(self, chance: random.Random, histories: dict[str, History]) -> list[Sender]:
        found = []
        for person in self.people:
            mine = [g for g, people in self.members.items() if person in people]
            if mine:
                found.append(
                    Sender(
                        self.http,
                        self.server.url,
                        self.tokens[person],
                        mine,
                        histories[person],
                        pause_s=0.4,
                        chance=random.Random(chance.random()),
                    )
                )
        return found

    async def put_document(self, chance: random.Random) -> None:
        """A document on the OA's desk for somebody who is away."""
        person = chance.choice(AWAY)
        form = {"title": "关于设备维护的请示", "creator": "s0001", "approvers": [person]}
        async with self.http.post(f"{self.stand_ins.sandbox_url}/oa/requests", json=form) as answer:
            assert answer.status == 201
            self.documents[person].append((await answer.json())["request_id"])

    async def phone(self, person: str) -> list[dict[str, Any]]:
        place = f"{self.stand_ins.sandbox_url}/wecom/inbox/{person}"
        async with self.http.get(place) as answer:
            cards: list[dict[str, Any]] = await answer.json()
            return cards

    async def write_down(self) -> None:
        """What is kept, what the phones show and what was owed, for the judge."""
        kept = {group: await self._everything(group) for group in self.groups}
        phones = {person: await self.phone(person) for person in AWAY}
        away_from = {p: [g for g, people in self.members.items() if p in people] for p in AWAY}
        owed = {"conversations": away_from, "documents": self.documents}
        for name, content in {"kept": kept, "phones": phones, "owed": owed}.items():
            (self.histories / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False))

    async def _everything(self, group: str) -> list[dict[str, Any]]:
        reader, messages = self.members[group][0], []
        more = True
        while more:
            after = messages[-1]["seq"] if messages else 0
            page = await self.ask(
                reader, "chat.history", conversation_id=group, after_seq=after, limit=200
            )
            messages += page["messages"]
            more = page["has_more"]
        return messages

    def verdict(self) -> dict[str, int]:
        """What the judge counts, asked as the separate program it is."""
        judged = subprocess.run(
            [sys.executable, str(JUDGE), str(self.histories)], capture_output=True, check=False
        )
        assert judged.stdout, judged.stderr.decode()
        counts: dict[str, int] = json.loads(judged.stdout)
        return counts

    async def close(self) -> None:
        await self.http.close()
        self.server.close()
        self.stand_ins.close()


async def run_and_kill(
    folder: Path, kills: int, seed: int, people: list[str] = SENDERS
) -> tuple[dict[str, int], int]:
    """Kill the server `kills` times under load; the judge's counts and how much was acked."""
    chance = random.Random(seed)
    ward = Ward(folder, people)
    histories = {person: History(ward.histories, person) for person in people}
    try:
        await ward.open(chance)
        senders = ward.senders(chance, histories)
        stop = asyncio.Event()
        sending = [asyncio.create_task(sender.run(stop)) for sender in senders]
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(1.0, 3.0))
            await ward.put_document(chance)
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            ward.server.kill()
            await asyncio.sleep(chance.uniform(0.0, 1.0))
            await ward.server.start()
        await asyncio.sleep(2)
        stop.set()
        await asyncio.gather(*sending)
        await asyncio.gather(*(sender.finish() for sender in senders))
        for history in histories.values():
            history.close()
        counts = await _when_quiet(ward)
        return counts, sum(sender.acked for sender in senders)
    finally:
        await ward.close()


async def _when_quiet(ward: Ward) -> dict[str, int]:
    """The verdict once pushes have had their time: asked until it is clean or the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + QUIET_WITHIN_S
    while True:
        await ward.write_down()
        counts = ward.verdict()
        if not any(counts.values()) or loop.time() > end:
            return counts
        await asyncio.sleep(1)


async def test_nothing_acked_is_lost_when_the_server_dies(tmp_path: Path) -> None:
    counts, acked = await run_and_kill(tmp_path, kills=2, seed=20260105, people=SENDERS[:FEW])
    assert not any(counts.values()), counts
    assert acked > 50


@pytest.mark.nightly
async def test_nothing_acked_is_lost_in_twenty_deaths(tmp_path: Path) -> None:
    counts, acked = await run_and_kill(tmp_path, kills=20, seed=42)
    assert not any(counts.values()), counts
    assert acked > 1_000
