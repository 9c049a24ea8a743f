"""Reading contacts: what is not one of WeCom's answers is never taken for an empty list."""

from typing import Any

import pytest

from server.directory.wecom_reading import NothingRead, Patience, Reader
from server.integrations.wecom import RefusedByWeCom, Retry
from server.integrations.wecom.contacts import Member
from server.integrations.wecom.contacts_client import WeComContacts
from tests.integrations.wecom.scripted import Scripted

ANN = {"userid": "ann", "name": " 安  宁 ", "department": [2, 3], "is_leader_in_dept": [0, 1]}


def answering(wecom: Scripted, **answers: Any) -> WeComContacts:
    """Each endpoint's answer, by its name with an underscore for the slash; a list is one after another."""

    def send(request: Any) -> dict[str, Any]:
        endpoint = request.path.removeprefix("/cgi-bin/").replace("/", "_")
        answer = answers[endpoint]
        return dict(answer.pop(0) if isinstance(answer, list) else answer)

    wecom.send = send
    return WeComContacts(wecom.client, wecom.client)


async def no_wait(seconds: float) -> None:
    """Time passes by itself."""


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"userlist": None},
        {"userlist": {}},
        {"userlist": ["ann"]},
        {"userlist": [{"name": "安宁", "department": [2]}]},
        {"userlist": [{"userid": "ann", "name": "安宁"}]},
        {"userlist": [{"userid": "ann", "name": "安宁", "department": ["2"]}]},
        {"userlist": [ANN | {"main_department": "2"}]},
    ],
)
async def test_a_list_that_is_none_is_asked_for_again(wecom: Scripted, answer: Any) -> None:
    with pytest.raises(Retry):
        await answering(wecom, user_list=answer).members(2)


@pytest.mark.parametrize(
    "further",
    [
        {"attrs": [{"name": "工号", "type": 0, "text": {"value": " 1001 "}}]},
        {"attrs": [{"name": "工号", "value": "1001"}]},
        {"attrs": ["?", {"name": "爱好", "value": "棋"}, {"name": "工号", "value": 1001}]},
    ],
)
async def test_a_member_is_read_in_every_known_shape(wecom: Scripted, further: Any) -> None:
    row = ANN | {"position": "护士", "main_department": 3, "status": 5, "extattr": further}
    [member] = await answering(wecom, user_list={"userlist": [row]}).members(2)

    assert member == Member(
        "ann", "安 宁", (2, 3), 3, "护士", frozenset({3}), "1001", has_left=True
    )


async def test_somebody_unknown_is_nobody_and_somebody_hidden_is_refused(wecom: Scripted) -> None:
    unknown, hidden = {"errcode": 60111}, {"errcode": 60011}
    contacts = answering(wecom, user_get=[unknown, hidden], department_get=[{"errcode": 60003}])

    assert await contacts.member("x") is None
    assert await contacts.party(7) is None
    with pytest.raises(RefusedByWeCom):
        await contacts.member("y")


@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        ([{"dept_user": [], "next_cursor": ""}], NothingRead),
        ([{"dept_user": [{"department": 1}], "next_cursor": ""}] * 9, Retry),
        ([{"dept_user": [{"userid": "a", "department": 1}], "next_cursor": 7}] * 9, Retry),
        ([{"dept_user": [{"userid": "a"}], "next_cursor": "x"}] + [{"errcode": -1}] * 9, Retry),
    ],
)
async def test_pages_of_ids_that_do_not_hold_together_end_the_reading(
    wecom: Scripted, pages: list[Any], fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        await Reader(answering(wecom, user_list_id=pages), Patience(no_wait)).read([], [])


async def test_pages_of_ids_are_followed_to_the_end(wecom: Scripted) -> None:
    pages = [
        {"dept_user": [{"userid": "a", "department": 1}], "next_cursor": "x"},
        {"dept_user": [{"userid": "B", "department": 1}], "next_cursor": ""},
    ]
    reader = Reader(answering(wecom, user_list_id=pages), Patience(no_wait))

    assert await reader.all_ids() == {"a", "b"}
    assert b'"cursor": "x"' in wecom.bodies[-1]


async def test_a_pause_that_wecom_asks_for_is_kept(wecom: Scripted) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    answers = [{"errcode": 45009}, {"errcode": -1}, {"userlist": [ANN]}]
    contacts = answering(wecom, user_list=answers)
    found = await Patience(wait).ask(lambda: contacts.members(2))

    assert [member.user_id for member in found] == ["ann"]
    assert 50 < max(waits) <= 60
