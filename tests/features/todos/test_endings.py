"""What is left when a document stops waiting for somebody."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest

from server.acting.documents import Act, act_id
from server.acting.endings import Ending
from server.features import todos
from server.integrations.oa.documents import Documents
from server.integrations.oa.mirror import Worklist
from server.storage import Insert
from server.storage.document import from_doc, to_doc
from tests.features.office import open_office
from tests.features.todos.test_todos import Desk, Mirror

HOUR_MS = 3_600_000


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    mirror = Mirror()
    features = {Worklist: mirror, Documents: None}
    async with open_office(tmp_path, [todos.feature], features) as office:
        yield Desk(office, mirror)


async def endings(desk: Desk) -> list[Ending]:
    docs = await desk.office.store.find(Ending.collection.name, "ended_at", limit=100)
    return [from_doc(Ending, doc) for doc in docs]


async def act(
    desk: Desk, request_id: str, action: str = "approve", state: str = "asked", **fields: Any
) -> None:
    """Somebody decides here: the OA is being told."""
    via: Literal["page", "card"] = fields.get("via", "page")
    made = Act(
        id=act_id("ann", request_id, 1),
        person_id="ann",
        request_id=request_id,
        number=1,
        client_id=f"c{request_id}",
        action=action,  # type: ignore[arg-type]
        via=via,
        title="",
        node_id="2",
        asked_at=desk.office.clock.now(),
        state=state,  # type: ignore[arg-type]
    )
    await desk.office.store.apply(Insert(Act.collection.name, to_doc(made)))


async def test_a_document_that_is_gone_leaves_how_long_it_waited(desk: Desk) -> None:
    received = desk.office.clock.now() - HOUR_MS
    await desk.holds("ann", "1", "2", at=received, kind="请假申请")
    desk.office.clock.advance(600)
    await desk.holds("ann", "2", at=received, kind="请假申请")
    [ending] = await endings(desk)
    assert (ending.minutes, ending.kind, ending.how, ending.decision) == (
        70,
        "请假申请",
        "elsewhere",
        "",
    )
    assert (ending.person_id, ending.request_id) == ("ann", "1")
    assert ending.department_id == desk.office.directory.find("ann").posts[0].department_id


@pytest.mark.parametrize(
    ("action", "state", "via", "said"),
    [
        ("approve", "asked", "page", ("page", "approved")),
        ("approve", "done", "card", ("card", "approved")),
        ("reject", "done", "page", ("page", "rejected")),
        ("forward", "unknown", "page", ("page", "")),
        ("approve", "moved", "page", ("elsewhere", "")),
        ("approve", "refused", "page", ("elsewhere", "")),
    ],
)
async def test_what_was_decided_here_says_so(
    desk: Desk, action: str, state: str, via: str, said: tuple[str, str]
) -> None:
    await desk.holds("ann", "1")
    desk.office.clock.advance(60)
    await act(desk, "1", action, state, via=via)
    await desk.holds("ann")
    [ending] = await endings(desk)
    assert (ending.how, ending.decision) == said


async def test_each_coming_leaves_one_and_an_act_belongs_to_its_own(desk: Desk) -> None:
    await desk.holds("ann", "1")
    await act(desk, "1")
    await desk.holds("ann")
    desk.office.clock.advance(60)
    await desk.holds("ann", "1", at=desk.office.clock.now())
    desk.office.clock.advance(60)
    await desk.holds("ann")
    assert [(e.how, e.minutes) for e in await endings(desk)] == [("page", 0), ("elsewhere", 1)]


async def test_a_change_that_is_heard_twice_leaves_one(desk: Desk) -> None:
    await desk.holds("ann", "1")
    before = desk.mirror.lists["ann"]
    await desk.holds("ann")
    await desk.sink.changed("ann", None, before, before.items, ())
    desk.mirror.lists["ann"] = before
    await desk.holds("ann")
    assert len({ending.id for ending in await endings(desk)}) == len(await endings(desk)) <= 2


async def test_an_oa_whose_clock_is_ahead_is_not_believed(desk: Desk) -> None:
    await desk.holds("ann", "1", at=desk.office.clock.now() + HOUR_MS)
    desk.office.clock.advance(120)
    await desk.holds("ann")
    [ending] = await endings(desk)
    assert ending.minutes == 2
