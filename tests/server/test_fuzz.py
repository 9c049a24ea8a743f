"""Commands as no client of ours would send them: whatever comes is answered, and the socket lives on.

Bodies are valid ones with something put wrong, so that they get past the first look. A hostile mind is
modelled by chance; what it finds stays in hypothesis' memory until it is mended.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from realtime.testing import SocketClient
from server.errors import Forbidden, Refused
from tests.server.house import House
from tests.server.test_commands import NAMES, fields_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWERS = {kind.code for kind in Refused.__subclasses__()} - {"unavailable", "busy"}
ANSWERS |= {kind.code for kind in Forbidden.__subclasses__()}
CLOSING_THEIR_OWN = {"account.sign_out", "account.change_password"}
COMMANDS = [name for name in NAMES if name not in CLOSING_THEIR_OWN]
OPTIONAL = [
    "limit",
    "before_seq",
    "after_seq",
    "before",
    "page",
    "muted",
    "pinned",
    "theme",
    "font",
]
OPTIONAL += ["epoch", "positions", "mentions", "language"]

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", " ", "\x00", "\u202e", "𠮷" * 40, "x" * 6_000, "$where", "../../x", "%00"]
    ),
    st.sampled_from([2**31, 2**53, 2**53 + 1, 2**63, -1, 0, 1e308, 10**30]),
    st.sampled_from(
        [{"$gt": ""}, {"$ne": None}, {"kind": "recalled"}, {"kind": "text", "text": ""}]
    ),
    st.sampled_from([[], [[]], ["ann"] * 3, [None], ["bob", "nobody"], {}, {"": {}}]),
    st.text(max_size=20),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=30),
)
REAL = "a conversation that exists"


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A command's name and fields: some left out, some odd, some added, some real."""
    name = draw(st.sampled_from(COMMANDS))
    fields = fields_of(name)
    if "conversation_id" in fields and draw(st.booleans()):
        fields["conversation_id"] = REAL
    for field in draw(st.lists(st.sampled_from([*fields, *OPTIONAL]), max_size=1)):
        fields[field] = draw(ODD)
    if fields and draw(st.integers(0, 9)) == 0:
        fields.pop(draw(st.sampled_from(sorted(fields))))
    if isinstance(fields.get("content"), dict) and draw(st.booleans()):
        fields["content"] = {
            **fields["content"],
            draw(st.sampled_from(["text", "mentions"])): draw(ODD),
        }
    return name, fields


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def victim(open_all_day: House) -> AsyncIterator[tuple[SocketClient, str]]:
    group = {"title": "夜班", "member_ids": ["bob", "cai"]}
    opened = (await open_all_day.ask("ann", "chat.create_group", **group)).result
    yield await open_all_day.socket("ann"), opened["conversation_id"]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=bodies())
async def test_odd_commands_are_answered_and_end_no_connection(
    open_all_day: House, victim: tuple[SocketClient, str], body: tuple[str, dict[str, Any]]
) -> None:
    socket, conversation_id = victim
    name, fields = body
    if fields.get("conversation_id") == REAL:
        fields = {**fields, "conversation_id": conversation_id}
    open_all_day.clock.advance(5)

    ack = await socket.call(name, fields)

    outcome = "ok" if ack["ok"] else ack["error"]["code"]
    event(outcome)
    assert outcome == "ok" or outcome in ANSWERS, ack
    assert socket.is_open
    assert socket.named("closing") == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(args=st.lists(ODD | st.dictionaries(st.text(max_size=5), ODD, max_size=3), max_size=3))
async def test_odd_arguments_in_place_of_one_object_are_answered(
    victim: tuple[SocketClient, str], open_all_day: House, args: list[Any]
) -> None:
    socket, _ = victim
    open_all_day.clock.advance(5)
    answered = _acks(socket)

    await socket.send("4299" + json.dumps(["chat.open", *args]))
    await socket.until(lambda: _acks(socket) > answered)

    assert socket.named("closing") == []


def _acks(socket: SocketClient) -> int:
    return sum(frame.startswith("4399") for frame in socket.frames if isinstance(frame, str))
