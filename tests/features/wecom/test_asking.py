"""Words typed in WeCom and buttons of the menu: who is answered, with what, how often."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.features.wecom.questions import read_button, read_question
from server.storage import Append
from server.work import LOG
from tests.features.wecom.calling import event, typed
from tests.features.wecom.hospital import STRANGER, Hospital, until, whole_hospital


@pytest.fixture
async def hospital(tmp_path: Path) -> AsyncIterator[Hospital]:
    async with whole_hospital(tmp_path) as opened:
        yield opened


async def answers(hospital: Hospital, count: int, user: str = "s0002") -> list[dict[str, str]]:
    """The first so many messages on a phone."""

    async def there() -> list[dict[str, str]] | None:
        shown = await hospital.phone(user)
        return shown if len(shown) >= count else None

    return list(await until(there))


async def test_each_question_is_answered_with_a_card_that_opens_the_place(
    hospital: Hospital,
) -> None:
    # Somebody whose page is open asks in WeCom and is answered there.
    await hospital.house.socket("s0002")
    for word in ("待办", "邮件", "值班", "帮助", "关于 曾巩"):
        await hospital.say(word)
    shown = await answers(hospital, 5)
    await hospital.settled()

    by_title = {card["title"]: card for card in shown}
    assert set(by_title) == {
        "待办：1 件",
        "邮件",
        "值班表还没有接入",
        "可以这样问",
        "搜索“关于 曾巩”",
    }
    assert by_title["待办：1 件"]["description"] == "旧文件"
    assert "产科的负责人：单雄信" in by_title["值班表还没有接入"]["description"]
    places = [card["url"].removeprefix(hospital.house.server.settings.url) for card in shown]
    assert {place.split("?")[0] for place in places} == {
        "/todos",
        "/mail",
        "/contacts/ward",
        "/apps",
        "/search",
    }
    assert len(await hospital.phone()) == 5


async def test_english_is_answered_in_english_and_the_menu_in_chinese(hospital: Hospital) -> None:
    await hospital.say("Duty")
    await hospital.post("/wecom/events", userid="s0002", event="click", key="help")
    shown = await answers(hospital, 2)

    assert {card["title"] for card in shown} == {"There are no rosters yet", "可以这样问"}


async def test_unread_mail_is_told_however_much_else_a_person_was_told(hospital: Hospital) -> None:
    mail = {"client_id": "m1", "subject": "排班", "text": "见附表"}
    sent = await hospital.house.ask("s0001", "mail.send", to={"person_ids": ["s0002"]}, **mail)
    assert sent.status == 200

    async def counted() -> bool:
        return bool((await hospital.house.ask("s0002", "mail.count")).body["result"]["unread"])

    await until(counted)
    told = {"event": "forum.answered", "at": 1, "data": {}}
    for n in range(250):
        op = Append(LOG.name, "person:s0002", {"_id": f"a{n}", **told}, key=f"answer:{n:03}")
        await hospital.house.server.store.apply(op)
    await hospital.say("邮件")

    async def answered() -> list[str]:
        return [c["title"] for c in await hospital.phone() if c["title"].startswith("邮件：")]

    assert await until(answered) == ["邮件：1 封未读"]


async def test_the_same_message_again_is_not_answered_again(hospital: Hospital) -> None:
    said = typed("帮助", "s0002", "7")
    statuses = [(await hospital.wecom.call(said)).status for _ in range(3)]
    await answers(hospital, 1)
    await hospital.settled()

    assert statuses == [200, 200, 200]
    assert len(await hospital.phone()) == 1


async def test_a_stranger_gets_one_neutral_sentence(hospital: Hospital) -> None:
    await hospital.say("待办", STRANGER)
    await hospital.say("帮助", STRANGER)
    await hospital.called()

    [sentence] = await hospital.phone(STRANGER)
    assert sentence["msgtype"] == "text"
    assert "尚未登记" in sentence["description"]
    assert await hospital.house.server.store.scan("wecom_heard") == []


async def test_one_person_cannot_ask_without_end(hospital: Hospital) -> None:
    for number in range(30):
        assert (await hospital.wecom.call(typed("帮助", "s0003", str(number)))).status == 200
    await hospital.settled()

    assert 6 <= len(await hospital.phone("s0003")) <= 20
    await hospital.say("帮助")
    assert await answers(hospital, 1)


async def test_todos_cannot_be_told_while_the_oa_is_down(hospital: Hospital) -> None:
    await hospital.post("/oa/faults", mode="down", for_s=60)
    await hospital.say("todo")
    [card] = await answers(hospital, 1)

    assert card["title"] in ("To do: 1", "To do")


async def test_coming_and_going_decides_whether_anything_is_sent(hospital: Hospital) -> None:
    await hospital.post("/wecom/events", userid="s0002", event="unsubscribe")
    await hospital.called()
    request_id = await hospital.document()

    async def refused() -> list[str]:
        rows = await hospital.house.server.store.scan("notices")
        return [row["reason"] for row in rows if row["state"] == "refused"]

    assert await until(refused) == ["has left the app in WeCom"]
    await hospital.post("/wecom/events", userid="s0002", event="subscribe")
    await hospital.called()
    assert await hospital.card(await hospital.document())
    assert not any(request_id in card["url"] for card in await hospital.phone())


async def test_whoever_types_in_the_app_has_it_whatever_was_told_before(hospital: Hospital) -> None:
    # A try of long ago that comes after the word that it is there again.
    assert (await hospital.wecom.call(event("unsubscribe", "s0002"))).status == 200
    await hospital.say("帮助")

    assert await answers(hospital, 1)
    assert await hospital.card(await hospital.document())


async def test_looking_at_the_app_is_noted_and_settles_nothing(hospital: Hospital) -> None:
    await hospital.post("/wecom/events", userid="s0002", event="enter_agent")
    await hospital.called()

    [phone] = await hospital.house.server.store.scan("phones")
    assert (phone["_id"], phone["seen_at"] > 0) == ("s0002", True)


async def test_whoever_is_deleted_in_wecom_is_signed_out_everywhere(hospital: Hospital) -> None:
    socket = await hospital.house.socket("s0002")
    other = await hospital.house.socket("s0001")
    assert (await hospital.house.ask("s0002", "todos.count")).status == 200
    await hospital.post(
        "/wecom/events", event="change_contact", change="delete_user", userid="s0002"
    )
    await socket.ended()

    assert (await hospital.house.ask("s0002", "todos.count")).status == 401
    assert other.is_open
    changes = await hospital.house.server.store.scan("wecom_changes")
    assert [(row["_id"], row["change"]) for row in changes] == [("user:s0002", "delete_user")]
    assert len(await hospital.audit("wecom.left")) == 1


async def test_changes_of_people_and_departments_are_noted_each(hospital: Hospital) -> None:
    for change, who in (("create_user", "s0001"), ("update_user", "s0003")):
        said = event("change_contact", "sys", ChangeType=change, UserID=who)
        assert (await hospital.wecom.call(said)).status == 200
    said = event("change_contact", "sys", ChangeType="delete_party", Id="7")
    assert (await hospital.wecom.call(said)).status == 200

    changes = await hospital.house.server.store.scan("wecom_changes")
    assert {row["_id"]: row["change"] for row in changes} == {
        "user:s0001": "create_user",
        "user:s0003": "update_user",
        "party:7": "delete_party",
    }


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (" 待办。", ("todos", "zh")),
        ("DAIBAN", ("todos", "zh")),
        ("To  Do", ("todos", "en")),
        ("mail", ("mail", "en")),
        ("youjian", ("mail", "zh")),
        ("zhiban", ("duty", "zh")),
        ("on call", ("duty", "en")),
        ("？", ("help", "zh")),
        ("help!", ("help", "en")),
        ("todo list", ("search", "en")),
        ("待办 曾巩", ("search", "zh")),
    ],
)
def test_words_are_known_however_they_are_typed(said: str, asked: tuple[str, str]) -> None:
    question = read_question(said)
    assert question is not None
    assert (question.name, question.language) == asked


def test_nothing_asks_nothing() -> None:
    assert read_question(" \n ") is None
    assert read_button("search") is None
    long = read_question("字" * 2_000)
    assert long is not None
    assert len(long.text) == 100
