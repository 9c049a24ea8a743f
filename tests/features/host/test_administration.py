"""What an administrator sees of people and their WeCom, and that nobody else does."""

from typing import Any

import pytest

from server.clock import Millis
from server.directory.wecom_state import STATE, Outcome, SyncState
from server.features.host.documents import Binding, Claim
from server.storage import Insert
from server.storage.document import to_doc
from tests.features.host.lobby import PASSWORD, Browser, Lobby


async def signed_in(lobby: Lobby, account: str) -> Browser:
    browser = await lobby.browser()
    status, _ = await browser.post("auth/login", account=account, password=PASSWORD)
    assert status == 200
    return browser


async def ask(browser: Browser, name: str, **fields: Any) -> dict[str, Any]:
    status, body = await browser.post(f"commands/{name}", **fields)
    assert status == 200, body
    return dict(body["result"])


async def test_who_is_bound_and_who_waits_at_the_door_is_listed_and_looking_recorded(
    lobby: Lobby,
) -> None:
    boss = await signed_in(lobby, "boss")
    await (await lobby.browser("Ann")).go("/api/v1/auth/wecom")
    await (await lobby.browser("wx.cai")).go("/api/v1/auth/wecom")

    bound = await ask(boss, "host.bindings")
    claims = await ask(boss, "host.claims")

    [ann] = bound["items"]
    assert (ann["person_id"], ann["wecom_user_id"], ann["how"]) == ("ann", "Ann", "listed")
    assert bound["next"] == ""
    [cai] = claims["items"]
    assert (cai["wecom_user_id"], cai["code_sent"], cai["tries"]) == ("wx.cai", False, 0)
    [row] = await lobby.audited("host.list_bindings")
    assert (row.actor_id, row.detail) == ("boss", {"shown": 1})
    [row] = await lobby.audited("host.list_claims")
    assert (row.actor_id, row.detail) == ("boss", {"shown": 1})

    await ask(boss, "host.binding", person_id="ann")
    [row] = await lobby.audited("host.show_binding")
    assert (row.actor_id, row.subject) == ("boss", "ann")

    lobby.clock.advance(1_801)
    assert (await ask(boss, "host.claims"))["items"] == []


async def test_who_is_at_the_door_now_is_listed_however_many_were_there_before(
    lobby: Lobby,
) -> None:
    boss = await signed_in(lobby, "boss")
    gone = [
        Claim(id=f"a{n}", wecom_user_id=f"a{n}", token_hash="", target="/", expires_at=Millis(n))
        for n in range(1_001)
    ]
    await lobby.server.store.apply(*(Insert(Claim.collection.name, to_doc(one)) for one in gone))
    await (await lobby.browser("wx.cai")).go("/api/v1/auth/wecom")

    assert [c["wecom_user_id"] for c in (await ask(boss, "host.claims"))["items"]] == ["wx.cai"]


async def test_bindings_that_do_not_hold_are_not_shown_and_pages_follow_one_another(
    lobby: Lobby,
) -> None:
    boss = await signed_in(lobby, "boss")
    for wecom, person in (("a1", "ann"), ("b1", "bob"), ("c1", "cai")):
        await lobby.is_listed_as(person, wecom)
        kept = to_doc(Binding(id=wecom, person_id=person))
        await lobby.server.store.apply(Insert(Binding.collection.name, kept))
    await lobby.is_listed_as("bob", "another")

    first = await ask(boss, "host.bindings", limit=2)
    second = await ask(boss, "host.bindings", limit=2, after=first["next"])

    assert [one["person_id"] for one in first["items"] + second["items"]] == ["ann", "cai"]
    assert second["next"] == ""


async def test_the_last_sync_is_shown_with_what_somebody_has_to_look_at(lobby: Lobby) -> None:
    boss = await signed_in(lobby, "boss")
    before = await ask(boss, "host.sync")
    outcome = Outcome(
        direction="from_wecom",
        trigger="night",
        began_at=lobby.clock.now(),
        ended_at=lobby.clock.now(),
        result="held",
        counts={"new": 3},
        lines=["! x：同名"],
    )
    state = SyncState(id=STATE, outcome=outcome)
    await lobby.server.store.apply(Insert(SyncState.collection.name, to_doc(state)))

    shown = await ask(boss, "host.sync")

    assert (before["result"], before["direction"]) == ("", "off")
    assert (shown["result"], shown["counts"], shown["conflicts"]) == (
        "held",
        {"new": 3},
        ["! x：同名"],
    )


@pytest.mark.parametrize("name", ["host.bindings", "host.claims", "host.sync"])
async def test_nobody_but_an_administrator_sees_it(lobby: Lobby, name: str) -> None:
    ann = await signed_in(lobby, "ann")

    status, body = await ann.post(f"commands/{name}")

    assert (status, body["error"]["code"]) == (403, "forbidden")
