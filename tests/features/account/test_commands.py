"""What people do with their own account, and that they reach nobody else's."""

from typing import Any

import pytest

from realtime.application import Identity
from realtime.channel import person_channel
from realtime.errors import Closing
from tests.features.account.reception import PASSWORD, Reception
from tests.features.office import Client


async def page_of(reception: Reception, token: str) -> Client:
    """A connected page under a token's session."""
    actor = await reception.sessions.authenticate(token)
    client = Client(reception.office, actor.person_id)
    client.connection.identity = Identity(actor.person_id, actor.session_id, actor.address)
    await client.connect()
    return client


async def test_me_tells_all_a_page_needs_to_begin(reception: Reception) -> None:
    token = await reception.sign_in("ann")

    me = (await reception.ask(token, "account.me"))["result"]

    assert me["person"] == {
        "person_id": "ann",
        "name": "安宁",
        "title": "护士",
        "department_id": "ward",
        "department": "产科",
        "avatar_hue": me["person"]["avatar_hue"],
        "online": True,
    }
    assert me["roles"] == ["staff"]
    assert me["session_id"] == await reception.session_of(token)
    assert me["settings"] == {"theme": "system", "font": "normal", "language": "zh"}
    assert me["server"] == {"recall_seconds": 120, "text_limit": 5000}


# Settings


async def test_changed_settings_reach_ones_other_devices_and_nobody_else(
    reception: Reception,
) -> None:
    token = await reception.sign_in("ann")
    phone, bobs = await reception.office.client("ann"), await reception.office.client("bob")

    ack = await reception.ask(token, "account.set_settings", theme="dark", font="large")

    expected = {"theme": "dark", "font": "large", "language": "zh"}
    assert ack["result"]["settings"] == expected
    [told] = phone.told("account.settings_changed")
    assert told == {**expected, "channel": person_channel("ann"), "position": told["position"]}
    assert bobs.events == []
    assert (await reception.ask(token, "account.me"))["result"]["settings"] == expected


async def test_catching_up_gives_the_newest_settings_once(reception: Reception) -> None:
    token = await reception.sign_in("ann")
    page = await reception.office.client("ann")
    before = await page.ask("stream.catch_up")
    for theme in ("dark", "light", "dark"):
        await reception.ask(token, "account.set_settings", theme=theme)

    missed = await page.ask(
        "stream.catch_up",
        epoch=before["epoch"],
        positions={person_channel("ann"): before["channels"][person_channel("ann")]["position"]},
    )

    [event] = missed["channels"][person_channel("ann")]["events"]
    me = (await reception.ask(token, "account.me"))["result"]
    assert event["event"] == "account.settings_changed"
    assert {name: event["data"][name] for name in me["settings"]} == me["settings"]


async def test_choosing_what_is_already_chosen_tells_nobody(reception: Reception) -> None:
    token = await reception.sign_in("ann")
    phone = await reception.office.client("ann")

    await reception.ask(token, "account.set_settings", theme="system")
    await reception.ask(token, "account.set_settings")

    assert phone.events == []


# Devices


async def test_sessions_list_ones_own_devices_newest_first(reception: Reception) -> None:
    await reception.post(
        "auth/login",
        {"account": "ann", "password": PASSWORD},
        **{"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19) wxwork/5.0 MicroMessenger/7"},
    )
    reception.office.clock.advance(5)
    token = await reception.sign_in("ann")
    await reception.sign_in("bob")

    listed = (await reception.ask(token, "account.sessions"))["result"]["sessions"]

    assert [(s["device"], s["current"]) for s in listed][1] == ("WeCom · iPhone", False)
    assert listed[0]["session_id"] == await reception.session_of(token)
    assert listed[0]["current"] is True
    assert listed[0]["address"] == "127.0.0.1"
    assert len(listed) == 2


async def test_a_revoked_device_is_out_at_once_and_its_sockets_are_closed(
    reception: Reception,
) -> None:
    here, there = await reception.sign_in("ann"), await reception.sign_in("ann")
    this_page, that_page = await page_of(reception, here), await page_of(reception, there)

    ack = await reception.ask(
        here, "account.revoke_session", session_id=await reception.session_of(there)
    )

    assert ack == {"ok": True, "result": {}}
    assert (await reception.ask(there, "account.me"))["error"]["code"] == "unauthenticated"
    assert (that_page.closed, this_page.closed) == (Closing.REVOKED, None)
    assert len(await reception.audited("account.revoke_session")) == 1


