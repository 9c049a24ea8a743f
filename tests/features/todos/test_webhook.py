"""The door at which the OA says that something changed: signed, bounded, and harmless."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from server.features.todos.webhook import CALLS_AT_ONCE
from server.http.signed import FAILURES_AT_ONCE
from server.integrations.signing import KEY_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature
from tests.server.house import Answer, House, HouseStaff, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS = {"old": "the first secret", "new": "the second: with a colon"}
STAFF = HouseStaff(
    people=tuple(replace(p, oa_user_id=str(n)) for n, p in enumerate(HouseStaff().people, 1))
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_all_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    keys = ",".join(f"{id}:{secret}" for id, secret in KEYS.items())
    folder = tmp_path_factory.mktemp("house")
    async with open_house(folder, staff=STAFF, oa_webhook_keys=keys) as opened:
        yield opened


@pytest.fixture
def house(open_all_day: House) -> House:
    """The house a minute later: nobody has called before."""
    open_all_day.clock.advance(60)
    return open_all_day


def signed(house: House, body: bytes, key: str = "old") -> dict[str, str]:
    time = str(house.clock.now() // 1000)
    return {KEY_HEADER: key, TIME_HEADER: time, SIGNATURE_HEADER: signature(KEYS[key], time, body)}


async def call(house: House, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    headers = signed(house, body) if headers is None else headers
    return await house.request("POST", "/oa/changed", data=body, headers=headers)


def changed(*people: Any, **more: Any) -> bytes:
    return json.dumps({"people": people, **more}).encode()


async def test_known_and_unknown_people_are_counted_and_both_keys_are_good(house: House) -> None:
    answer = await call(house, changed("1", "2", "2", "900", request_id="10001"))
    again = await call(house, changed("1"), signed(house, changed("1"), "new"))

    assert (answer.status, answer.body) == (202, {"people": 2, "unknown": 1})
    assert (again.status, again.body) == (202, {"people": 1, "unknown": 0})


async def test_the_same_call_again_is_harmless(house: House) -> None:
    body = changed("1")
    headers = signed(house, body)

    assert [(await call(house, body, headers)).status for _ in range(3)] == [202] * 3


async def test_the_call_is_told_to_operators(house: House) -> None:
    assert (await call(house, changed())).body == {"people": 0, "unknown": 0}
    house.clock.advance(7)

    check = (await house.get("/readyz")).body["checks"]["oa_webhook"]
    figures = (await house.get("/metrics")).text

    assert "last heard 7 s ago; not relied on" in check["detail"]
    assert "oa_webhook_silent_seconds 7.0" in figures


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "not JSON"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `people`"),
        (changed(7), "$.people[0]"),
        (changed("x" * 65), "length <= 64"),
        (changed(""), "length >= 1"),
        (changed("1", request_id=7), "$.request_id"),
        (changed("1", title="secret"), "unknown field `title`"),
        (changed(*map(str, range(501))), "length <= 500"),
        (b"[" * 20_000, ""),
        (b"\xff\xfe", "not JSON"),
    ],
)
async def test_what_is_malformed_is_refused_with_the_reason(
    house: House, body: bytes, word: str
) -> None:
    answer = await call(house, body)

    assert (answer.status, answer.code) == (400, "invalid")
    assert word in answer.body["error"]["message"]


async def test_a_body_has_a_bound(house: House) -> None:
    most, more = (b'{"people": []}'.ljust(64 * 1024 + extra) for extra in (0, 1))

    assert (await call(house, most)).status == 202
    assert (await call(house, more)).status == 413


@pytest.mark.parametrize(
    ("spoiled", "word"),
    [
        ({SIGNATURE_HEADER: "0" * 64}, "signature is wrong"),
        ({KEY_HEADER: "new"}, "signature is wrong"),
        ({KEY_HEADER: "nobody"}, "signature is wrong"),
        ({TIME_HEADER: "1"}, "time is wrong"),
    ],
)
async def test_what_is_not_signed_rightly_is_not_let_in(
    house: House, spoiled: dict[str, str], word: str
) -> None:
    answer = await call(house, changed("1"), signed(house, changed("1")) | spoiled)

    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert word in answer.body["error"]["message"]


async def test_too_many_calls_are_told_to_wait(house: House) -> None:
    answers = [await call(house, changed("1")) for _ in range(CALLS_AT_ONCE + 1)]

    assert [a.status for a in answers] == [202] * CALLS_AT_ONCE + [429]
    assert answers[-1].body["error"]["retry_after_ms"] > 0


async def test_who_guesses_is_told_to_wait_and_the_oa_is_not(house: House) -> None:
    wrong = signed(house, changed()) | {SIGNATURE_HEADER: "0" * 64}

    answers = [await call(house, changed(), wrong) for _ in range(FAILURES_AT_ONCE + 1)]

    assert [a.status for a in answers] == [401] * FAILURES_AT_ONCE + [429]
    assert (await call(house, changed())).status == 202


async def test_without_keys_there_is_no_door(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        answer = await call(house, changed())
        check = (await house.get("/readyz")).body["checks"]["oa_webhook"]

    assert (answer.status, answer.code) == (404, "not_found")
    assert check == {"ready": False, "detail": "not configured"}
