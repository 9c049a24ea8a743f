"""Lists of documents narrowed down, and what they say of each: all that waits is looked through, of other
lists the newest pages, and it is said how far."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.clock import Millis
from server.features import todos
from server.integrations.oa import Item, State
from server.integrations.oa.documents import Documents
from server.integrations.oa.mirror import Reading, Seen, Worklist
from server.storage import Patch
from tests.features.office import Client, open_office

AT = Millis(1_767_600_000_000)


def item(number: int, **fields: Any) -> Item:
    made = Item(
        item_id=str(number),
        request_id=str(number),
        title=f"关于{number}号事项的请示",
        creator_name="鲍博",
        received_at=Millis(AT - number),
        urgency="normal",
        node="审批",
        source="OA",
        kind="公文审批",
        creator="3",
    )
    return replace(made, **fields)


class Lists:
    """A worklist with a list for each state, and how many pages were read of it."""

    def __init__(self) -> None:
        self.rows: dict[State, Sequence[Item]] = {}
        self.pages: list[int] = []
        self.ends_at: int | None = None

    async def read(
        self, person_id: str, state: State, page: int = 1, max_age_s: float = 5.0
    ) -> Reading:
        self.pages.append(page)
        rows = self.rows.get(state, ())
        if self.ends_at is not None and page > self.ends_at:
            return Reading((), None, None, stale=True)
        return Reading(tuple(rows[(page - 1) * 20 : page * 20]), len(rows), AT, stale=False)

    async def seen(self, person_id: str) -> Seen | None:
        rows = tuple(self.rows.get("pending", ()))
        return Seen(rows, len(rows), AT)


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
async def ann(tmp_path: Path, lists: Lists) -> AsyncIterator[Client]:
    services: dict[type, Any] = {Worklist: lists, Documents: None}
    async with open_office(tmp_path, [todos.feature], services) as office:
        await office.store.apply(Patch("people", "bob", {"oa_user_id": "3"}))
        await office.directory.load(office.store)
        yield await office.client("ann")


def ids(page: dict[str, Any]) -> list[str]:
    return [row["request_id"] for row in page["items"]]


async def test_a_row_says_who_what_and_whether_a_yes_may_be_enough(
    ann: Client, lists: Lists
) -> None:
    lists.rows = {"pending": [item(1), item(2, title="设备采购", creator="9")], "done": [item(3)]}
    first, second = (await ann.ask("todos.list", state="pending"))["items"]
    assert (first["kind"], first["creator_id"], first["department"]) == ("公文审批", "bob", "产科")
    assert (first["may_approve"], second["may_approve"]) == (True, False)
    assert (second["creator_id"], second["department"]) == (None, "")
    [done] = (await ann.ask("todos.list", state="done"))["items"]
    assert done["may_approve"] is False


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"search": "77号 鲍博"}, ["77"]),
        ({"search": "产科 77"}, ["77"]),
        ({"search": "产科　７７号"}, ["77"]),
        ({"search": "ct"}, ["90"]),
        ({"kind": "请假"}, ["90"]),
        ({"urgency": "urgent"}, ["90"]),
        ({"since": AT - 2}, ["1", "2"]),
        ({"search": "没有"}, []),
    ],
)
async def test_all_that_waits_is_looked_through(
    ann: Client, lists: Lists, asked: dict[str, Any], found: list[str]
) -> None:
    rows = [item(n) for n in range(1, 120) if n != 90]
    lists.rows = {"pending": [*rows, item(90, title="ＣＴ室", kind="请假", urgency="urgent")]}
    page = await ann.ask("todos.list", state="pending", **asked)
    assert (ids(page), page["total"], page.get("looked_at")) == (found, len(found), None)
    assert page["kinds"] == ["公文审批", "请假"]


async def test_what_was_found_comes_in_pages_too(ann: Client, lists: Lists) -> None:
    lists.rows = {"pending": [item(n) for n in range(1, 51)]}
    page = await ann.ask("todos.list", state="pending", search="请示", page=3)
    assert (ids(page), page["total"]) == ([str(n) for n in range(41, 51)], 50)


async def test_of_other_lists_five_pages_are_looked_through_and_it_is_said(
    ann: Client, lists: Lists
) -> None:
    lists.rows = {"done": [item(n) for n in range(1, 301)]}
    page = await ann.ask("todos.list", state="done", search="99号")
    assert (ids(page), page["looked_at"]) == (["99"], 100)
    assert lists.pages == [1, 2, 3, 4, 5]
    lists.rows = {"done": [item(n) for n in range(1, 31)]}
    assert "looked_at" not in await ann.ask("todos.list", state="done", search="99号")


async def test_what_could_not_be_read_was_not_looked_at(ann: Client, lists: Lists) -> None:
    lists.rows, lists.ends_at = {"done": [item(n) for n in range(1, 51)]}, 1
    page = await ann.ask("todos.list", state="done", search="请示")
    assert page["looked_at"] == 20


async def test_copies_are_followed_from_the_moment_they_are_listed(
    ann: Client, lists: Lists
) -> None:
    lists.rows = {"read": [item(1, received_at=None)], "done": [item(2, received_at=None)]}
    for state in ("done", "read", "read"):
        await ann.ask("todos.list", state=state)
    assert [doc["_id"] for doc in await ann.office.store.scan("copies")] == ["ann:1"]
