"""Reminding whoever holds a document: who may, whom it reaches, how often, and what the holder sees."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from server.auth import Actor
from server.clock import Millis
from server.directory import Person
from server.feature import Feature, allow, staff
from server.features import todos
from server.features.documents.urging import may_urge, urge_holders
from server.integrations.oa import RefusedByOA, Unreachable
from server.integrations.oa.documents import Documents, OpenedDocument, Opinion, Step
from server.integrations.oa.mirror import Seen, Worklist
from server.notify.reminders import BETWEEN_MS, DOCUMENTS_A_DAY, LEFT_ALONE_MS
from server.outbox import Owed
from server.storage import Patch
from server.work import UnitOfWork
from tests.features.office import Office, Refusal, open_office
from tests.features.todos.test_todos import Desk, Mirror

HOUR_S = 3_600
URGING = Feature("documents", commands=allow(staff, urge_holders))
OA = {"ann": "1", "bob": "2", "cai": "3", "dan": "4", "eve": "5"}


@dataclass
class OneKind:
    """An OA in which every document was started by ann, approved by bob, and waits for some people."""

    holders: tuple[str, ...] = ("蔡彩",)
    is_down: bool = False
    since: Millis | None = None

    async def open_document(self, oa_user: str, request_id: str) -> OpenedDocument:
        if self.is_down:
            raise Unreachable("nobody there")
        if oa_user not in ("1", "2", "3", "4"):
            raise RefusedByOA("not for this person")
        approved = Opinion(
            "1", "n1", "科室", OA["bob"], "鲍博", "", None, "批准", received_by=self.holders
        )
        done = Step("n1", "科室", "done", None, acted=("鲍博",))
        now = Step("n2", "分管院长", "current", self.since, holders=self.holders)
        return OpenedDocument(
            request_id=request_id,
            workflow_id="9",
            kind="请示",
            title=f"关于{request_id}的请示",
            creator_name="安宁",
            creator=OA["ann"],
            created_at=None,
            urgency="normal",
            status="",
            node_id="n2",
            node="分管院长",
            actions={},
            opinions=(approved,),
            steps=(done, now) if self.holders else (done,),
        )


class Ward(Desk):
    """An office whose documents wait for cai."""

    def __init__(self, office: Office, mirror: Mirror, oa: OneKind) -> None:
        super().__init__(office, mirror)
        self.oa = oa

    async def urge(self, person: str = "ann", request: str = "1", words: str = "") -> list[object]:
        """What became of it, by holder: state alone."""
        fields = {"request_id": request, "words": words}
        answer = await self.office.ask(person, "documents.urge", fields)
        return [(one["name"], one["state"]) for one in answer["holders"]]

    async def may(self, person: str) -> bool:
        opened = await self.oa.open_document(OA[person], "1")
        work = UnitOfWork(self.office.store, Actor(person), self.office.clock.now())
        directory, settings = self.office.directory, self.office.settings
        return await may_urge(opened, work, directory, self.mirror, settings)  # type: ignore[arg-type]

    async def told(self, subject: str) -> None:
        """The notices owed for a document so far have gone."""
        for claims in (await self.duty.due([self.row(subject)])).values():
            for claim in claims:
                ops = await self.duty.settle(subject, {claim.person_id: claim.upto})
                await self.office.store.apply(*ops)

    def row(self, subject: str) -> Owed:
        now = self.office.clock.now()
        return Owed(id=f"todo:{subject}", kind="todo", subject=subject, at=now, due_at=now)


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    mirror, oa = Mirror(), OneKind()
    services: dict[type, object] = {Worklist: mirror, Documents: oa}
    features = [todos.feature, URGING]
    async with open_office(tmp_path, features, services) as office:
        accounts = (Patch(Person.collection.name, id, {"oa_user_id": oa}) for id, oa in OA.items())
        await office.store.apply(*accounts)
        await office.directory.load(office.store)
        ward = Ward(office, mirror, oa)
        await ward.holds("cai")
        await ward.holds("cai", "1")
        office.clock.advance(LEFT_ALONE_MS / 1000)
        yield ward


async def test_a_reminder_is_owed_once_and_seen_on_row_and_page(ward: Ward) -> None:
    await ward.told("cai:1")
    cai = await ward.office.client("cai")
    assert await ward.urge(words=" 周五前要报 ") == [("蔡彩", "reminded")]

    assert await ward.owed() == {"cai:1"}
    draft = await ward.duty.draft("cai", "cai:1")
    assert draft is not None
    assert (draft.title, draft.description) == ("催办：关于1的请示", "安宁 提醒你处理")
    [row] = (await cai.ask("todos.list", state="pending"))["items"]
    now = ward.office.clock.now()
    assert (row["urged_by"], row["urged_at"], row["urged_words"]) == ("安宁", now, "周五前要报")
    assert cai.told("todos.urged")[0]["by_name"] == "安宁"
    await ward.told("cai:1")
    assert await ward.owed() == set()


async def test_it_joins_a_notice_that_is_owed_already(ward: Ward) -> None:
    assert await ward.urge() == [("蔡彩", "reminded")]
    [row] = await ward.office.store.scan("owed")
    assert row["subject"] == "cai:1"
    await ward.told("cai:1")
    assert await ward.owed() == set()


async def test_opening_settles_it_also_when_it_was_opened_before(ward: Ward) -> None:
    cai = await ward.office.client("cai")
    await cai.ask("todos.opened", request_id="1")
    await ward.urge()
    assert await ward.owed() == {"cai:1"}
    await cai.ask("todos.opened", request_id="1")
    assert await ward.owed() == set()
    assert not await ward.duty.is_unseen("cai", "cai:1", 2)


async def test_what_has_gone_meanwhile_is_reminded_of_no_more(ward: Ward) -> None:
    await ward.urge()
    await ward.holds("cai")
    assert await ward.owed() == set()
    assert await ward.duty.draft("cai", "cai:1") is None


@pytest.mark.parametrize(("person", "may"), [("ann", True), ("bob", True), ("dan", False)])
async def test_who_started_it_or_has_dealt_with_it_may(ward: Ward, person: str, may: bool) -> None:
    assert await ward.may(person) is may
    if not may:
        with pytest.raises(Refusal, match="forbidden"):
            await ward.urge(person)
    else:
        assert await ward.urge(person) == [("蔡彩", "reminded")]


async def test_who_may_not_see_it_is_told_there_is_none(ward: Ward) -> None:
    with pytest.raises(Refusal, match="not_found"):
        await ward.urge("eve")


async def test_an_oa_that_is_away_reminds_nobody(ward: Ward) -> None:
    ward.oa.is_down = True
    with pytest.raises(Refusal, match="oa_away"):
        await ward.urge()


async def test_a_holder_is_reminded_once_in_four_hours_whoever_asks(ward: Ward) -> None:
    await ward.urge("ann")
    assert await ward.urge("bob") == [("蔡彩", "too_soon")]
    assert await ward.may("bob") is False
    ward.office.clock.advance(BETWEEN_MS / 1000)
    assert await ward.urge("bob") == [("蔡彩", "reminded")]


async def test_nobody_is_reminded_of_what_has_just_come(ward: Ward) -> None:
    now = ward.office.clock.now()
    seen = ward.mirror.lists["cai"]
    [row] = seen.items
    ward.mirror.lists["cai"] = Seen((replace(row, received_at=now),), 1, now)
    answer = await ward.office.ask("ann", "documents.urge", {"request_id": "1"})
    [holder] = answer["holders"]
    assert (holder["state"], holder["not_before"]) == ("too_early", now + LEFT_ALONE_MS)
    assert await ward.may("ann") is False


async def test_five_documents_a_day_and_the_next_day_again(ward: Ward) -> None:
    requests = [str(number) for number in range(1, DOCUMENTS_A_DAY + 2)]
    await ward.holds("cai", *requests)
    ward.office.clock.advance(LEFT_ALONE_MS / 1000)
    states = [(await ward.urge(request=request))[0] for request in requests]
    assert states == [("蔡彩", "reminded")] * DOCUMENTS_A_DAY + [("蔡彩", "limit")]
    ward.office.clock.advance(4 * HOUR_S)  # past the hospital's midnight
    assert await ward.urge(request=requests[-1]) == [("蔡彩", "reminded")]


async def test_who_cannot_be_told_is_named(ward: Ward) -> None:
    ward.oa.holders = ("蔡彩", "外院专家", "单丹")
    assert await ward.urge() == [
        ("蔡彩", "reminded"),
        ("外院专家", "unreachable"),
        ("单丹", "unreachable"),  # of that name, but it is not on her list
    ]


async def test_of_two_with_one_name_only_the_holder_is_told(ward: Ward) -> None:
    await ward.office.store.apply(Patch(Person.collection.name, "dan", {"name": "蔡彩"}))
    await ward.office.directory.load(ward.office.store)
    assert await ward.urge() == [("蔡彩", "reminded")]
    assert [row["_id"] for row in await ward.office.store.scan("urges")] == ["cai:1"]


async def test_nobody_reminds_oneself(ward: Ward) -> None:
    ward.oa.holders = ("安宁",)
    await ward.holds("ann", "1")
    assert await ward.urge("ann") == []
    assert await ward.may("ann") is False


async def test_what_nobody_holds_any_more_is_over(ward: Ward) -> None:
    ward.oa.holders = ()
    with pytest.raises(Refusal, match="forbidden"):
        await ward.urge()


async def test_each_is_in_the_audit_without_its_words(ward: Ward) -> None:
    await ward.urge(words="请尽快")
    await ward.urge()
    rows = await ward.office.store.scan("audit", limit=100)
    [row] = [row for row in rows if row["action"] == "documents.urged"]
    assert (row["actor_id"], row["subject"], row["detail"]) == ("ann", "1", {"holders": ["cai"]})


async def test_an_urgent_document_is_urgent_when_reminded_of(ward: Ward) -> None:
    await ward.holds("cai", "1", "2", urgency="urgent")
    await ward.told("cai:2")
    ward.office.clock.advance(LEFT_ALONE_MS / 1000)
    await ward.urge(request="2")
    [claim] = (await ward.duty.due([ward.row("cai:2")]))["cai:2"]
    assert claim.priority == 0
