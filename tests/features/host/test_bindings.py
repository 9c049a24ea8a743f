"""Whose a WeCom id is: by itself, proved at first use, taken away."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.directory.documents import Person
from server.features.host.documents import Binding, Claim
from server.features.host.showing import person_shown
from server.integrations.wecom import Shown
from server.outbox import Phone
from server.storage import Insert
from server.storage.document import from_doc, to_doc
from tests.features.host.lobby import PASSWORD, Browser, Lobby, open_lobby

BOB = "10033334444"


async def newcomer(lobby: Lobby, phone: str = "wx.cai") -> Browser:
    """A browser of somebody whom WeCom vouches for and nobody knows."""
    browser = await lobby.browser(phone)
    assert (await browser.go("/api/v1/auth/wecom?to=/d/7")).path == "/bind"
    return browser


async def prove(browser: Browser, account: str, **proof: str) -> tuple[int, Any]:
    return await browser.post("auth/wecom/claim", account=account, **proof)


async def code_for(lobby: Lobby, browser: Browser, account: str, mobile: str) -> str:
    status, body = await browser.post("auth/wecom/claim/code", account=account)
    assert (status, body) == (200, {"expires_in": 600, "again_in": 60})
    [found] = re.findall(r"验证码 (\d{6})", (await lobby.texts(mobile))[-1])
    return str(found)


async def binding(lobby: Lobby, wecom_user_id: str) -> Binding | None:
    doc = await lobby.server.store.get(Binding.collection.name, wecom_user_id)
    return from_doc(Binding, doc) if doc else None


async def test_an_id_of_the_staff_list_is_bound_at_its_first_use(lobby: Lobby) -> None:
    await (await lobby.browser("Ann")).go("/api/v1/auth/wecom")

    bound = await binding(lobby, "ann")

    assert bound is not None
    assert (bound.person_id, bound.how) == ("ann", "listed")
    [row] = await lobby.audited("host.bind")
    assert (row.subject, row.detail) == ("ann", {"wecom_user_id": "Ann", "how": "listed"})


async def test_an_id_that_equals_an_account_is_bound_only_where_that_is_wanted(
    tmp_path: Path, lobby: Lobby
) -> None:
    async with open_lobby(tmp_path / "other", wecom_binding="account") as trusting:
        phone = await trusting.browser("bob")
        await phone.go("/api/v1/auth/wecom")
        assert await phone.who() == "bob"
        assert trusting.server.directory.wecom_user_of("bob") == "bob", "notices go there now"

    careful = await lobby.browser("bob")
    assert (await careful.go("/api/v1/auth/wecom")).path == "/bind"
    assert await careful.who() == ""


async def test_where_every_id_is_to_be_confirmed_the_list_is_not_enough(tmp_path: Path) -> None:
    async with open_lobby(tmp_path, wecom_binding="none") as lobby:
        phone = await lobby.browser("Ann")

        assert (await phone.go("/api/v1/auth/wecom?to=/d/7")).path == "/bind"


async def test_a_code_on_the_phone_binds_and_signs_in(lobby: Lobby) -> None:
    browser = await newcomer(lobby, "bob")
    shown = await browser.go("/api/v1/auth/wecom/claim")
    code = await code_for(lobby, browser, "bob", BOB)

    status, body = await prove(browser, "Bob", code=code)

    assert json.loads(shown.text) == {
        "wecom_user_id": "bob",
        "sends_codes": True,
        "ask": "/api/v1/auth/wecom?scope=privateinfo&to=%2Fd%2F7",
        "has_shown": False,
    }
    assert status == 200
    assert (body["target"], body["person"]["person_id"]) == ("/d/7", "bob")
    assert await browser.who() == "bob"
    bound = await binding(lobby, "bob")
    assert bound is not None
    assert (bound.person_id, bound.how) == ("bob", "code")
    again = await lobby.browser("bob")
    assert (await again.go("/api/v1/auth/wecom?to=/c/1")).path == "/c/1"


async def test_the_number_a_member_shows_in_wecom_binds_without_typing(lobby: Lobby) -> None:
    phone = await newcomer(lobby, "bob")

    page = await phone.shows()

    assert page.path == "/d/7"
    assert await phone.who() == "bob"
    assert lobby.server.directory.wecom_user_of("bob") == "bob"
    [row] = await lobby.audited("host.bind")
    assert row.detail == {"wecom_user_id": "bob", "how": "shown"}
    assert await lobby.asked("auth/getuserdetail") == 1
    assert await lobby.server.store.scan(Claim.collection.name) == []


async def test_nobody_is_known_by_an_address_he_typed_in_himself(lobby: Lobby) -> None:
    phone = await newcomer(lobby)

    page = await phone.shows()

    assert page.path == "/bind"
    assert await phone.who() == ""
    claim = json.loads((await phone.go("/api/v1/auth/wecom/claim")).text)
    assert (claim["has_shown"], claim["ask"]) == (True, "")
    assert (await prove(phone, "cai", password=PASSWORD))[0] == 200


async def test_what_is_shown_takes_an_account_from_nobody(lobby: Lobby) -> None:
    """Bob comes by another WeCom id already: showing his number does not bind a second one."""
    first = await newcomer(lobby)
    assert (await prove(first, "bob", password=PASSWORD))[0] == 200
    phone = await newcomer(lobby, "bob")

    assert (await phone.shows()).path == "/bind"
    assert await phone.who() == ""


async def test_where_it_is_not_wanted_nobody_is_asked_to_show_anything(tmp_path: Path) -> None:
    async with open_lobby(tmp_path, wecom_asks_phone=False) as lobby:
        phone = await newcomer(lobby, "bob")

        assert (await phone.go("/api/v1/auth/wecom?to=/d/7&scope=privateinfo")).path == "/bind"
        assert json.loads((await phone.go("/api/v1/auth/wecom/claim")).text)["ask"] == ""
        assert await lobby.asked("auth/getuserdetail") == 0


@pytest.mark.parametrize(
    ("mobile", "mail", "who"),
    [
        ("138 0000 0001", "", "a"),
        ("+86-13800000001", "", "a"),
        ("", "B@Hospital.example", "b"),
        ("13800000001", "a@hospital.example", "a"),
        ("13800000001", "b@hospital.example", ""),
        ("13800000009", "", ""),
        ("", "", ""),
        ("86", "", ""),
    ],
)
def test_one_person_is_meant_or_nobody(mobile: str, mail: str, who: str) -> None:
    people = [
        Person(id="a", name="甲", mobile="13800000001", email="a@hospital.example"),
        Person(id="b", name="乙", mobile="13800000009", email="b@hospital.example"),
        Person(id="c", name="丙", mobile="13800000009"),
        Person(id="d", name="丁", mobile="86"),
    ]

    found = person_shown(people, Shown("x", mobile, mail))

    assert (found.id if found else "") == who


async def test_the_password_binds_as_well_and_notices_go_to_the_new_id(lobby: Lobby) -> None:
    browser = await newcomer(lobby)

    status, _ = await prove(browser, "cai", password=PASSWORD)

    assert status == 200
    assert await browser.who() == "cai"
    assert lobby.server.directory.wecom_user_of("cai") == "wx.cai"
    [row] = await lobby.audited("host.bind")
    assert (row.actor_id, row.detail) == ("cai", {"wecom_user_id": "wx.cai", "how": "password"})


async def test_notices_go_again_to_whoever_comes_in_by_wecom(lobby: Lobby) -> None:
    left = to_doc(Phone(id="ann", left_at=lobby.clock.now()))
    await lobby.server.store.apply(Insert(Phone.collection.name, left))

    await (await lobby.browser("Ann")).go("/api/v1/auth/wecom")

    [phone] = await lobby.server.store.scan(Phone.collection.name)
    assert phone.get("left_at") is None


async def test_a_claim_is_spent_by_its_proof(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    await prove(browser, "cai", password=PASSWORD)

    status, body = await prove(browser, "cai", password=PASSWORD)

    assert (status, body["error"]["code"]) == (401, "unauthenticated")


async def test_a_code_is_good_for_its_account_its_browser_and_ten_minutes(lobby: Lobby) -> None:
    browser, other = await newcomer(lobby), await newcomer(lobby, "bob")
    code = await code_for(lobby, browser, "bob", BOB)

    assert (await prove(browser, "ann", code=code))[0] == 403
    assert (await prove(other, "bob", code=code))[0] == 400
    lobby.clock.advance(601)
    assert (await prove(browser, "bob", code=code))[0] == 400
    assert await browser.who() == await other.who() == ""


async def test_five_guesses_spend_a_code(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    code = await code_for(lobby, browser, "bob", BOB)
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(5):
        assert (await prove(browser, "bob", code=wrong))[0] == 403

    status, body = await prove(browser, "bob", code=code)

    assert status == 400
    assert "ask for another" in body["error"]["message"]
    refused = [row for row in await lobby.audited("host.prove") if row.subject == "bob"]
    assert len(refused) == 5


async def test_guessing_is_limited_also_over_many_codes(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    for _ in range(2):
        await code_for(lobby, browser, "bob", BOB)
        for _ in range(5):
            await prove(browser, "bob", code="nothing")
        lobby.clock.advance(61)

    status, body = await prove(browser, "bob", password=PASSWORD)

    assert status == 429
    assert body["error"]["retry_after_ms"] > 0


async def test_codes_are_sent_seldom(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    await code_for(lobby, browser, "bob", BOB)
    status, body = await browser.post("auth/wecom/claim/code", account="bob")
    assert (status, body["error"]["code"]) == (429, "rate_limited")
    for _ in range(4):
        lobby.clock.advance(61)
        await code_for(lobby, browser, "bob", BOB)
    lobby.clock.advance(61)

    begun_anew = await newcomer(lobby)
    for account in ("bob", " Bob", "bob "):
        status, body = await begun_anew.post("auth/wecom/claim/code", account=account)
        assert status == 429
    assert len(await lobby.texts(BOB)) == 5


async def test_no_answer_tells_whether_an_account_or_a_phone_exists(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    answers = []
    for account in ("bob", "cai", "nobody-at-all"):
        answers.append(await browser.post("auth/wecom/claim/code", account=account))
        lobby.clock.advance(61)

    assert answers[0] == answers[1] == answers[2]
    wrong = [
        await prove(browser, account, password="not this one")
        for account in ("bob", "nobody-at-all")
    ]
    assert wrong[0] == wrong[1]


async def test_what_is_stored_of_a_code_is_neither_the_code_nor_its_digest(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    code = await code_for(lobby, browser, "bob", BOB)

    doc = await lobby.server.store.get(Claim.collection.name, "wx.cai")

    assert doc is not None
    held = next(c.value for c in browser.http.cookie_jar if c.key == "yuanxin_claim")
    assert code not in str(doc.values())
    assert held.rpartition("~")[2] not in str(doc)


async def test_without_wecoms_word_nothing_can_be_proved(lobby: Lobby) -> None:
    stranger = await lobby.browser()

    assert (await stranger.go("/api/v1/auth/wecom/claim")).status == 401
    assert (await prove(stranger, "bob", password=PASSWORD))[0] == 401
    assert (await stranger.post("auth/wecom/claim/code", account="bob"))[0] == 401
    assert await lobby.texts(BOB) == []


async def test_a_page_of_another_site_proves_nothing(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    form = {"account": "cai", "password": PASSWORD}

    for headers in ({"Origin": "http://evil.example"}, {}):
        async with browser.http.post(
            f"{lobby.url}/api/v1/auth/wecom/claim", json=form, headers=headers
        ) as response:
            assert response.status == 403


async def test_a_claim_lasts_half_an_hour(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    lobby.clock.advance(30 * 60 + 1)

    assert (await prove(browser, "cai", password=PASSWORD))[0] == 401


async def test_who_comes_by_one_id_is_not_bound_to_another(lobby: Lobby) -> None:
    """A colleague who knows the password could have the notices come to his own phone."""
    await (await lobby.browser("Ann")).go("/api/v1/auth/wecom")
    browser = await newcomer(lobby)

    status, body = await prove(browser, "ann", password=PASSWORD)

    assert (status, body["error"]["code"]) == (409, "conflict")
    assert "administrator" in body["error"]["message"]
    assert lobby.server.directory.wecom_user_of("ann") == "Ann"


async def test_a_gateway_that_is_down_is_told_and_the_password_still_works(lobby: Lobby) -> None:
    browser = await newcomer(lobby)
    async with lobby.sandbox.http.post(
        f"{lobby.wecom}/sms/faults", json={"mode": "down", "for_s": 60}
    ) as response:
        assert response.status == 200

    status, body = await browser.post("auth/wecom/claim/code", account="bob")

    assert (status, body["error"]["code"]) == (503, "unavailable")
    assert (await prove(browser, "bob", password=PASSWORD))[0] == 200


async def test_without_a_gateway_there_is_the_password(tmp_path: Path) -> None:
    async with open_lobby(tmp_path, sms_url="") as lobby:
        browser = await newcomer(lobby)

        assert '"sends_codes":false' in (await browser.go("/api/v1/auth/wecom/claim")).text
        assert (await browser.post("auth/wecom/claim/code", account="bob"))[0] == 503
        assert (await prove(browser, "bob", password=PASSWORD))[0] == 200


async def test_what_an_administrator_takes_away_has_to_be_proved_anew(lobby: Lobby) -> None:
    boss, phone, desktop = await lobby.browser(), await lobby.browser("Ann"), await lobby.browser()
    await boss.post("auth/login", account="boss", password=PASSWORD)
    await desktop.post("auth/login", account="ann", password=PASSWORD)
    await phone.go("/api/v1/auth/wecom")
    _, shown = await boss.post("commands/host.binding", person_id="ann")

    status, _ = await boss.post("commands/host.unbind", person_id="ann")

    assert (shown["result"]["wecom_user_id"], shown["result"]["how"]) == ("Ann", "listed")
    assert status == 200
    assert await phone.who() == "", "it came by WeCom"
    assert await desktop.who() == "ann", "it came by the password"
    assert lobby.server.directory.wecom_user_of("ann") is None
    [row] = await lobby.audited("host.unbind")
    assert (row.actor_id, row.subject) == ("boss", "ann")
    assert row.detail == {"wecom_user_id": "Ann", "sessions": 1}

    assert (await phone.go("/api/v1/auth/wecom")).path == "/bind"
    assert (await prove(phone, "ann", password=PASSWORD))[0] == 200
    assert lobby.server.directory.wecom_user_of("ann") == "Ann"


async def test_an_id_is_taken_away_before_its_first_use_too_and_twice_is_once(
    lobby: Lobby,
) -> None:
    boss = await lobby.browser()
    await boss.post("auth/login", account="boss", password=PASSWORD)

    for _ in range(2):
        assert (await boss.post("commands/host.unbind", person_id="ann"))[0] == 200

    assert (await (await lobby.browser("Ann")).go("/api/v1/auth/wecom")).path == "/bind"
    assert len(await lobby.audited("host.unbind")) == 1


async def test_only_administrators_look_at_bindings_and_take_them_away(lobby: Lobby) -> None:
    browser = await lobby.browser()
    await browser.post("auth/login", account="bob", password=PASSWORD)

    for name in ("host.binding", "host.unbind"):
        assert (await browser.post(f"commands/{name}", person_id="ann"))[0] == 403


async def test_a_staff_list_that_says_otherwise_ends_a_binding(lobby: Lobby) -> None:
    await (await lobby.browser("Ann")).go("/api/v1/auth/wecom")
    await lobby.is_listed_as("ann", "wx.cai")
    former, new = await lobby.browser("Ann"), await lobby.browser("wx.cai")

    assert (await former.go("/api/v1/auth/wecom")).path == "/bind"
    await new.go("/api/v1/auth/wecom")

    assert await new.who() == "ann"


@pytest.mark.parametrize("level", ["config", "agent_config"])
async def test_pages_of_ours_are_signed_for_and_no_others(lobby: Lobby, level: str) -> None:
    phone = await lobby.browser("Ann")
    await phone.go("/api/v1/auth/wecom")

    _, body = await phone.post("commands/host.js_config", url=f"{lobby.url}/d/7?x=1#part")

    assert (body["result"]["corp_id"], body["result"]["agent_id"]) == ("wwsandbox", 1_000_002)
    assert re.fullmatch(r"[0-9a-f]{40}", body["result"][level]["signature"])
    for foreign in (f"{lobby.url}.evil.example/", "https://evil.example/", lobby.url[:-1]):
        status, _ = await phone.post("commands/host.js_config", url=foreign)
        assert status == 400
    assert await lobby.asked("get_jsapi_ticket") == await lobby.asked("ticket/get") == 1


async def test_a_wecom_that_is_down_signs_nothing_and_says_when_to_ask_again(
    lobby: Lobby,
) -> None:
    phone = await lobby.browser("Ann")
    await phone.go("/api/v1/auth/wecom")
    await lobby.sandbox.fault("down")

    status, body = await phone.post("commands/host.js_config", url=lobby.url)

    assert (status, body["error"]["retry_after_ms"]) == (503, 10_000)
