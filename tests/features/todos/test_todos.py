"""To-dos: what the OA's mirror tells becomes a list, a badge and one owed notice each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.clock import Millis
from server.features import todos
from server.features.todos.approving import Approving
from server.features.todos.arrivals import Arrivals
from server.features.todos.duty import TodoDuty
from server.features.todos.keeping import KEPT_MS, Keeping
from server.integrations.oa import Item, State
from server.integrations.oa.documents import Documents
from server.integrations.oa.mirror import MirrorHealth, Reading, Seen, Waiting, Worklist
from server.notify.reminders import Urge
from server.outbox import Owed
from server.storage import Insert, Patch, Store
from server.storage.document import from_doc, to_doc
from server.work import SystemWork
from tests.features.office import Client, Office, Refusal, open_office


def item(request_id: str, **fields: Any) -> Item:
    return Item(
        item_id=f"item-{request_id}",
        request_id=request_id,
        title=fields.get("title", f"关于{request_id}的请示"),
        creator_name="鲍博",
        received_at=Millis(fields.get("at", 1_767_600_000_000)),
        urgency=fields.get("urgency", "normal"),
        node="审批",
        source="OA",
        kind=fields.get("kind", ""),
        creator=fields.get("creator", ""),
    )


class Mirror:
    """A worklist that holds what the test says."""

    def __init__(self) -> None:
        self.lists: dict[str, Seen] = {}
        self.stale = False
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def read(
        self, person_id: str, state: State, page: int = 1, max_age_s: float = 5.0
    ) -> Reading:
        seen = self.lists.get(person_id)
        if seen is None or state != "pending":
            return Reading((), None, None, stale=self.stale)
        rows = seen.items[(page - 1) * 20 : page * 20]
        return Reading(rows, seen.pending, seen.as_of, stale=self.stale)

    async def counts(self, person_id: str, max_age_s: float = 5.0) -> Waiting:
        seen = self.lists.get(person_id)
        if seen is None:
            return Waiting(0, None, stale=self.stale)
        return Waiting(seen.pending, seen.as_of, stale=self.stale)

    async def seen(self, person_id: str) -> Seen | None:
        found = self.lists.get(person_id)
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            await act()
        return found

    def visible(self, person_id: str, on: bool) -> None: ...

    def hint(self, person_ids: object) -> None: ...

    def forget(self, person_id: str) -> None: ...

    def health(self) -> MirrorHealth:
        return MirrorHealth(not self.stale, "", 0, 0, None)


class Desk:
    """An office with the mirror's sink, told of changes as the poller tells them."""

    def __init__(self, office: Office, mirror: Mirror) -> None:
        self.office, self.mirror = office, mirror
        self.sink = Arrivals(office.store, office.system, office.settings, office.directory)
        self.duty = TodoDuty(office.store, office.services[Approving])

    async def holds(self, person: str, *requests: str, **fields: Any) -> None:
        """The OA now holds exactly these for a person."""
        before = self.mirror.lists.get(person)
        seen = Seen(
            tuple(item(r, **fields) for r in requests), len(requests), self.office.clock.now()
        )
        old = before.request_ids if before else frozenset()
        arrived = tuple(i for i in seen.items if i.request_id not in old)
        gone = tuple(sorted(old - seen.request_ids))
        await self.sink.changed(person, before, seen, arrived, gone)
        self.mirror.lists[person] = seen

    async def has_account(self, person: str, oa_user: str) -> None:
        """As an import of the staff file leaves it."""
        await self.office.store.apply(Patch("people", person, {"oa_user_id": oa_user}))
        await self.office.directory.load(self.office.store)

    async def owed(self) -> set[str]:
        """The subjects for which somebody is owed a notice now."""
        docs = await self.office.store.scan(Owed.collection.name)
        rows = [from_doc(Owed, doc) for doc in docs]
        return {subject for subject, claims in (await self.duty.due(rows)).items() if claims}


class OpenedMeanwhile:
    """A store; just before the first thing is written to it, the person opens document 1."""

    def __init__(self, store: Store, person: Client) -> None:
        self._store, self._person, self._opened = store, person, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def apply(self, *ops: Any, **named: Any) -> Any:
        if not self._opened:
            self._opened = True
            await self._person.ask("todos.opened", request_id="1")
        return await self._store.apply(*ops, **named)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    mirror = Mirror()
    async with open_office(
        tmp_path, [todos.feature], {Worklist: mirror, Documents: None}
    ) as office:
        yield Desk(office, mirror)


