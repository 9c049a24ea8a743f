"""The door by which the HIS comes in, over HTTP: signed, within the window, within bounds."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from server.features.dashboard.routes import BATCHES_AT_ONCE
from server.http.signed import FAILURES_AT_ONCE
from tests.server.house import Answer, House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS = {"old": "the first secret", "new": "the second: with a colon"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_all_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    keys = ",".join(f"{id}:{secret}" for id, secret in KEYS.items())
    async with open_house(tmp_path_factory.mktemp("house"), his_keys=keys) as opened:
        yield opened


@pytest.fixture
def house(open_all_day: House) -> House:
    """The house a minute later: nobody has asked before, and ids are others."""
    open_all_day.clock.advance(60)
    return open_all_day


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps({"events": list(events)}).encode()


def event(house: House, event_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"{event_id}.{house.clock.now()}",
        "kind": "registered",
        "type": "general",
        "at": house.clock.now(),
        "department_id": "ward",
        **fields,
    }


def signed(house: House, body: bytes, key: str = "old", **changed: Any) -> dict[str, str]:
    """The headers, written as the wire says."""
    time = str(house.clock.now() // 1000 + changed.get("late_s", 0))
    made = hmac.new(KEYS[key].encode(), time.encode() + b"\n" + body, hashlib.sha256)
    return {"X-Yuanxin-Key": key, "X-Yuanxin-Time": time, "X-Yuanxin-Signature": made.hexdigest()}


async def post(house: House, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    headers = signed(house, body) if headers is None else headers
    return await house.request("POST", "/api/v1/his/events", data=body, headers=headers)


async def test_a_signed_batch_is_taken_by_any_of_the_keys(house: House) -> None:
    first, second = body_of(event(house)), body_of(event(house), event(house, "b"))

    one = await post(house, first)
    other = await post(house, second, signed(house, second, "new"))

    now = house.clock.now()
    assert (one.status, one.body) == (
        200,
        {"accepted": 1, "repeated": 0, "refused": [], "as_of": now},
    )
    assert (other.body["accepted"], other.body["repeated"]) == (1, 1)


async def test_an_empty_batch_is_a_sign_of_life(house: House) -> None:
    answer = await post(house, body_of())

    assert answer.body == {
        "accepted": 0,
        "repeated": 0,
        "refused": [],
        "as_of": house.clock.now(),
    }


async def test_a_request_may_be_sent_again_and_counts_once(house: House) -> None:
    body = body_of(event(house))
    headers = signed(house, body)

    assert (await post(house, body, headers)).body["accepted"] == 1
    assert (await post(house, body, headers)).body["repeated"] == 1


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"X-Yuanxin-Signature": "0" * 64}, "signature is wrong"),
        ({"X-Yuanxin-Signature": "ä"}, "signature is wrong"),
        ({"X-Yuanxin-Signature": ""}, "signature is wrong"),
        ({"X-Yuanxin-Key": "new"}, "signature is wrong"),
        ({"X-Yuanxin-Key": "nobody"}, "signature is wrong"),
        ({"X-Yuanxin-Time": "soon"}, "time is wrong"),
        ({"X-Yuanxin-Time": "-1"}, "time is wrong"),
        ({"X-Yuanxin-Time": "9" * 40}, "time is wrong"),
        ({"X-Yuanxin-Time": "٣٣٣"}, "time is wrong"),
    ],
)
async def test_what_is_not_signed_rightly_is_not_let_in(
    house: House, changed: dict[str, str], word: str
) -> None:
    body = body_of(event(house))

    answer = await post(house, body, signed(house, body) | changed)

    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert word in answer.body["error"]["message"]
    assert (await post(house, body)).body["accepted"] == 1, "nothing of it was kept"


@pytest.mark.parametrize("name", ["Key", "Time", "Signature"])
async def test_a_header_that_is_missing_is_named(house: House, name: str) -> None:
    body = body_of()
    headers = signed(house, body)
    del headers[f"X-Yuanxin-{name}"]

    answer = await post(house, body, headers)

    assert answer.status == 401
    assert f"X-Yuanxin-{name} is missing" in answer.body["error"]["message"]


async def test_a_body_changed_on_the_way_is_not_let_in(house: House) -> None:
    headers = signed(house, body_of(event(house)))

    assert (await post(house, body_of(event(house, count=99)), headers)).status == 401


@pytest.mark.parametrize(("late_s", "status"), [(-300, 200), (300, 200), (-301, 401), (301, 401)])
async def test_the_window_is_five_minutes_both_ways(house: House, late_s: int, status: int) -> None:
    answer = await post(house, body_of(), signed(house, body_of(), late_s=late_s))

    assert answer.status == status
    if status == 401:
        assert f"301 s {'ahead of' if late_s > 0 else 'behind'} ours" in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[]",
        b'{"events": {}}',
        b'{"events": [], "more": 1}',
        b'{"events": [1]}',
        b'{"events": [{}]}',
        b'{"events": [{"event_id": "' + b"x" * 65 + b'"}]}',
        b'{"events": [{"event_id": "two words"}]}',
        b'{"events": [{"event_id": "\\ud800"}]}',
        b'{"events": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"\xff\xfe",
    ],
)
async def test_what_is_no_batch_is_malformed(house: House, body: bytes) -> None:
    answer = await post(house, body)

    assert (answer.status, answer.code) == (400, "invalid")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "born"}, "Invalid enum value 'born'"),
        ({"kind": "seen", "type": None}, "seen needs a type"),
        ({"kind": "operations"}, "operations has no type"),
        ({"kind": "inpatients", "type": None}, "needs a value"),
        ({"kind": "inpatients", "value": 3}, "has no type"),
        ({"value": 3}, "has no value"),
        ({"kind": "inpatients", "type": None, "value": -1}, ">= 0"),
        ({"count": 0}, ">= 1"),
        ({"count": 1.5}, "Expected `int`"),
        ({"at": -1}, ">= 0"),
        ({"patient": "somebody"}, "unknown field `patient`"),
        ({"department_id": "moon"}, "no such department"),
        ({"corrects": "b", "cancels": "b"}, "not both"),
        ({"event_id": "bad", "cancels": "bad"}, "cannot name itself"),
    ],
)
async def test_an_event_that_cannot_be_is_refused_by_name_and_the_rest_taken(
    house: House, fields: dict[str, Any], reason: str
) -> None:
    answer = await post(house, body_of({**event(house, "bad"), **fields}, event(house, "good")))

    [refused] = answer.body["refused"]
    assert answer.body["accepted"] == 1
    assert refused["event_id"].startswith("bad")
    assert reason in refused["reason"]


async def test_a_batch_has_bounds(house: House) -> None:
    most = body_of(*(event(house, f"e{n}") for n in range(500)))
    more = body_of(*(event(house, f"e{n}") for n in range(501)))
    large = b'{"events": [' + b" " * (256 * 1024) + b"]}"

    assert (await post(house, most)).body["accepted"] == 500
    assert (await post(house, more)).status == 400
    assert (await post(house, large)).status == 413


async def test_too_many_batches_are_told_to_wait(house: House) -> None:
    answers = [await post(house, body_of()) for _ in range(BATCHES_AT_ONCE + 1)]

    assert [a.status for a in answers] == [200] * BATCHES_AT_ONCE + [429]
    assert answers[-1].body["error"]["retry_after_ms"] > 0


async def test_who_keeps_guessing_is_told_to_wait_and_the_his_is_not(house: House) -> None:
    wrong = signed(house, body_of()) | {"X-Yuanxin-Signature": "0" * 64}

    answers = [await post(house, body_of(), wrong) for _ in range(FAILURES_AT_ONCE + 1)]

    assert [a.status for a in answers] == [401] * FAILURES_AT_ONCE + [429]
    assert (await post(house, body_of())).status == 200


async def test_without_keys_there_is_no_door(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        answer = await post(house, body_of())

    assert (answer.status, answer.code) == (404, "not_found")
