"""A yes from the card: done once in the OA, said on the card, gone from every page."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.features.wecom.calling import event
from tests.features.wecom.hospital import Hospital, until, whole_hospital


@pytest.fixture
async def hospital(tmp_path: Path) -> AsyncIterator[Hospital]:
    async with whole_hospital(tmp_path) as opened:
        yield opened


async def test_a_yes_is_done_once_however_often_it_is_delivered(hospital: Hospital) -> None:
    request_id = await hospital.document(approvers=["s0002", "s0003"])
    card = await hospital.card(request_id)
    other = await hospital.card(request_id, "s0003")
    page = await hospital.house.socket("s0002")
    await hospital.press(card, times=3)

    assert [button["text"] for button in card["buttons"]] == ["同意", "查看"]
    assert await hospital.says(card) == "已同意"
    assert [[one["status"] for one in call["tries"]] for call in await hospital.called()] == [
        [200, 200, 200]
    ]
    assert (await hospital.in_oa(request_id))["done"] == ["s0002"]
    assert await hospital.pending() == 1
    await hospital.settled()
    [row] = await hospital.audit("todos.approved")
    assert (row["actor_id"], row["subject"]) == ("s0002", f"s0002:{request_id}")
    told = await page.wait_for("todos.counted", lambda body: body["pending"] == 1)
    assert told["unread"] == 1
    assert other["buttons"]
    assert not (await hospital.card(request_id, "s0003"))["says"]


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("关于排班的请示", {"needs_opinion": True}),
        ("设备采购的请示", {}),
        ("请示", {"kind": "合同审批"}),
    ],
)
async def test_what_asks_for_more_than_a_yes_is_opened(
    hospital: Hospital, title: str, fields: dict[str, object]
) -> None:
    request_id = await hospital.document(title, **fields)
    card = await hospital.card(request_id)
    if "needs_opinion" in fields:
        await hospital.press(card)
        assert await hospital.says(card) == "请打开查看"
    else:
        assert card["msgtype"] == "textcard"
    assert (await hospital.in_oa(request_id))["pending"] == ["s0002"]


async def test_a_card_about_what_was_handled_elsewhere_says_so_and_a_plain_one_goes(
    hospital: Hospital,
) -> None:
    request_id = await hospital.document()
    plain_id = await hospital.document("采购")
    card, plain = await hospital.card(request_id), await hospital.card(plain_id)
    for each in (request_id, plain_id):
        await hospital.post(f"/oa/requests/{each}/submit", user="s0002")

    assert await hospital.says(card) == "已处理"

    async def gone() -> bool:
        return plain["msgid"] not in {one["msgid"] for one in await hospital.phone()}

    await until(gone)
    await hospital.settled()
    assert await hospital.audit("todos.approved") == []


async def test_a_press_in_somebody_elses_name_does_nothing(hospital: Hospital) -> None:
    request_id = await hospital.document()
    card = await hospital.card(request_id)
    key = card["buttons"][0]["key"]
    for user in ("s0003", "s0009"):
        said = event(
            "template_card_event", user, TaskId=card["task_id"], EventKey=key, ResponseCode="x"
        )
        assert (await hospital.wecom.call(said)).status == 200
    await hospital.settled()

    assert (await hospital.in_oa(request_id))["pending"] == ["s0002"]
    assert await hospital.audit("todos.approved") == []


async def test_a_card_of_an_earlier_coming_does_nothing(hospital: Hospital) -> None:
    request_id = await hospital.document()
    card = await hospital.card(request_id)
    path = f"/oa/requests/{request_id}/submit"
    await hospital.post(path, user="s0002", type="reject")
    assert await hospital.says(card) == "已处理"
    await hospital.post(path, user="s0001")

    async def back() -> bool:
        return await hospital.pending() == 2

    await until(back)
    key = card["buttons"][0]["key"]
    said = event(
        "template_card_event", "s0002", TaskId=card["task_id"], EventKey=key, ResponseCode="x"
    )
    assert (await hospital.wecom.call(said)).status == 200
    await hospital.settled()

    assert (await hospital.in_oa(request_id))["pending"] == ["s0002"]


async def test_without_a_callback_set_up_a_card_comes_without_buttons(hospital: Hospital) -> None:
    hospital.sandbox.wecom.caller.url = ""
    card = await hospital.card(await hospital.document())

    assert card["msgtype"] == "textcard"