async def test_the_first_reading_makes_a_badge_and_no_notice(desk: Desk) -> None:
    ann = await desk.office.client("ann")
    await desk.holds("ann", "1", "2")
    [counted] = ann.told("todos.counted")
    assert (counted["pending"], counted["unread"]) == (2, 2)
    assert await desk.owed() == set()


async def test_what_arrives_later_moves_the_badge_and_owes_one_notice(desk: Desk) -> None:
    await desk.holds("ann", "1")
    ann = await desk.office.client("ann")
    await desk.holds("ann", "2", "1")
    assert ann.told("todos.counted")[-1]["pending"] == 2
    assert await desk.owed() == {"ann:2"}


async def test_one_done_and_one_arrived_is_a_change(desk: Desk) -> None:
    await desk.holds("ann", "1")
    ann = await desk.office.client("ann")
    await desk.holds("ann", "2")
    assert ann.told("todos.counted")[-1]["pending"] == 1
    assert await desk.owed() == {"ann:2"}


async def test_a_change_heard_twice_owes_no_second_notice(desk: Desk) -> None:
    await desk.holds("ann", "1")
    await desk.holds("ann", "1", "2")
    seen = desk.mirror.lists["ann"]
    await desk.office.store.apply(*await desk.duty.settle("ann:2", {"ann": 1}))
    await desk.sink.changed("ann", seen, seen, (item("2"),), ())
    assert await desk.owed() == set()


async def test_a_document_that_comes_back_makes_no_second_notice(desk: Desk) -> None:
    await desk.holds("ann", "1")
    await desk.holds("ann", "1", "2")
    await desk.office.store.apply(*await desk.duty.settle("ann:2", {"ann": 1}))
    await desk.holds("ann", "1")
    await desk.holds("ann", "1", "2")
    assert await desk.owed() == set()


async def test_a_document_handled_elsewhere_before_the_notice_is_not_told(desk: Desk) -> None:
    await desk.holds("ann", "1")
    await desk.holds("ann", "1", "2")
    await desk.holds("ann", "1")
    assert await desk.owed() == set()
    assert await desk.duty.draft("ann", "ann:2") is None


async def test_opening_a_document_settles_its_notice_and_lowers_unread(desk: Desk) -> None:
    await desk.holds("ann", "1")
    await desk.holds("ann", "1", "2")
    ann = await desk.office.client("ann")
    await ann.ask("todos.opened", request_id="2")
    assert ann.told("todos.counted")[-1]["unread"] == 1
    assert await desk.owed() == set()
    count = await ann.ask("todos.count")
    assert (count["pending"], count["unread"]) == (2, 1)
    told = len(ann.events)
    await ann.ask("todos.opened", request_id="2")
    assert len(ann.events) == told


@pytest.mark.parametrize("before_reading", range(1, 5))
async def test_opening_on_two_devices_at_once_is_one_opening(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, before_reading: int
) -> None:
    await desk.holds("ann", "1")
    ann = await desk.office.client("ann")
    told = len(ann.told("todos.counted"))
    open_it = partial(ann.ask, "todos.opened", request_id="1")
    desk.office.overtake(monkeypatch, before_reading, open_it)

    await open_it()

    assert len(ann.told("todos.counted")) == told + 1
    assert len(await desk.office.store.find("audit", "subject", ("ann:1",))) == 1


async def test_opening_while_another_arrives_leaves_the_right_number(desk: Desk) -> None:
    await desk.holds("ann", "1")
    ann = await desk.office.client("ann")
    desk.mirror.meanwhile = lambda: desk.holds("ann", "1", "2")

    await ann.ask("todos.opened", request_id="1")

    told = ann.told("todos.counted")[-1]
    assert (told["pending"], told["unread"]) == (2, 1)
    assert await desk.owed() == {"ann:2"}


async def test_opening_before_the_mirror_has_taken_up_what_arrived_counts_it(desk: Desk) -> None:
    await desk.holds("ann", "1")
    before = desk.mirror.lists["ann"]
    await desk.holds("ann", "1", "2")
    desk.mirror.lists["ann"] = before
    ann = await desk.office.client("ann")

    await ann.ask("todos.opened", request_id="1")

    told = ann.told("todos.counted")[-1]
    assert (told["pending"], told["unread"]) == (2, 1)


async def test_arrival_while_opening_leaves_the_right_number(desk: Desk) -> None:
    await desk.holds("ann", "1")
    ann = await desk.office.client("ann")
    store: Any = OpenedMeanwhile(desk.office.store, ann)
    desk.sink = Arrivals(
        desk.office.store,
        SystemWork(store, desk.office.hub, desk.office.clock),
        desk.office.settings,
        desk.office.directory,
    )

    await desk.holds("ann", "1", "2")

    told = ann.told("todos.counted")[-1]
    assert (told["pending"], told["unread"]) == (2, 1)
    assert await desk.owed() == {"ann:2"}


