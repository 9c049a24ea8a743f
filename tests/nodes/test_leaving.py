"""What ends on one node ends on all, and what a node did goes on elsewhere when it leaves."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from tests.memory import tmp_path
from tests.nodes.pair import WITHIN_S, becomes, conversation_of, open_pair, say, soon

__all__ = ["tmp_path"]


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "without the line"])
async def test_a_session_revoked_on_one_node_is_out_on_the_other(
    tmp_path: Path, linked: bool
) -> None:
    async with open_pair(tmp_path, linked=linked) as pair:
        token = await pair.first.sign_in("s0001")
        socket = await pair.second.connect(token)
        session = (await socket.ask("account.me"))["session_id"]

        await pair.first.ask("s0001", "account.revoke_session", session_id=session)
        await socket.ended(timeout_s=WITHIN_S)
        assert socket.named("closing")[0]["reason"] == "revoked"

        async def refused() -> int:
            return (await pair.second.post("commands/account.me", {}, token)).status

        await becomes(refused, 401)


async def test_a_node_that_leaves_says_so_first_and_its_people_go_on_elsewhere(
    tmp_path: Path,
) -> None:
    async with open_pair(tmp_path, drain_seconds=1) as pair:
        third = await pair.open_node()
        assert third.server.leader.leads is False
        phone = await third.socket("s0001")
        talk = await conversation_of(phone, "s0002")
        stream = await phone.ask("stream.catch_up")
        await say(phone, talk, 1)
        began = time.monotonic()
        leaving = asyncio.create_task(pair.close_last())

        async def ready() -> int:
            return (await third.get("/readyz")).status

        await becomes(ready, 503)
        assert phone.is_open, "the proxy has time to notice"
        await phone.ended(timeout_s=WITHIN_S)
        await leaving
        told = phone.named("closing")[0]
        assert (told["reason"], told["reconnect"]) == ("going_away", True)
        assert told["retry_after_ms"] <= 1_000
        assert time.monotonic() - began >= 1.0
        with pytest.raises(aiohttp.ClientConnectionError):
            await third.get("/readyz")

        again = await pair.first.socket("s0001")
        other = await pair.second.socket("s0002")
        await say(other, talk, 2)
        positions = {c: tail["position"] for c, tail in stream["channels"].items()}
        missed = await again.ask(
            "stream.catch_up", {"epoch": stream["epoch"], "positions": positions}
        )
        events = [e["data"] for e in missed["channels"][f"conversation:{talk}"]["events"]]
        assert [e["message"]["client_id"] for e in events if "message" in e] == ["c1", "c2"]


async def test_the_lead_goes_on_when_its_node_leaves(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as pair:
        third = await pair.open_node()
        assert [n.server.leader.leads for n in (pair.first, pair.second, third)] == [
            True,
            False,
            False,
        ]
        await pair.first.server.leader.resign()
        await soon(lambda: pair.second.server.leader.leads or third.server.leader.leads)
