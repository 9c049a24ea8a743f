"""A client that is not ours: npm's socket.io-client in Node, against the running server."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.server.house import open_house

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "static" / "node_modules" / "socket.io-client"
CLIENT = PACKAGE / "build" / "esm-debug" / "index.js"
NODE = Path(sys.executable).parent / "node"

pytestmark = pytest.mark.skipif(
    not CLIENT.exists(), reason="static/node_modules is not installed; make test installs it"
)


@pytest.mark.parametrize(
    ("transports", "roads"),
    [
        ("websocket", ["websocket", "websocket"]),
        ("polling,websocket", ["polling", "websocket"]),
        ("polling", ["polling", "polling"]),
    ],
)
async def test_npms_client_signs_in_sends_hears_and_catches_up(
    tmp_path: Path, transports: str, roads: list[str]
) -> None:
    async with open_house(tmp_path) as house:
        node = await asyncio.create_subprocess_exec(
            *(NODE, HERE / "npm_client.mjs", house.url, transports, CLIENT),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(40):
            out, err = await node.communicate()

        assert node.returncode == 0, err.decode()
        told = json.loads(out)
        channel = f"conversation:{told['conversation_id']}"
        message = told["heard"]["message"]
        assert told["roads"] == roads
        assert set(told["sent"]) == {"message_id", "seq", "sent_at"}
        assert {name: message[name] for name in told["sent"]} == told["sent"]
        assert (message["sender_id"], message["content"]["text"]) == ("ann", "早上好")
        assert (told["heard"]["channel"], told["heard"]["position"]) == (channel, 2)

        tail = told["caughtUp"]["channels"][channel]
        assert told["caughtUp"]["reload"] is False
        assert tail["complete"] is True
        [event] = tail["events"]
        assert (event["event"], event["data"]["message"]["seq"]) == ("chat.sent", 2)
        assert event["data"]["message"]["message_id"] == told["missed"]["message_id"]

        assert told["unknown"]["error"]["code"] == "not_found"
        assert told["refused"]["message"] == "unauthenticated"
        assert told["refused"]["data"]["code"] == "unauthenticated"
