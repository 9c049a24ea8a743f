"""Taking access away from outside: somebody leaves, or is given a password by the operator."""

import pytest

from realtime.application import Identity
from realtime.errors import Closing
from server.auth.actor import SYSTEM
from server.directory.access import retire
from server.directory.first_password import set_password
from server.work import UnitOfWork
from tests.features.account.reception import PASSWORD, Reception
from tests.features.office import Client


async def test_who_leaves_is_signed_out_everywhere_and_found_no_more(
    reception: Reception,
) -> None:
    office = reception.office
    tokens = [await reception.sign_in("ann") for _ in range(2)]
    actor = await reception.sessions.authenticate(tokens[0])
    page = Client(office, "ann")
    page.connection.identity = Identity("ann", actor.session_id)
    await page.connect()

    work = UnitOfWork(office.store, SYSTEM, office.clock.now())
    await retire(work, reception.sessions, office.directory, office.directory.find("ann"))
    await work.commit(office.hub)

    assert [(await reception.ask(token, "account.me"))["ok"] for token in tokens] == [False] * 2
    assert page.closed is Closing.REVOKED
    assert office.directory.search("anning") == []
    assert (await reception.try_sign_in("ann"))[0] == 401
    assert [row.detail for row in await reception.audited("directory.retire")] == [{"sessions": 2}]


async def test_an_operators_password_ends_sessions_and_opens_the_door(
    reception: Reception, capsys: pytest.CaptureFixture[str]
) -> None:
    office = reception.office
    token = await reception.sign_in("ann")

    assert await set_password("ANN", "battery staple", office.store, office.clock) == 0
    office.clock.advance(61)

    assert not (await reception.ask(token, "account.me"))["ok"]
    assert (await reception.try_sign_in("ann", PASSWORD))[0] == 401
    assert (await reception.try_sign_in("ann", "battery staple"))[0] == 200
    assert "battery" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("account", "password"), [("nobody", "battery staple"), ("ann", "short"), ("ann", "x" * 129)]
)
async def test_an_unfit_password_or_account_is_refused_in_words(
    reception: Reception, account: str, password: str
) -> None:
    assert await set_password(account, password, reception.office.store, reception.office.clock)
    assert (await reception.try_sign_in("ann"))[0] == 200
