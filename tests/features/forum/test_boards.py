"""Boards: who sees which, who sets them up, and that a lost right is lost at once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from server.directory import Department, Person, Post
from server.features.forum.boards import MOST_BOARDS
from server.features.forum.documents import Board
from server.storage import Doc, Insert, Store
from server.storage.document import to_doc
from tests.features.forum.talk import audited, comment, post, save_board, watch
from tests.features.office import Client, Office, Refusal


class ChangedMeanwhile:
    """A store; when a board was first read from it, something happens before the answer is there."""

    def __init__(self, store: Store, act: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._act: Callable[[], Awaitable[None]] | None = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def get(self, coll: str, id: str) -> Doc | None:
        doc = await self._store.get(coll, id)
        if coll == Board.collection.name and self._act is not None:
            act, self._act = self._act, None
            await act()
        return doc


async def titles(client: Client) -> list[str]:
    return [board["title"] for board in (await client.ask("forum.boards"))["boards"]]


async def test_a_board_without_a_place_of_its_own_stands_at_a_hundred(
    ann: Client, eve: Client
) -> None:
    await save_board(eve, title="后", order=101)
    await save_board(eve, title="中")
    await save_board(eve, title="前", order=99)

    assert [board["title"] for board in (await ann.ask("forum.boards"))["boards"]] == [
        "前",
        "中",
        "后",
    ]


async def test_everybody_sees_the_own_boards_in_the_hospital_s_order(
    ann: Client, cai: Client, dan: Client, eve: Client
) -> None:
    await save_board(eve, title="第二", order=20)
    await save_board(eve, title="第一", order=10, audience={"everybody": True}, moderators=[])
    await save_board(eve, title="第三", order=30, audience={"department_ids": ["ward"]})
    await save_board(eve, title="第四", order=40, audience={"person_ids": ["dan"]}, moderators=[])
    assert await titles(ann) == ["第一", "第二", "第三"]
    assert await titles(cai) == ["第一", "第二", "第三"]
    assert await titles(dan) == ["第一", "第三", "第四"]
    assert await titles(eve) == ["第一", "第二", "第三", "第四"]


async def test_who_changes_the_ward_sees_the_new_one_s_boards(
    office: Office, dan: Client, eve: Client
) -> None:
    eyes = Department(id="eyes", name="眼科")
    await office.store.apply(Insert(Department.collection.name, to_doc(eyes)))
    office.directory.refresh(departments=[eyes])
    await save_board(eve, title="眼科", audience={"department_ids": ["eyes"]}, moderators=[])
    assert await titles(dan) == []
    moved = Person(id="dan", name="单丹", posts=(Post(department_id="eyes"),))
    office.directory.refresh(people=[moved])
    assert await titles(dan) == ["眼科"]


async def test_a_board_tells_its_numbers_and_what_one_may_do_there(
    office: Office, ann: Client, cai: Client, eve: Client, board: str
) -> None:
    await post(ann, board)
    await post(ann, board)
    now = office.clock.now()
    [seen] = (await ann.ask("forum.boards"))["boards"]
    assert (seen["posts"], seen["last_posted_at"]) == (2, now)
    assert (seen["moderates"], seen["may_post"], seen["closed"]) == (False, True, False)
    await save_board(eve, board_id=board, closed=True)
    [seen] = (await cai.ask("forum.boards"))["boards"]
    assert (seen["moderates"], seen["may_post"], seen["closed"]) == (True, False, True)


@pytest.mark.parametrize("who", ["ann", "cai", "dan"])
async def test_only_the_system_s_administrators_set_boards_up(
    office: Office, eve: Client, board: str, who: str
) -> None:
    client = await office.client(who)
    with pytest.raises(Refusal, match="forbidden"):
        await save_board(client)
    with pytest.raises(Refusal, match="forbidden"):
        await client.ask("forum.board", board_id=board)
    assert (await eve.ask("forum.board", board_id=board))["moderators"] == ["cai"]


async def test_a_board_is_shown_as_it_could_be_saved_again(
    office: Office, eve: Client, board: str
) -> None:
    await save_board(eve, board_id=board, audience={"person_ids": ["ann", "bob"]}, about="说明")
    office.directory.refresh(people=[Person(id="bob", name="鲍博", retired_at=office.clock.now())])
    settings = await eve.ask("forum.board", board_id=board)
    assert settings["audience"] == {"person_ids": ["ann"]}
    assert await eve.ask("forum.save_board", **settings) == {"board_id": board}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"title": " "}, "invalid"),
        ({"title": "字" * 61}, "invalid"),
        ({"about": "字" * 501}, "invalid"),
        ({"moderators": ["nobody"]}, "not_found"),
        ({"moderators": ["cai"] * 51}, "invalid"),
        ({"audience": {"person_ids": ["nobody"]}}, "not_found"),
        ({"audience": {"department_ids": ["nowhere"]}}, "not_found"),
        ({"board_id": "elsewhere"}, "not_found"),
        ({"board_id": "elsewhere", "client_id": "x"}, "invalid"),
        ({"order": -1}, "invalid"),
    ],
)
async def test_what_is_no_board_is_refused(
    office: Office, eve: Client, changed: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refusal, match=code):
        await save_board(eve, **changed)
    assert await audited(office, "forum.save_board") == []


async def test_a_board_is_made_once_and_recorded(office: Office, eve: Client) -> None:
    first = await save_board(eve, client_id="x")
    assert await save_board(eve, client_id="x") == first
    with pytest.raises(Refusal, match="conflict"):
        await save_board(eve, client_id="x", title="另一个")
    [row] = await audited(office, "forum.save_board")
    assert (row.actor_id, row.subject, row.detail["made"]) == ("eve", first, True)


async def test_there_are_not_more_boards_than_are_listed(office: Office, eve: Client) -> None:
    for number in range(MOST_BOARDS):
        office.clock.advance(1)
        await save_board(eve, title=f"{number}")
    office.clock.advance(1)
    with pytest.raises(Refusal, match="invalid"):
        await save_board(eve)
    assert len(await titles(eve)) == MOST_BOARDS


async def test_saving_what_is_already_so_tells_nobody(
    office: Office, ann: Client, eve: Client, board: str
) -> None:
    await watch(ann, board)
    await save_board(eve, board_id=board)
    assert ann.told("forum.board_changed") == []
    assert len(await audited(office, "forum.save_board")) == 1


async def test_a_watcher_who_lost_the_right_hears_of_the_change_and_nothing_after(
    ann: Client, bob: Client, eve: Client, board: str
) -> None:
    await watch(ann, board)
    await watch(bob, board)
    await save_board(eve, board_id=board, audience={"person_ids": ["ann"]})
    [told] = bob.told("forum.board_changed")
    assert told["board_id"] == board
    with pytest.raises(Refusal, match="not_found"):
        await watch(bob, board)
    await watch(ann, board)
    await post(ann, board)
    assert [name for name, _ in bob.events] == ["forum.board_changed"]
    assert [name for name, _ in ann.events] == ["forum.board_changed", "forum.posted"]


async def test_who_asks_to_watch_while_the_right_is_lost_hears_nothing(
    office: Office, ann: Client, bob: Client, eve: Client, board: str
) -> None:
    async def shut_out() -> None:
        await save_board(eve, board_id=board, audience={"person_ids": ["ann"]})

    office.dispatcher._store = ChangedMeanwhile(office.store, shut_out)  # type: ignore[assignment]
    with pytest.raises(Refusal, match="not_found"):
        await watch(bob, board)
    await post(ann, board)
    assert bob.events == []


async def test_a_person_outside_finds_nothing_at_all(ann: Client, dan: Client, board: str) -> None:
    post_id = await post(ann, board)
    comment_id = await comment(ann, post_id)
    asked = [
        ("forum.list", {"board_id": board}),
        ("forum.post", {"board_id": board, "client_id": "x", "text": "早"}),
        ("forum.show", {"post_id": post_id}),
        ("forum.comment", {"post_id": post_id, "client_id": "x", "text": "早"}),
        ("forum.like", {"post_id": post_id, "liked": True}),
        ("forum.hide", {"post_id": post_id, "hidden": True, "reason": "x"}),
        ("forum.hide", {"comment_id": comment_id, "hidden": True, "reason": "x"}),
        ("stream.watch", {"channel": f"forum:{board}"}),
    ]
    for name, fields in asked:
        with pytest.raises(Refusal, match="not_found") as foreign:
            await dan.ask(name, **fields)
        there_is_none = {
            key: "missing" if key in ("board_id", "post_id", "comment_id") else value
            for key, value in fields.items()
        }
        if name == "stream.watch":
            there_is_none["channel"] = "forum:missing"
        with pytest.raises(Refusal) as missing:
            await ann.ask(name, **there_is_none)
        assert str(foreign.value) == str(missing.value)
    assert dan.events == []


async def test_who_lost_the_right_is_told_nothing_of_the_own_post_either(
    ann: Client, bob: Client, eve: Client, board: str
) -> None:
    post_id = await post(bob, board)
    await save_board(eve, board_id=board, audience={"person_ids": ["ann"]})
    await comment(ann, post_id)
    assert bob.told("forum.answered") == []
    assert (await bob.ask("forum.answers"))["answers"] == []
    with pytest.raises(Refusal, match="not_found"):
        await bob.ask("forum.hide", post_id=post_id, hidden=True)


async def test_the_audit_tells_who_could_see_a_board_from_when_on(
    office: Office, eve: Client, board: str
) -> None:
    office.clock.advance(1)
    await save_board(eve, board_id=board, audience={"everybody": True}, moderators=["dan"])
    narrow, wide = await audited(office, "forum.save_board")
    assert narrow.detail["audience"] == {"person_ids": ["ann", "bob"]}
    assert wide.detail["audience"] == {"everybody": True}
    assert (wide.actor_id, wide.detail["moderators"]) == ("eve", ["dan"])
