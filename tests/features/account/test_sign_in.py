"""Signing in, tickets and signing out, over HTTP as a browser or a program does it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher

from server.auth import Credential, Session
from server.auth.failures import PER_ACCOUNT
from server.storage import Conflict, Delete, Duplicate, Patch, StoreBusy, StoreUnavailable
from tests.features.account.reception import PASSWORD, Reception, open_reception


async def test_a_sign_in_answers_with_token_end_and_person(reception: Reception) -> None:
    status, body = await reception.try_sign_in("ann")

    assert status == 200
    assert set(body) == {"token", "expires_at", "person"}
    assert body["person"]["person_id"] == "ann"
    assert body["expires_at"] == reception.office.clock.now() + 30 * 86_400_000


async def test_the_cookie_is_kept_from_pages_and_other_sites(reception: Reception) -> None:
    response = await reception.post("auth/login", {"account": "ann", "password": PASSWORD})

    cookie = response.cookies["yuanxin_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]


async def test_the_cookie_needs_tls_where_the_server_has_it(tmp_path: Path) -> None:
    async with open_reception(tmp_path, public_url="https://yx.example") as reception:
        response = await reception.post("auth/login", {"account": "ann", "password": PASSWORD})

        assert response.cookies["yuanxin_session"]["secure"]


async def test_an_account_is_known_however_it_is_capitalised(reception: Reception) -> None:
    status, body = await reception.try_sign_in(" ANN ")

    assert (status, body["person"]["person_id"]) == (200, "ann")


async def test_a_wrong_password_and_an_unknown_account_are_answered_alike(
    reception: Reception,
) -> None:
    wrong = await reception.try_sign_in("ann", "wrong")
    unknown = await reception.try_sign_in("nobody", "wrong")

    assert wrong[0] == 401
    assert wrong == unknown


async def test_a_retired_person_is_an_unknown_account(reception: Reception) -> None:
    ann = reception.office.directory.find("ann")
    reception.office.directory.refresh([msgspec.structs.replace(ann, retired_at=1)])

    assert (await reception.try_sign_in("ann"))[0] == 401


async def test_somebody_without_a_password_cannot_sign_in(reception: Reception) -> None:
    await reception.office.store.apply(Delete(Credential.collection.name, "ann"))

    assert (await reception.try_sign_in("ann"))[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        {"account": "ann"},
        {"account": "ann", "password": PASSWORD, "extra": 1},
        {"account": {"$gt": ""}, "password": PASSWORD},
        {"account": "ann", "password": "x" * 129},
        {"account": "", "password": "x"},
        {"account": "a" * 65, "password": "x"},
        [],
        None,
    ],
)
async def test_a_form_of_another_shape_is_invalid(reception: Reception, body: object) -> None:
    response = await reception.post("auth/login", body)

    assert response.status == 400
    assert (await response.json())["error"]["code"] == "invalid"


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 3_000, b'"\\ud800"'])
async def test_what_is_not_json_is_invalid(reception: Reception, content: bytes) -> None:
    response = await reception.http.post(
        "/api/v1/auth/login", data=content, headers={"Content-Type": "application/json"}
    )

    assert response.status == 400


async def test_a_form_post_of_another_page_is_not_read(reception: Reception) -> None:
    response = await reception.http.post("/api/v1/auth/login", data={"account": "ann"})

    assert response.status == 400


async def test_a_form_longer_than_any_is_refused_unread(reception: Reception) -> None:
    response = await reception.post("auth/login", {"account": "ann", "password": "x" * 9_000})

    assert response.status == 413


async def test_a_foreign_origin_never_signs_in(reception: Reception) -> None:
    response = await reception.post(
        "auth/login", {"account": "ann", "password": PASSWORD}, Origin="https://evil.example"
    )

    assert response.status == 403


async def test_failures_close_an_account_for_a_while_and_say_how_long(
    reception: Reception,
) -> None:
    for _ in range(PER_ACCOUNT):
        assert (await reception.try_sign_in("ann", "wrong"))[0] == 401

    status, body = await reception.try_sign_in("ann")
    others, _ = await reception.try_sign_in("bob")

    assert (status, body["error"]["code"]) == (429, "rate_limited")
    assert body["error"]["retry_after_ms"] == 900_000
    assert others == 200
    reception.office.clock.advance(901)
    assert (await reception.try_sign_in("ann"))[0] == 200


async def test_a_whole_hospital_may_sign_in_from_one_address(reception: Reception) -> None:
    statuses = [(await reception.try_sign_in("ann"))[0] for _ in range(PER_ACCOUNT * 2)]

    assert set(statuses) == {200}


async def test_every_attempt_is_audited_without_what_was_typed(reception: Reception) -> None:
    await reception.try_sign_in("ann", "my secret")
    reception.office.clock.advance(1)
    await reception.try_sign_in("my-password-in-the-wrong-field", "x")
    reception.office.clock.advance(1)
    await reception.sign_in("ann")

    rows = await reception.audited("account.sign_in")
    assert [(row.outcome, row.subject) for row in rows] == [
        ("refused", "ann"),
        ("refused", ""),
        ("done", "ann"),
    ]
    assert "my" not in str(rows)


async def test_an_outdated_hash_is_made_anew_at_the_next_sign_in(tmp_path: Path) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with open_reception(tmp_path, credential_hash=old) as reception:
        await reception.sign_in("ann")

        kept = await reception.office.store.get(Credential.collection.name, "ann")
        assert kept is not None
        assert "m=19456,t=2,p=1" in kept["password_hash"]
        assert (await reception.try_sign_in("ann"))[0] == 200


async def test_the_store_never_holds_the_token(reception: Reception) -> None:
    token = await reception.sign_in("ann")

    assert token not in str(await reception.office.store.scan(Session.collection.name))


async def test_the_oldest_session_ends_when_somebody_signs_in_too_often(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.directory.access.MOST_SESSIONS", 2)
    tokens = []
    for _ in range(3):
        tokens.append(await reception.sign_in("ann"))
        reception.office.clock.advance(1)

    answers = [await reception.ask(token, "account.me") for token in tokens]

    assert [answer["ok"] for answer in answers] == [False, True, True]


# Tickets


async def test_a_ticket_names_the_session_once(reception: Reception) -> None:
    token = await reception.sign_in("ann")
    response = await reception.post("auth/ticket", {}, token)
    body = await response.json()

    tickets = reception.desk.tickets
    assert body["expires_in"] == 60
    assert await tickets.redeem(body["ticket"]) == await reception.session_of(token)
    assert await tickets.redeem(body["ticket"]) is None


async def test_a_ticket_needs_a_session(reception: Reception) -> None:
    assert (await reception.post("auth/ticket", {})).status == 401
    assert (await reception.post("auth/ticket", {}, "made-up")).status == 401


async def test_a_page_gets_its_ticket_with_the_cookie_alone(reception: Reception) -> None:
    token = await reception.sign_in("ann")
    own = f"http://127.0.0.1:{reception.http.port}"
    reception.http.session.cookie_jar.clear()

    cookie = {"Cookie": f"yuanxin_session={token}"}
    statuses = [
        (await reception.post("auth/ticket", {}, **cookie, **origin)).status
        for origin in ({"Origin": own}, {"Origin": "https://evil.example"}, {"Origin": "null"})
    ]

    assert statuses == [200, 403, 403]


# Signing out


async def test_signing_out_ends_the_session_and_takes_the_cookie(reception: Reception) -> None:
    token = await reception.sign_in("ann")
    response = await reception.post("auth/logout", {}, token)

    assert response.status == 200
    assert response.cookies["yuanxin_session"].value == ""
    assert (await reception.post("auth/ticket", {}, token)).status == 401
    assert [row.subject for row in await reception.audited("account.sign_out")] != []


async def test_signing_out_twice_takes_the_cookie_twice(reception: Reception) -> None:
    token = await reception.sign_in("ann")
    await reception.post("auth/logout", {}, token)

    for headers in ({"Authorization": f"Bearer {token}"}, {}):
        response = await reception.post("auth/logout", {}, **headers)
        assert response.status == 200
        assert response.cookies["yuanxin_session"].value == ""
    assert len(await reception.audited("account.sign_out")) == 1


async def test_a_page_of_another_site_takes_no_cookie(reception: Reception) -> None:
    await reception.sign_in("ann")
    reception.http.session.cookie_jar.clear()

    response = await reception.post("auth/logout", {}, Origin="https://evil.example")

    assert response.status == 403
    assert "yuanxin_session" not in response.cookies


async def test_a_sign_in_that_loses_a_race_is_tried_again(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, losses = reception.office.store.apply, [Duplicate("sessions", "_id"), Conflict("x", "y")]

    async def lose(*ops: Any, **named: Any) -> Any:
        if losses:
            raise losses.pop()
        return await apply(*ops, **named)

    monkeypatch.setattr(reception.office.store, "apply", lose)

    assert (await reception.try_sign_in("ann"))[0] == 200


@pytest.mark.parametrize(
    ("fault", "code"),
    [(StoreBusy("10000 reads are waiting"), "busy"), (StoreUnavailable("disk"), "unavailable")],
)
@pytest.mark.parametrize("method", ["get", "apply"])
async def test_a_store_in_trouble_refuses_a_sign_in(
    reception: Reception, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: str, method: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(reception.office.store, method, fail)
    status, body = await reception.try_sign_in("ann")

    assert (status, body["error"]["code"]) == (503, code)


async def test_a_patched_end_is_believed_once_the_held_copy_is_old(reception: Reception) -> None:
    token = await reception.sign_in("ann")
    session_id = await reception.session_of(token)
    # As another node would do it.
    await reception.office.store.apply(
        Patch(Session.collection.name, session_id, {"revoked_at": 1})
    )
    reception.office.clock.advance(61)

    assert (await reception.post("auth/ticket", {}, token)).status == 401