async def test_revoking_twice_is_answered_and_recorded_once(reception: Reception) -> None:
    here, there = await reception.sign_in("ann"), await reception.sign_in("ann")
    session_id = await reception.session_of(there)

    acks = [
        await reception.ask(here, "account.revoke_session", session_id=session_id) for _ in "12"
    ]

    assert [ack["ok"] for ack in acks] == [True, True]
    assert len(await reception.audited("account.revoke_session")) == 1


async def test_nobody_revokes_anothers_device(reception: Reception) -> None:
    ann, bob = await reception.sign_in("ann"), await reception.sign_in("bob")

    ack = await reception.ask(
        bob, "account.revoke_session", session_id=await reception.session_of(ann)
    )
    made_up = await reception.ask(bob, "account.revoke_session", session_id="made-up")

    assert ack["error"] == made_up["error"]
    assert ack["error"]["code"] == "not_found"
    assert (await reception.ask(ann, "account.me"))["ok"]


async def test_signing_out_ends_this_session_alone(reception: Reception) -> None:
    here, there = await reception.sign_in("ann"), await reception.sign_in("ann")
    page = await page_of(reception, here)

    assert (await reception.ask(here, "account.sign_out"))["ok"]

    assert page.closed is Closing.REVOKED
    assert not (await reception.ask(here, "account.me"))["ok"]
    assert (await reception.ask(there, "account.me"))["ok"]


# Password


async def test_a_new_password_signs_out_all_other_devices(reception: Reception) -> None:
    here, there = await reception.sign_in("ann"), await reception.sign_in("ann")
    bob = await reception.sign_in("bob")

    ack = await reception.ask(here, "account.change_password", old=PASSWORD, new="battery staple")

    assert ack["ok"], ack
    signed_in = [(await reception.ask(t, "account.me"))["ok"] for t in (here, there, bob)]
    assert signed_in == [True, False, True]
    assert (await reception.try_sign_in("ann"))[0] == 401
    assert (await reception.try_sign_in("ann", "battery staple"))[0] == 200


async def test_a_change_of_password_asked_for_again_is_answered_as_the_first_time(
    reception: Reception,
) -> None:
    token = await reception.sign_in("ann")
    asked = {"old": PASSWORD, "new": "battery staple"}

    first = await reception.ask(token, "account.change_password", **asked)
    again = await reception.ask(token, "account.change_password", **asked)
    other = await reception.ask(token, "account.change_password", old=PASSWORD, new="battery apple")
    reception.office.clock.advance(601)
    late = await reception.ask(token, "account.change_password", **asked)

    assert first == again == {"ok": True, "result": {}}
    assert [ack["error"]["code"] for ack in (other, late)] == ["forbidden"] * 2
    assert len(await reception.audited("account.change_password")) == 1


async def test_a_wrong_old_password_changes_nothing_and_counts_as_a_failure(
    reception: Reception,
) -> None:
    token = await reception.sign_in("ann")
    codes = []
    for _ in range(11):
        ack = await reception.ask(
            token, "account.change_password", old="wrong", new="battery staple"
        )
        codes.append(ack["error"]["code"])
        reception.office.clock.advance(20)

    assert codes == ["forbidden"] * 10 + ["rate_limited"]


@pytest.mark.parametrize("new", ["short", PASSWORD, "x" * 129])
async def test_an_unfit_new_password_is_invalid(reception: Reception, new: str) -> None:
    token = await reception.sign_in("ann")

    ack = await reception.ask(token, "account.change_password", old=PASSWORD, new=new)

    assert ack["error"]["code"] == "invalid"


# Shapes


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("account.me", {"person_id": "bob"}),
        ("account.set_settings", {"theme": "pink"}),
        ("account.set_settings", {"theme": None}),
        ("account.set_settings", {"person_id": "bob"}),
        ("account.sessions", {"person_id": "bob"}),
        ("account.revoke_session", {}),
        ("account.revoke_session", {"session_id": "x" * 65}),
        ("account.revoke_session", {"session_id": {"$gt": ""}}),
        ("account.sign_out", {"session_id": "x"}),
        ("account.change_password", {"old": "x", "new": "x" * 8, "person_id": "bob"}),
    ],
)
async def test_other_fields_and_values_are_invalid(
    reception: Reception, name: str, fields: dict[str, Any]
) -> None:
    token = await reception.sign_in("ann")

    ack = await reception.ask(token, name, **fields)

    assert ack["error"]["code"] == "invalid"


async def test_nothing_is_asked_without_signing_in(reception: Reception) -> None:
    for name in ("account.me", "account.sessions", "account.sign_out", "contacts.tree"):
        assert (await reception.post(f"commands/{name}", {})).status == 401
