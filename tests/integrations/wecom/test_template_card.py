"""The bytes of a card with buttons: always the same, within WeCom's limits, with an address beside."""

import json
from typing import Any

import pytest

from server.integrations.wecom import Button, button_card_request, card_update

YES = Button("同意", "approve.1")
URL = "https://h.example/d/7?n=n1"


def request(**changed: Any) -> bytes:
    told: dict[str, Any] = {
        "title": "待办：请假",
        "description": "张三 提交\n等待你处理",
        "url": URL,
        "task_id": "n1@1",
        "buttons": [YES],
        **changed,
    }
    title, description, url = (told.pop(name) for name in ("title", "description", "url"))
    return button_card_request(7, ["s0001"], title, description, url, **told)


def test_the_same_arguments_give_the_same_bytes_and_none_is_escaped() -> None:
    assert request() == request()
    assert b"\\u" not in request(title="待办\x00\ud800😀")


def test_a_card_has_its_buttons_and_one_that_opens_it() -> None:
    body = json.loads(request())
    card = body["template_card"]

    assert (body["touser"], body["msgtype"], body["enable_duplicate_check"]) == (
        "s0001",
        "template_card",
        1,
    )
    assert card["card_action"] == {"type": 1, "url": URL}
    assert [(b["text"], b.get("key"), b.get("url")) for b in card["button_list"]] == [
        ("同意", "approve.1", None),
        ("查看", None, URL),
    ]
    assert card["main_title"]["desc"] == "张三 提交 等待你处理"


def test_long_texts_are_cut_between_characters() -> None:
    card = json.loads(request(title="题" * 500, description="文" * 500))["template_card"]
    assert len(card["main_title"]["title"].encode()) <= 128
    assert len(card["main_title"]["desc"].encode()) <= 512
    assert card["main_title"]["title"].endswith("…")


@pytest.mark.parametrize(
    "wrong",
    [
        {"task_id": ""},
        {"task_id": "a b"},
        {"task_id": "x" * 129},
        {"buttons": []},
        {"buttons": [YES, YES]},
        {"buttons": [Button("x", str(n)) for n in range(6)]},
        {"url": "ftp://h"},
    ],
)
def test_what_wecom_would_refuse_is_not_built(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"card|task id"):
        request(**wrong)


def test_an_update_names_its_people_and_spends_a_code() -> None:
    assert json.loads(card_update(7, ["s0001"], "code", "已同意")) == {
        "userids": ["s0001"],
        "agentid": 7,
        "response_code": "code",
        "button": {"replace_name": "已同意"},
    }
