"""The whole server asked oddly, over both roads."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.server.house import House, open_house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def all_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def house(all_day: House) -> House:
    all_day.clock.advance(60)
    return all_day


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_5000_characters_of_four_bytes_fit_a_frame_however_they_are_escaped(
    house: House,
) -> None:
    opened = await house.ask("ann", "chat.open", person_id="bob")
    client = await house.socket("ann")
    body: dict[str, Any] = {
        "conversation_id": opened.result["conversation_id"],
        "client_id": "c" * 64,
        "content": {"kind": "text", "text": "\U0001f600" * 5_000},
    }
    await client.send("4299" + json.dumps(["chat.send", body]))
    await client.until(lambda: any(str(frame).startswith("4399") for frame in client.frames))
    (ack,) = [frame for frame in client.frames if str(frame).startswith("4399")]
    assert '"ok":true' in str(ack)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"text":"ab","before":18446744073709551616}',
        b'{"text":"ab","before":9223372036854775808}',
        b'{"text":"\\ud800a"}',
        b'{"text":"\\u0000\\u0000"}',
        b'{"text":"ab","limit":99999999999999999999999999}',
        b"[]",
        b"null",
    ],
)
async def test_odd_bodies_are_the_askers_fault(house: House, raw: bytes) -> None:
    token = await house.token("ann")
    answer = await house.request(
        "POST",
        "/api/v1/commands/chat.search",
        data=raw,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    assert answer.status in (200, 400), answer.text
