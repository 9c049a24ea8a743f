"""What a phone asks in one go after a silence, when its session has to be looked at again."""

import json

import pytest

from tests.server.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_messages_sent_together_after_a_silence_keep_their_order(house: House) -> None:
    opened = await house.ask("ann", "chat.open", person_id="bob")
    client = await house.socket("ann")
    for round in range(3):
        house.clock.advance(120)
        for number in range(5):
            text = f"{round}.{number}"
            body = {
                "conversation_id": opened.result["conversation_id"],
                "client_id": text,
                "content": {"kind": "text", "text": text},
            }
            await client.send(f"429{number}" + json.dumps(["chat.send", body]))
        acks = [f"439{number}[" for number in range(5)]
        await client.until(
            lambda: all(any(str(f).startswith(a) for f in client.frames) for a in acks)  # noqa: B023
        )
        client.frames.clear()

    told = [event["message"]["content"]["text"] for event in client.named("chat.sent")]
    assert told == sorted(told)
