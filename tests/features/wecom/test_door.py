"""The door by which WeCom comes in: what opens, what is refused, and that nothing breaks it."""

import base64
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from server.auth.sessions import Sessions
from server.features.wecom.accepting import Accepting
from server.features.wecom.routes import Door
from server.http.answers import answer_refusals
from server.integrations.wecom.crypto import CallbackCipher
from server.settings import BadSetting
from server.work import SystemWork
from tests.clocks import ManualClock
from tests.features.wecom.calling import ADDRESS, KEY, SETTINGS, Caller, event, message, typed
from tests.server.house import House, open_house

VECTORS = json.loads(
    (Path(__file__).parents[2] / "data" / "wecom_callback.json").read_text("utf-8")
)["vectors"]
ANSWERED = {200, 400, 403, 404, 405, 413}


def proof(vector: dict[str, str]) -> dict[str, str]:
    return {name: vector[name] for name in ("msg_signature", "timestamp", "nonce")}


@asynccontextmanager
async def door_of(vector: dict[str, str], house: House) -> AsyncIterator[URL]:
    """The address of a door in this house that has the keys of a sample."""
    cipher = CallbackCipher(vector["token"], vector["encoding_aes_key"], vector["receive_id"], 0)
    server = house.server
    sessions = Sessions(server.store, house.clock, server.directory.roles_of, idle_hours=1, days=1)
    system = SystemWork(server.store, server.hub, house.clock)
    accepting = Accepting(system, house.clock, server.directory, sessions)
    door = Door(cipher, house.clock, accepting)
    app = web.Application(middlewares=[answer_refusals])
    app.router.add_get(ADDRESS, door.verify)
    app.router.add_post(ADDRESS, door.take)
    async with TestServer(app) as served:
        yield served.make_url(ADDRESS)


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    clock = ManualClock()
    async with open_house(tmp_path, clock, **SETTINGS) as house:
        yield Caller(house, clock)


async def heard(house: House) -> int:
    return len(await house.server.store.scan("wecom_heard", limit=1_000))


async def test_the_console_is_told_bare_what_it_sealed(caller: Caller) -> None:
    answers = {}
    for vector in (one for one in VECTORS if one["kind"] == "url_verify"):
        query = {**proof(vector), "echostr": vector["echostr"]}
        async with (
            door_of(vector, caller.house) as door,
            caller.house.http.get(door, params=query) as said,
        ):
            answers[vector["id"]] = (said.status, await said.text())

    good = {one["id"]: one["expect_plaintext"] for one in VECTORS if "expect_plaintext" in one}
    for id, (status, text) in answers.items():
        assert status in (400, 403) if id not in good else (status, text) == (200, good[id]), id


async def test_what_decrypts_is_200_however_often_and_the_rest_is_refused(caller: Caller) -> None:
    for vector in (one for one in VECTORS if one["kind"] == "message_decrypt"):
        statuses = set()
        async with door_of(vector, caller.house) as door:
            for _ in range(2):
                body = vector["body_xml"].encode()
                async with caller.house.http.post(door, params=proof(vector), data=body) as said:
                    statuses.add(said.status)
        assert statuses <= {400, 403} if "expect_error" in vector else statuses == {200}, vector


async def test_what_is_not_understood_is_200_and_leaves_nothing(caller: Caller) -> None:
    strange = [
        b"",
        b"not xml",
        b"\xff\xfe",
        "<xml/>",
        message(MsgType="location"),
        message(MsgType="event"),
        event("view", EventKey="https://h.example"),
        event("template_card_event"),
        event("template_card_event", TaskId="../x", EventKey="k"),
        event("click", EventKey="nothing of ours"),
        event("change_contact", user="sys", ChangeType="update_tag", TagId="1"),
        event("change_contact", user="sys", ChangeType="delete_user", UserID="a b"),
        typed("  "),
        typed("待办", user=""),
        typed("待办", user="x" * 65),
        typed("待办", user="<b>"),
    ]
    statuses = [(await caller.call(one)).status for one in strange]

    assert statuses == [200] * len(strange)
    assert await heard(caller.house) == 0


async def test_whom_it_is_for_is_in_the_seal_and_not_in_the_envelope(caller: Caller) -> None:
    query, body = caller.sealed(event("enter_agent"))
    other = body.replace(b"wwcorp", b"wwother").replace(b"1000002", b"7")
    assert (await caller.send(query, other)).status == 200
    caller.cipher = CallbackCipher(caller.cipher.token, KEY, "wwother")
    assert (await caller.call(event("enter_agent"))).status == 403


