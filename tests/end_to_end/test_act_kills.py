"""The server dies while the OA is being told of an act from a page: it is found out what became of it, and
it is never told twice."""

import asyncio
from pathlib import Path

import pytest

from tests.end_to_end.senders import command
from tests.end_to_end.test_press_kills import PERSON, opened, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.nightly]


async def test_an_act_whose_server_died_is_read_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        form = {"title": "关于值班的请示", "creator": "s0001", "approvers": [PERSON], "form": {}}
        request_id = (await desk.ask("/oa/requests", form))["request_id"]
        card = await command(
            desk.http, desk.server.url, desk.token, "documents.open", request_id=request_id
        )
        said = {
            "request_id": request_id,
            "client_id": "c1",
            "action": "approve",
            "seen": card["seen"],
            "opinion": "同意",
        }

        async def act() -> str:
            """Asked again with the same client id, it only says where that act stands."""
            told = await command(desk.http, desk.server.url, desk.token, "documents.act", **said)
            return str(told["act"]["state"])

        await desk.ask("/oa/faults", {"mode": "slow_submit", "for_s": 10})
        acting = asyncio.create_task(act())

        async def arrived() -> bool:
            [one] = [d for d in await desk.ask("/oa/requests") if d["request_id"] == request_id]
            return bool(one["done"])

        await until(arrived)
        desk.server.kill()
        await asyncio.gather(acting, return_exceptions=True)
        await desk.server.start()
        assert await act() in ("asked", "done")

        async def done() -> bool:
            await asyncio.sleep(2)  # not more often than one person may act
            return await act() == "done"

        await until(done)
        card = await command(
            desk.http, desk.server.url, desk.token, "documents.open", request_id=request_id
        )
        mine = [one for one in card["opinions"] if one["person_id"] == PERSON]
        assert len(mine) == 1
