"""A yes from a card, with an OA that loses answers, refuses, moves on, and is down."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.acting.acts import Acts, Said
from server.acting.documents import Act
from server.auth import Actor
from server.clock import Millis
from server.features import todos
from server.features.todos.approving import MOST_TRIES, SURE_AFTER_MS, Approving
from server.features.todos.documents import Todo
from server.integrations.oa import RefusedByOA, Unreachable
from server.integrations.oa.documents import (
    Demand,
    Documents,
    Field,
    OpenedDocument,
    Opinion,
    Submission,
    Table,
)
from server.integrations.oa.mirror import Worklist
from server.notify import NotYet
from server.storage import Patch, Put
from server.storage.document import to_doc
from tests.features.office import Office, open_office

TITLE = "关于排班的请示"


@dataclass
class OneDocument:
    """An OA with one document; it waits at `node` for whoever opens it, until somebody says yes."""

    node: str = "2"
    waits: bool = True
    title: str = TITLE
    demands: frozenset[Demand] = frozenset()
    labels: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    acted: set[str] = field(default_factory=set)
    is_down: bool = False
    loses: str = ""
    """`before`: the call never arrives; `after`: it is done, and the answer is lost."""
    refuses: bool = False
    meanwhile: Callable[[OpenedDocument], Awaitable[object]] | None = None
    """What happens once between an opening and what is done with it."""
    yeses: int = 0

    async def open_document(self, oa_user: str, request_id: str) -> OpenedDocument:
        if self.is_down:
            raise Unreachable("nobody there")
        if oa_user != "2":
            raise RefusedByOA("not for this person")
        opened = OpenedDocument(
            request_id=request_id,
            workflow_id="1",
            kind="公文审批",
            title=self.title,
            creator_name="鲍博",
            creator="1",
            created_at=None,
            urgency="normal",
            status="",
            node_id=self.node,
            node="审批",
            actions={"approve": "同意"} if self.waits else {},
            demands=self.demands,
            fields=tuple(Field(label, label, "text", "9") for label in self.labels),
            tables=self.tables,
            opinions=tuple(
                Opinion(node, node, "", oa_user, "", "", None, "批准") for node in self.acted
            ),
        )
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await happens(opened)
        return opened

    async def submit(self, oa_user: str, opened: OpenedDocument, said: Submission) -> bool:
        if self.loses == "before":
            raise Unreachable("lost")
        if self.refuses or not self.waits:
            return False
        self.yeses += 1
        self.acted.add(self.node)
        self.waits = False
        if self.loses == "after":
            raise Unreachable("lost")
        return True


class Taken:
    """A worklist that writes down what it is told to be done."""

    def __init__(self) -> None:
        self.acted_on: list[tuple[str, str]] = []

    async def acted(self, person_id: str, request_id: str) -> None:
        self.acted_on.append((person_id, request_id))

    def hint(self, person_ids: object) -> None: ...


class Desk:
    """One person, one document that waits for her, and what a press of its card comes to."""

    def __init__(self, office: Office, oa: OneDocument, taken: Taken) -> None:
        self.office, self.oa, self.taken = office, oa, taken
        self.approving: Approving = office.services[Approving]
        self.todo = Todo(
            id="ann:7",
            person_id="ann",
            request_id="7",
            title=TITLE,
            creator_name="鲍博",
            kind="公文审批",
            arrived_at=office.clock.now(),
        )

    async def keep(self, **fields: object) -> None:
        await self.office.store.apply(Patch("todos", "ann:7", fields))

    async def press(self, key: str = "approve.1", person: str = "ann") -> str:
        return await self.approving.approve(person, "ann:7", key)

    async def act_by_page(self, opened: OpenedDocument) -> None:
        """The same person sends the document back from an open page."""
        submission = Submission("reject", "再议")
        said = Said(Actor("ann", roles=frozenset()), "page-1", "page", submission, after=1)
        await self.office.services[Acts].tell("2", opened, said)

    async def records(self) -> list[str]:
        """The yeses that were recorded."""
        rows = await self.office.store.scan("audit", limit=100)
        return [row["action"] for row in rows if row["action"] == "todos.approved"]

    async def came_to(self) -> list[str]:
        """What else was recorded of them."""
        rows = await self.office.store.scan("audit", limit=100)
        return [row["detail"]["came_to"] for row in rows if row["action"] == "documents.acted"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    oa, taken = OneDocument(), Taken()
    async with open_office(tmp_path, [todos.feature], {Worklist: taken, Documents: oa}) as office:
        await office.store.apply(Patch("people", "ann", {"oa_user_id": "2"}))
        await office.directory.load(office.store)
        made = Desk(office, oa, taken)
        await office.store.apply(Put("todos", to_doc(made.todo), None))
        yield made


async def test_a_yes_is_told_once_recorded_and_taken_off_the_list(desk: Desk) -> None:
    assert [await desk.press(), await desk.press()] == ["已同意", "已同意"]
    assert desk.oa.yeses == 1
    assert desk.taken.acted_on[0] == ("ann", "7")
    assert await desk.records() == ["todos.approved"]


async def test_a_lost_answer_is_looked_up_before_anything_is_repeated(desk: Desk) -> None:
    desk.oa.loses = "after"
    with pytest.raises(NotYet):
        await desk.press()
    desk.oa.loses = ""

    assert await desk.press() == "已同意"
    assert desk.oa.yeses == 1
    assert await desk.records() == ["todos.approved"]


async def test_a_call_that_may_still_be_on_its_way_is_not_repeated_yet(desk: Desk) -> None:
    desk.oa.loses = "before"
    with pytest.raises(NotYet):
        await desk.press()
    desk.oa.loses = ""
    with pytest.raises(NotYet) as soon:
        await desk.press()
    desk.office.clock.advance(SURE_AFTER_MS / 1000)

    assert 0 < soon.value.after_s <= SURE_AFTER_MS / 1000
    assert desk.oa.yeses == 0
    assert await desk.press() == "已同意"
    assert desk.oa.yeses == 1


async def test_what_never_gets_through_is_given_up(desk: Desk) -> None:
    desk.oa.loses = "before"
    for _ in range(MOST_TRIES):
        with pytest.raises(NotYet):
            await desk.press()
        desk.office.clock.advance(SURE_AFTER_MS / 1000)

    assert await desk.press() == "未办成，请打开查看"


async def test_a_document_that_moved_on_without_us_was_handled_by_somebody(desk: Desk) -> None:
    desk.oa.loses = "before"
    with pytest.raises(NotYet):
        await desk.press()
    desk.oa.node = "3"

    assert await desk.press() == "已处理"
    assert desk.oa.yeses == 0
    assert await desk.records() == []
    assert sorted(await desk.came_to()) == ["moved", "unknown"]


async def test_a_no_of_the_oa_is_told_and_may_be_tried_again(desk: Desk) -> None:
    desk.oa.refuses = True
    assert await desk.press() == "未办成，请打开查看"
    desk.oa.refuses = False
    assert await desk.press() == "已同意"


@pytest.mark.parametrize("fate", ["lost", "refused"])
async def test_a_yes_is_not_tried_again_when_its_page_acted_since_the_opening(
    desk: Desk, fate: str
) -> None:
    desk.oa.refuses = True
    await desk.press()

    async def by_page(opened: OpenedDocument) -> None:
        desk.oa.refuses, desk.oa.loses = fate == "refused", "before" if fate == "lost" else ""
        await desk.act_by_page(opened)
        desk.oa.refuses, desk.oa.loses = False, ""

    desk.oa.meanwhile = by_page
    with pytest.raises(NotYet):
        await desk.press()
    assert desk.oa.yeses == 0


async def test_a_yes_is_not_tried_again_while_what_its_page_did_may_still_be_done(
    desk: Desk,
) -> None:
    desk.oa.refuses = True
    await desk.press()
    desk.oa.refuses, desk.oa.loses = False, "before"
    await desk.act_by_page(await desk.oa.open_document("2", "7"))
    desk.oa.loses = ""
    with pytest.raises(NotYet):
        await desk.press()
    assert desk.oa.yeses == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"demands": frozenset({"opinion"})},
        {"demands": frozenset({"fields"})},
        {"labels": ("事由", "金额（元）")},
        {"tables": (Table("明细", (), ((Field("m", "金额（元）", "text", "9"),),)),)},
        {"tables": (Table("采购明细", (), ((Field("m", "名称", "text", "9"),),)),)},
        {"tables": (Table("明细", (), ((Field("m", "单价", "money", "9"),),)),)},
        {"title": "另一份文件"},
        {"title": f"{TITLE}（秘密）"},
    ],
)
async def test_what_asks_for_more_is_opened(desk: Desk, fields: dict[str, object]) -> None:
    for name, value in fields.items():
        setattr(desk.oa, name, value)
    assert await desk.press() == "请打开查看"
    assert desk.oa.yeses == 0


async def test_rights_are_asked_when_it_is_pressed(desk: Desk) -> None:
    assert await desk.press(person="bob") == "已变动，请打开查看"
    await desk.office.store.apply(Patch("people", "ann", {"oa_user_id": "3"}))
    await desk.office.directory.load(desk.office.store)
    assert await desk.press() == "请打开查看"
    await desk.office.store.apply(Patch("people", "ann", {"oa_user_id": "2", "retired_at": 1}))
    await desk.office.directory.load(desk.office.store)
    assert await desk.press() == "请打开查看"
    assert desk.oa.yeses == 0


async def test_a_card_is_for_one_coming_of_a_document(desk: Desk) -> None:
    await desk.keep(gone_at=desk.office.clock.now())
    assert await desk.press() == "已处理"
    await desk.keep(gone_at=None, comings=2)
    assert await desk.press() == "已变动，请打开查看"
    assert desk.oa.yeses == 0
    assert await desk.press("approve.2") == "已同意"


async def test_while_the_oa_is_down_nobody_knows(desk: Desk) -> None:
    desk.oa.is_down = True
    with pytest.raises(NotYet):
        await desk.press()
    assert await desk.office.store.scan(Act.collection.name) == []


@pytest.mark.parametrize(
    ("kinds", "title", "kind", "offered"),
    [
        ("*", TITLE, "公文审批", True),
        ("", TITLE, "公文审批", False),
        ("请假, 公文审批", TITLE, "公文审批", True),
        ("请假", TITLE, "公文审批", False),
        ("*", "设备采购", "公文审批", False),
        ("*", TITLE, "费用报销", False),
    ],
)
async def test_only_an_ordinary_yes_is_offered(
    desk: Desk, kinds: str, title: str, kind: str, offered: bool
) -> None:
    settings = type(desk.office.settings)(oa_card_kinds=kinds)
    approving = Approving(
        desk.office.store,
        desk.office.clock,
        desk.office.directory,
        desk.oa,
        desk.office.services[Acts],
        settings,
    )
    todo = Todo(
        id="x:1",
        person_id="x",
        request_id="1",
        title=title,
        creator_name="",
        arrived_at=Millis(0),
        kind=kind,
        comings=4,
    )

    keys = [button.key for button in approving.buttons(todo)]
    assert keys == (["approve.4"] if offered else [])