async def test_a_badge_says_how_fresh_the_list_is(desk: Desk) -> None:
    await desk.holds("ann", "1")
    later = replace(desk.mirror.lists["ann"], as_of=Millis(desk.office.clock.now() + 5_000))
    desk.mirror.lists["ann"] = later
    ann = await desk.office.client("ann")

    await ann.ask("todos.opened", request_id="1")

    assert ann.told("todos.counted")[-1]["as_of"] == later.as_of


async def test_nobody_opens_what_waits_for_somebody_else(desk: Desk) -> None:
    await desk.holds("ann", "1")
    bob = await desk.office.client("bob")
    with pytest.raises(Refusal, match="not_found"):
        await bob.ask("todos.opened", request_id="1")
    assert (await bob.ask("todos.list", state="pending"))["items"] == []


async def test_a_list_says_what_is_new_and_how_old_it_is(desk: Desk) -> None:
    await desk.holds("ann", "1", "2")
    ann = await desk.office.client("ann")
    await ann.ask("todos.opened", request_id="1")
    desk.mirror.stale = True
    page = await ann.ask("todos.list", state="pending")
    assert [(row["request_id"], row["is_new"]) for row in page["items"]] == [
        ("1", False),
        ("2", True),
    ]
    assert page["stale"] is True
    assert page["as_of"] == desk.mirror.lists["ann"].as_of
    assert page["total"] == 2


async def test_the_notice_names_the_document_and_opens_it(desk: Desk) -> None:
    await desk.holds("ann")
    await desk.holds("ann", "7", urgency="urgent")
    draft = await desk.duty.draft("ann", "ann:7")
    assert draft is not None
    assert draft.path == "/d/7"
    assert "关于7的请示" in draft.title
    assert await desk.duty.draft("bob", "ann:7") is None


async def test_counts_plus_events_equal_fresh_counts(desk: Desk) -> None:
    ann = await desk.office.client("ann")
    for requests in (("1",), ("1", "2", "3"), ("3",), (), ("4", "5")):
        await desk.holds("ann", *requests)
        if requests:
            await ann.ask("todos.opened", request_id=requests[0])
        fresh = await ann.ask("todos.count")
        told = ann.told("todos.counted")[-1]
        assert (told["pending"], told["unread"]) == (fresh["pending"], fresh["unread"])


@pytest.mark.parametrize(
    "fields",
    [{}, {"state": "deleted"}, {"state": "pending", "page": 0}, {"state": "pending", "q": 1}],
)
async def test_what_is_no_list_is_refused(desk: Desk, fields: dict[str, object]) -> None:
    ann = await desk.office.client("ann")
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("todos.list", **fields)


async def test_dealings_go_with_their_reminders_long_after_the_document_went(desk: Desk) -> None:
    store, clock = desk.office.store, desk.office.clock
    keeping: Keeping = desk.office.services[Keeping]
    await desk.holds("ann", "1", "2", "3")
    for id in ("ann:2", "ann:3"):
        urge = Urge(id=id, by_id="bob", by_name="鲍博", at=clock.now(), times=3)
        await store.apply(Insert("urges", to_doc(urge)))
    await desk.holds("ann", "1", "2")
    clock.advance(KEPT_MS / 1000)
    await desk.holds("ann", "1")
    assert await keeping.drop_old() == 0

    clock.advance(1)
    assert await keeping.drop_old() == 1
    assert [doc["_id"] for doc in await store.scan("todos")] == ["ann:1", "ann:2"]
    assert [doc["_id"] for doc in await store.scan("urges")] == ["ann:2"]
    await desk.holds("ann", "1", "3")
    assert await desk.owed() == {"ann:3"}


async def test_what_a_former_account_had_is_neither_told_nor_shown_any_more(desk: Desk) -> None:
    """A wrong account in the staff file was put right: what waits is another colleague's."""
    await desk.has_account("ann", "2")
    await desk.holds("ann", "1")
    await desk.holds("ann", "1", "2")
    assert await desk.owed() == {"ann:2"}
    await desk.has_account("ann", "5")
    assert await desk.sink.load("ann") is None

    del desk.mirror.lists["ann"]
    await desk.holds("ann", "8", "9")
    assert await desk.owed() == set()
    withdrawn = [row["_id"] for row in await desk.office.store.scan("withdrawals")]
    assert withdrawn == ["todo:ann:1", "todo:ann:2"]
    kept = await desk.sink.load("ann")
    assert kept is not None
    assert kept.request_ids == {"8", "9"}
    assert await desk.office.store.scan("endings") == []
