"""Sockets of sessions that end: told why, closed soon, and nothing more is heard on them."""

import asyncio
import json

import pytest

from realtime.errors import Closing
from realtime.testing import SocketClient
from server.auth import Session
from server.auth.actor import SYSTEM
from server.directory.access import retire
from server.http.keys import SESSIONS
from server.storage import Patch
from server.work import UnitOfWork
from tests.server.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_S = 5.0
REVOKED = [{"reason": "revoked", "reconnect": False}]


async def assert_revoked(socket: SocketClient) -> None:
    await socket.ended(timeout_s=SOON_S)
    assert socket.named("closing") == REVOKED


async def session_of(house: House, token: str) -> str:
    return (await house.post("commands/account.me", {}, token)).result["session_id"]


async def test_a_revoked_sessions_sockets_are_closed_and_no_others(house: House) -> None:
    here, there = await house.sign_in("ann"), await house.sign_in("ann")
    sockets = [await house.connect(token) for token in (here, there, there)]

    await sockets[0].ask("account.revoke_session", {"session_id": await session_of(house, there)})

    await assert_revoked(sockets[1])
    await assert_revoked(sockets[2])
    assert (await sockets[0].call("account.me"))["ok"]
    assert (await house.post("auth/ticket", {}, there)).code == "unauthenticated"


async def test_a_ticket_of_a_revoked_session_is_worth_nothing(house: House) -> None:
    token = await house.sign_in("ann")
    ticket = await house.ticket(token)

    await house.post("auth/logout", {}, token)

    with pytest.raises(Exception, match="unauthenticated"):
        await SocketClient.connect(house.url, ticket)


async def test_signing_out_on_a_socket_is_answered_before_the_socket_is_closed(
    house: House,
) -> None:
    socket = await house.connect(await house.sign_in("ann"))

    ack = await socket.call("account.sign_out")

    assert ack == {"ok": True, "result": {}}
    await assert_revoked(socket)


async def test_signing_out_over_http_closes_the_sessions_sockets(house: House) -> None:
    token = await house.sign_in("bob")
    socket = await house.connect(token)

    await house.post("auth/logout", {}, token)

    await assert_revoked(socket)


async def test_a_new_password_closes_the_sockets_of_all_other_sessions(house: House) -> None:
    here, there = await house.sign_in("eve"), await house.sign_in("eve")
    this, that = await house.connect(here), await house.connect(there)

    old, new = "correct horse", "battery staple"
    answer = await house.post("commands/account.change_password", {"old": old, "new": new}, here)

    assert answer.result == {}
    await assert_revoked(that)
    assert (await this.call("account.me"))["ok"]


async def test_somebody_who_leaves_is_out_everywhere(house: House) -> None:
    token = await house.sign_in("dan")
    socket, witness = await house.connect(token), await house.socket("ann")
    server = house.server
    work = UnitOfWork(server.store, SYSTEM, house.clock.now())

    await retire(work, server.web[SESSIONS], server.directory, server.directory.find("dan"))
    await work.commit(server.hub)

    await assert_revoked(socket)
    assert (await house.post("commands/account.me", {}, token)).code == "unauthenticated"
    assert (await house.login("dan")).status == 401
    found = await witness.ask("contacts.search", {"query": "dan"})
    assert found["people"] == []


async def test_long_pages_asked_at_once_are_all_answered(house: House) -> None:
    opened = await house.ask("ann", "chat.open", person_id="cai")
    talk = opened.result["conversation_id"]
    for number in range(200):
        house.clock.advance(1)
        content = {"kind": "text", "text": "字" * 5_000}
        fields = {"conversation_id": talk, "client_id": f"long-{number}", "content": content}
        assert (await house.ask("ann", "chat.send", **fields)).status == 200
    house.clock.advance(60)
    client = await house.socket("cai")
    asked = [
        client.start("chat.history", {"conversation_id": talk, "limit": 200}) for _ in range(6)
    ]

    answers = await asyncio.gather(*asked)

    assert [answer["ok"] for answer in answers] == [True] * 6


async def test_half_an_emoji_is_refused_and_ends_no_connection(house: House) -> None:
    opened = await house.ask("ann", "chat.open", person_id="bob")
    client = await house.socket("ann")
    body = {
        "conversation_id": opened.result["conversation_id"],
        "client_id": "half",
        "content": {"kind": "text", "text": "\ud83d"},
    }
    # As JSON.stringify writes a text that was cut between the halves of an emoji.
    await client.send("425" + json.dumps(["chat.send", body]))
    await client.until(lambda: any(str(frame).startswith("435") for frame in client.frames))
    assert client.is_open, client.events
    assert any('"invalid"' in str(frame) for frame in client.frames)


async def test_the_last_close_is_told_once(house: House) -> None:
    token = await house.sign_in("bob")
    first = await house.connect(token)
    (connection,) = [c for c in house.server.hub.connections_of("bob") if c.id == first.sid]
    connection.close(Closing.TOO_SLOW)
    await first.ended()
    second = await house.connect(token)
    told = [(await second.ask("stream.catch_up")).get("last_close") for _ in range(2)]
    assert told == ["too_slow", None]


async def test_a_session_revoked_on_another_node_ends_here_as_well(house: House) -> None:
    token = await house.sign_in("cai")
    socket = await house.connect(token)
    session_id = await session_of(house, token)

    await house.server.store.apply(Patch(Session.collection.name, session_id, {"revoked_at": 1}))
    house.clock.advance(61)
    ack = await socket.call("account.me")

    assert ack["error"]["code"] == "unauthenticated"
    await assert_revoked(socket)


async def test_an_expired_sessions_sockets_are_swept(house: House) -> None:
    idle = await house.connect(await house.sign_in("cai"))
    asking = await house.connect(await house.sign_in("cai"))

    house.clock.advance(73 * 3_600)
    ack = await asking.call("account.me")

    assert ack["error"]["code"] == "unauthenticated"
    await asyncio.gather(assert_revoked(idle), assert_revoked(asking))


async def test_a_polling_client_is_told_as_well(house: House) -> None:
    token = await house.sign_in("bob")
    opened = await house.get("/socket.io/?EIO=4&transport=polling")
    sid = opened.text.split('"sid":"')[1].split('"')[0]
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    ticket = await house.ticket(token)
    await house.request("POST", path, data=f'40{{"ticket":"{ticket}"}}')
    connected = await house.get(path)

    waiting = asyncio.create_task(house.get(path))
    await house.post("auth/logout", {}, token)

    assert connected.text.startswith("40")
    assert '42["closing",{"reason":"revoked","reconnect":false}]' in (await waiting).text
    assert (await house.get(path)).text == "1"
    assert (await house.get(path)).status == 400
