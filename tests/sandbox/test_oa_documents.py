"""The way of a document through the stand-in OA, and what is kept of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.oa_documents import Document, Mode, Step
from server.sandbox.oa_journal import Documents
from tests.clocks import ManualClock

CREATOR, STRANGER = 1, 9


class Office:
    """Documents in a folder, and whom each change was told to touch."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "oa.jsonl"
        self.clock = ManualClock()
        self.touched: list[set[int]] = []
        self.documents = Documents(
            self.path, self.clock, str, lambda document, people: self.touched.append(set(people))
        )

    async def put(self, *people: int, mode: Mode = "all", **more: Any) -> int:
        made = await self.documents.create("请示", CREATOR, people, mode=mode, **more)
        return made.request_id

    async def act(self, request_id: int, user: int, act: str = "submit", remark: str = "") -> bool:
        self.clock.advance(60)
        return await self.documents.submit(request_id, user, act, remark)

    def now(self, request_id: int) -> Document:
        found = self.documents.find(request_id)
        assert found is not None
        return found

    async def kept(self) -> Documents:
        """What somebody finds who starts anew."""
        again = Documents(self.path, self.clock, str)
        await again.open()
        return again


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.parametrize(
    ("mode", "waiting"),
    [
        ("all", [(2, 3, 4), (3, 4), (4,)]),
        ("in_turn", [(2,), (3,), (4,)]),
    ],
)
async def test_all_have_it_at_once_or_one_after_the_other(
    office: Office, mode: Mode, waiting: list[tuple[int, ...]]
) -> None:
    request_id = await office.put(2, 3, 4, mode=mode)
    seen = []
    for user in (2, 3, 4):
        seen.append(office.now(request_id).pending)
        assert await office.act(request_id, user)

    assert seen == waiting
    assert office.now(request_id).is_archived


async def test_nobody_acts_before_his_turn(office: Office) -> None:
    request_id = await office.put(2, 3, mode="in_turn")
    assert not await office.act(request_id, 3)
    await office.act(request_id, 2)
    log = office.now(request_id).log
    assert [(one["act"], one["received"]) for one in log] == [("create", [2]), ("approve", [3])]


async def test_one_of_several_is_enough(office: Office) -> None:
    request_id = await office.put(2, 3, mode="any")
    await office.act(request_id, 3)
    assert office.now(request_id).is_archived
    assert not await office.act(request_id, 2)
    assert not office.now(request_id).lies_in("Hendled", 2)


async def test_a_longer_way_ends_behind_its_last_step(office: Office) -> None:
    steps = (Step("科室审核", (2,)), Step("分管院长签发", (3, 4), "any", {"submit": "签发"}))
    request_id = await office.put(steps=steps)
    first = office.now(request_id)
    await office.act(request_id, 2)
    second = office.now(request_id)
    await office.act(request_id, 4, remark="同意")
    last = office.now(request_id)

    assert "reject" in first.offered_to(2)
    assert second.offered_to(3) == {"submit": "签发"}
    assert (second.node_name, second.pending, second.step) == ("分管院长签发", (3, 4), 2)
    assert last.is_archived
    assert [last.name_of_node(one["node"]) for one in last.log] == [
        "创建",
        "科室审核",
        "分管院长签发",
    ]


async def test_what_is_sent_back_begins_again_at_the_first_step(office: Office) -> None:
    steps = (Step("科室审核", (2,)), Step("签发", (3,)))
    request_id = await office.put(steps=steps)
    await office.act(request_id, 2)
    await office.act(request_id, 3, "reject", "请补充")
    back = office.now(request_id)
    assert (back.pending, back.offered_to(CREATOR)) == (
        (CREATOR,),
        {"submit": "提交", "forward": "转发"},
    )
    assert not await office.act(request_id, CREATOR, "reject")
    await office.act(request_id, CREATOR)
    assert office.now(request_id).pending == (2,)


async def test_what_is_forwarded_waits_beside_the_way(office: Office) -> None:
    request_id = await office.put(2)
    assert not await office.documents.forward(request_id, STRANGER, [5], "")
    assert await office.documents.forward(request_id, 2, [5, 6], "请提意见")
    assert office.now(request_id).lies_in("ToDo", 5)
    assert not await office.act(request_id, 5, "reject")
    await office.act(request_id, 5, remark="无意见")
    now = office.now(request_id)

    assert (now.pending, now.forwarded) == ((2,), (6,))
    assert now.lies_in("Hendled", 5)
    assert [one["act"] for one in now.log] == ["create", "forward", "note"]
    assert (await office.kept()).find(request_id) == now


async def test_a_copy_is_done_with_when_it_was_read_or_said_to_be(office: Office) -> None:
    request_id = await office.put(2, copies=[5, 6], copies_to_submit=(6,))
    for user in (5, 6):
        await office.documents.opened(request_id, user)
    opened = office.now(request_id)
    await office.act(request_id, 6)
    noted = office.now(request_id)

    assert [opened.lies_in("CC", user) for user in (5, 6)] == [False, True]
    assert [opened.lies_in("Hendled", user) for user in (5, 6)] == [True, False]
    assert not noted.lies_in("CC", 6)
    assert noted.pending == (2,)


async def test_a_step_that_wants_words_takes_none_without(office: Office) -> None:
    request_id = await office.put(2, needs_opinion=True, drafts={2: "拟同意"})
    assert not await office.act(request_id, 2)
    assert await office.act(request_id, 2, remark="同意")
    assert office.now(request_id).drafts == {}


async def test_who_is_touched_is_told_and_nobody_else(office: Office) -> None:
    request_id = await office.put(2, 3)
    await office.act(request_id, 2)
    await office.documents.mark_read(request_id, 3)
    await office.documents.forward(request_id, 3, [5], "")
    await office.act(request_id, 3)

    assert office.touched == [{CREATOR, 2, 3}, {2}, set(), {5}, {CREATOR, 2, 3, 5}]


async def test_lines_of_an_older_journal_are_still_documents(office: Office) -> None:
    line = {
        "request_id": 10_001,
        "title": "旧请示",
        "creator": CREATOR,
        "kind": "公文审批",
        "urgency": 0,
        "created_at": 5,
        "approvers": [2, 3],
        "copies": [],
        "node": "2",
        "pending": [3],
        "received": {"2": 5, "3": 5},
        "done": {"2": 7},
        "read": [2],
        "log": [{"user": 2, "act": "approve", "remark": "", "at": 7, "node": "2"}],
        "needs_opinion": False,
    }
    office.path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    await office.documents.open()
    assert office.now(10_001).offered_to(3)["submit"] == "同意"
    assert await office.act(10_001, 3)
    assert office.now(10_001).is_archived
