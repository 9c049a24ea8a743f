"""Every command there is, asked by both roads: a socket's ack and an answer over HTTP are one shape.

The lists come from what the features declare, so a new command is asked here without anybody's doing.
"""

from typing import Any

import msgspec
import pytest

from server.app import ALL
from server.auth import Actor
from server.protocol import command_shapes
from tests.server.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = [shape.command.wire_name for shape in command_shapes(ALL)]
FOR_STAFF = [
    shape.command.wire_name for shape in command_shapes(ALL) if shape.handler.right(Actor("bob"))
]
"""Commands that need no role: of the others nobody without it learns even the fields."""

MADE_UP: dict[str, Any] = {
    "action": "approve",
    "documents.opinions before": "made-up",
    "draft": {},
    "request_ids": ["1"],
    "workflow_id": "1",
    "notice_id": "made-up",
    "quiet": [],
    "roads": [],
    "audience": {"everybody": True},
    "begins_on": "2026-01-05",
    "deputy_id": "made-up",
    "ends_on": "2026-01-05",
    "board_id": "made-up",
    "before": 5,
    "channel": "conversation:made-up",
    "client_id": "c1",
    "content": {"kind": "text", "text": "早"},
    "conversation_id": "made-up",
    "department_id": "made-up",
    "from_day": "2026-01-05",
    "hidden": True,
    "is_on": True,
    "is_read": True,
    "liked": True,
    "mail_id": "made-up",
    "member_ids": ["bob"],
    "new": "battery staple",
    "old": "not the password",
    "person_id": "made-up",
    "person_ids": ["made-up"],
    "post_id": "made-up",
    "query": "an",
    "request_id": "1",
    "seq": 1,
    "session_id": "made-up",
    "state": "pending",
    "subject": "例会",
    "text": "早上",
    "to_day": "2026-01-05",
    "title": "夜班",
    "to": {"person_ids": ["made-up"]},
    "url": "https://made.up/",
    "visible": True,
}

MAY_BE_NULL = {("documents.keep_draft", "draft")}


def fields_of(name: str) -> dict[str, Any]:
    """Fields of the right shape for a command, naming nothing that exists."""
    [kind] = [shape.command for shape in command_shapes(ALL) if shape.command.wire_name == name]
    required = [f.name for f in msgspec.structs.fields(kind) if f.required]
    return {field: MADE_UP.get(f"{name} {field}", MADE_UP.get(field)) for field in required}


def shape_of(ack: dict[str, Any]) -> tuple[Any, ...]:
    """What must not differ between the roads: everything but moments and made-up ids."""
    if ack["ok"]:
        return ("ok", sorted(ack["result"]))
    return ("refused", ack["error"]["code"], ack["error"]["message"])


def assert_ack(ack: dict[str, Any]) -> None:
    assert set(ack) in ({"ok", "result"}, {"ok", "error"})
    if not ack["ok"]:
        assert set(ack["error"]) <= {"code", "message", "retry_after_ms"}
        assert ack["error"]["message"]
        assert "Traceback" not in str(ack)


async def test_there_are_commands_of_every_feature_that_has_any() -> None:
    features = {name.partition(".")[0] for name in NAMES}

    assert features == {feature.name for feature in ALL if feature.commands}


@pytest.mark.parametrize("name", NAMES)
async def test_a_command_has_one_answer_by_both_roads(house: House, name: str) -> None:
    fields = fields_of(name)
    ends_its_session = name == "account.sign_out"
    token = await (house.sign_in if ends_its_session else house.token)("ann")
    socket = await house.connect(token)

    by_http = await house.post(f"commands/{name}", fields, token)
    by_socket = by_http.body if ends_its_session else await socket.call(name, fields)

    assert_ack(by_socket)
    assert_ack(by_http.body)
    if name == "stream.visible":
        assert by_socket["ok"]
        assert by_http.code == "invalid"
    else:
        assert shape_of(by_http.body) == shape_of(by_socket)
    assert by_http.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", FOR_STAFF)
async def test_an_unknown_field_is_invalid_by_its_path(house: House, name: str) -> None:
    fields = {**fields_of(name), "is_admin": True}
    socket = await house.socket("bob")

    by_http = await house.post(f"commands/{name}", fields, await house.token("bob"))
    by_socket = await socket.call(name, fields)

    assert (by_http.status, by_http.code) == (400, "invalid")
    assert by_socket == by_http.body
    assert "is_admin" in by_http.body["error"]["message"]


@pytest.mark.parametrize("name", NAMES)
async def test_nobody_who_is_not_signed_in_gets_an_answer(house: House, name: str) -> None:
    answer = await house.post(f"commands/{name}", fields_of(name))

    assert (answer.status, answer.code) == (401, "unauthenticated")


@pytest.mark.parametrize("name", FOR_STAFF)
async def test_a_field_of_another_type_is_invalid_by_its_path(house: House, name: str) -> None:
    for field in fields_of(name):
        for wrong in ({"$gt": ""}, {"$ne": None}, [["x"]], 1.5, None):
            if wrong is None and (name, field) in MAY_BE_NULL:
                continue
            answer = await house.ask("bob", name, **{**fields_of(name), field: wrong})

            assert (answer.status, answer.code) == (400, "invalid")
            assert f"$.{field}" in answer.body["error"]["message"]
            house.clock.advance(60)


@pytest.mark.parametrize(
    "name", ["chat.destroy", "__class__", "connection", "", "chat", "%E8%81%8A"]
)
async def test_an_unknown_command_is_not_found_by_both_roads(house: House, name: str) -> None:
    socket = await house.socket("ann")

    by_socket = await socket.call(name, {})

    assert by_socket["error"]["code"] == "not_found"
    answer = await house.ask("ann", name)
    assert (answer.status, answer.code) == (404, "not_found")


async def test_rates_are_told_with_the_time_to_wait(house: House) -> None:
    conversation = (await house.ask("ann", "chat.open", person_id="bob")).result
    answers = [await house.ask("ann", "chat.typing", **conversation) for _ in range(6)]
    socket = await house.socket("ann")

    by_socket = await socket.call("chat.typing", conversation)

    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[-1].code == "rate_limited"
    assert answers[-1].body["error"]["retry_after_ms"] == 1_000
    assert answers[-1].headers["Retry-After"] == "1"
    assert by_socket == answers[-1].body
    assert (await house.ask("bob", "chat.typing", **conversation)).status == 200


async def test_waiting_as_long_as_told_over_http_is_long_enough(house: House) -> None:
    query = {"text": "早上"}
    while (answer := await house.ask("cai", "chat.search", **query)).status == 200:
        house.clock.advance(0.001)

    house.clock.advance(int(answer.headers["Retry-After"]))

    assert (await house.ask("cai", "chat.search", **query)).status == 200
