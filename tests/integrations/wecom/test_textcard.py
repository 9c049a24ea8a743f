"""The bytes of a notice stay within WeCom's limits whatever people write."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.integrations.wecom import textcard_request
from server.integrations.wecom.textcard import recipients
from server.sandbox.wecom_message import read_order

URL = "https://h.example/d/7?n=n1"


def built(title: str = "题", description: str = "文", button: str = "详情") -> dict[str, str]:
    return dict(json.loads(textcard_request(7, ["a"], title, description, URL, button))["textcard"])


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert (
        textcard_request(7, ["a", "b"], "题", "文", URL)
        == (
            '{"touser":"a|b","msgtype":"textcard","agentid":7,"textcard":{"title":"题",'
            '"description":"文","url":"https://h.example/d/7?n=n1","btntxt":"详情"},'
            '"enable_duplicate_check":1,"duplicate_check_interval":14400}'
        ).encode()
    )


@pytest.mark.parametrize(
    ("title", "cut"),
    [
        ("题" * 42, "题" * 42),
        ("题" * 43, "题" * 41 + "…"),
        ("x" * 128, "x" * 128),
        ("x" * 129, "x" * 125 + "…"),
        ("🏥" * 33, "🏥" * 31 + "…"),
    ],
)
def test_a_long_title_is_cut_between_characters(title: str, cut: str) -> None:
    assert built(title=title)["title"] == cut


def test_a_long_description_is_cut_and_a_long_button_too() -> None:
    card = built(description="文" * 400, button="查看详情吧")

    assert card["description"] == "文" * 169 + "…"
    assert card["btntxt"] == "查看详情"


def test_lines_are_kept_and_markup_is_shown_as_written() -> None:
    assert built(description='a<b>\r\n<div class="gray">')["description"] == (
        'a＜b＞<br>＜div class="gray"＞'
    )


def test_a_line_break_is_never_cut_in_half() -> None:
    card = built(description="\n".join(["字" * 40] * 9))

    assert card["description"].count("<br>") == 4
    assert card["description"].replace("<br>", "").strip("字") == "…"


@given(st.text(), st.text(), st.text())
def test_whatever_people_write_wecom_takes_it(title: str, description: str, button: str) -> None:
    request = textcard_request(7, ["s0001"], title, description, URL, button)
    order = read_order(request, 7)

    assert order.users == ("s0001",)
    assert order.card.notice_id == "n1"
    assert len(order.card.button) <= 4


@given(st.text(st.characters(categories=["Cs", "Cc"])))
def test_characters_that_json_would_escape_are_left_out(text: str) -> None:
    assert b"\\u" not in textcard_request(7, ["a"], f"题{text}", f"文{text}", URL)


@pytest.mark.parametrize(
    "users", [[], [""], ["a|b"], ["@all"], ["a"] * 1_001], ids=lambda users: str(users)[:9]
)
def test_a_request_names_its_people_one_by_one(users: list[str]) -> None:
    with pytest.raises(ValueError, match=r"people|user id"):
        textcard_request(7, users, "题", "文", URL)


@pytest.mark.parametrize(
    "url", ["", "/d/7", "ftp://h.example/", "https://h.example/" + "x" * 2_031]
)
def test_an_address_is_right_or_refused_and_never_cut(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        textcard_request(7, ["a"], "题", "文", url)


def test_a_request_tells_who_it_is_for() -> None:
    assert recipients(textcard_request(7, ["S1", "s2"], "题", "文", URL)) == ("S1", "s2")