async def test_an_old_callback_is_refused_and_one_from_the_future_too(caller: Caller) -> None:
    query, body = caller.sealed(event("enter_agent"))
    assert isinstance(caller.clock, ManualClock)
    for seconds in (301, -602):
        caller.clock.advance(seconds)
        assert (await caller.send(query, body)).status == 403
    caller.clock.advance(301)
    assert (await caller.send(query, body)).status == 200


async def test_without_a_key_there_is_no_door(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        assert (await house.get(ADDRESS)).status == 404


@pytest.mark.parametrize(
    ("token", "key"),
    [("", KEY), ("token", ""), ("to ken", KEY), ("t" * 33, KEY), ("token", "-" * 43)],
)
async def test_a_key_that_cannot_be_one_stops_the_start(
    token: str, key: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSetting, match="CALLBACK"):
        async with open_house(tmp_path, wecom_callback_token=token, wecom_callback_aes_key=key):
            pass


# What is broken


def mutated(chance: random.Random, caller: Caller) -> tuple[dict[str, str], bytes]:
    """A callback with something wrong, somewhere between the line and what it says."""
    said = chance.choice([typed("待办"), event("enter_agent"), event("subscribe", EventKey="x")])
    query, body = caller.sealed(
        chance.choice([said, said[: chance.randrange(len(said))], "<a>" * 9])
    )
    wrong = chance.randrange(11)
    if wrong == 0:
        name = chance.choice(list(query))
        query[name] = chance.choice(
            ["", "x" * 5_000, "\x00", "１２", "-1", query[name][::-1], "😀"]
        )
    elif wrong == 1:
        del query[chance.choice(list(query))]
    elif wrong == 2:
        body = body[: chance.randrange(len(body))]
    elif wrong in (3, 4):
        at = chance.randrange(len(body))
        body = body[:at] + bytes([chance.randrange(256)]) + body[at + chance.randrange(3) :]
    elif wrong == 5:
        body = chance.randbytes(chance.randrange(400))
    elif wrong == 6:
        noise = base64.b64encode(chance.randbytes(chance.randrange(200)))
        inside = chance.choice([b"", b"A" * 43, b"====", noise])
        body = b"<xml><Encrypt>" + inside + b"</Encrypt></xml>"
        query = resealed(caller, query, inside.decode())
    elif wrong > 8:
        # Sealed right whatever it says.
        inner = bytearray(said.encode())
        inner[chance.randrange(len(inner))] = chance.randrange(256)
        query, body = caller.sealed(bytes(inner))
    elif wrong == 7:
        body = b'<!DOCTYPE x [<!ENTITY a "b">]>' + body
    else:
        # Signed right, and damaged inside: the cipher has to notice.
        raw = bytearray(base64.b64decode(body.split(b"<Encrypt><![CDATA[")[1].split(b"]]")[0]))
        for _ in range(chance.randrange(1, 4)):
            raw[chance.randrange(len(raw))] ^= chance.randrange(1, 256)
        inside = base64.b64encode(bytes(raw[: chance.randrange(1, len(raw) + 1)]))
        body = b"<xml><Encrypt>" + inside + b"</Encrypt></xml>"
        query = resealed(caller, query, inside.decode())
    return query, body


def resealed(caller: Caller, query: dict[str, str], encrypted: str) -> dict[str, str]:
    signature = caller.cipher.sign(query["timestamp"], query["nonce"], encrypted)
    return {**query, "msg_signature": signature}


@pytest.mark.parametrize("count", [2_000, pytest.param(10_000, marks=pytest.mark.nightly)])
async def test_broken_callbacks_are_refused_or_ignored_and_never_an_error(
    caller: Caller, count: int
) -> None:
    chance = random.Random(20260105)
    seen: dict[int, int] = {}
    for _ in range(count):
        query, body = mutated(chance, caller)
        status = (await caller.send(query, body)).status
        seen[status] = seen.get(status, 0) + 1

    assert set(seen) <= ANSWERED, seen
    assert min(seen[200], seen[400], seen[403]) > count // 50, seen


async def test_a_body_that_is_too_large_is_refused(caller: Caller) -> None:
    query, body = caller.sealed(event("enter_agent"))
    for size in (300 << 10, 900 << 10):
        assert (await caller.send(query, body + b" " * size)).status == 413
