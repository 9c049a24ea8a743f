"""The bulletin: every word is heard by whoever was there when it was written, and once."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from server.nodes import BULLETIN
from server.nodes.bulletin import KEPT_MS, Reader, oa_changed, prune, sessions_ended, staff_changed
from server.storage import Store, StoreUnavailable
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock
from tests.memory import tmp_path

__all__ = ["tmp_path"]


class Ears:
    """Keeps what it hears; may be unable to."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.is_deaf = False

    async def sessions_ended(self, person_id: str, session_ids: Sequence[str]) -> None:
        self.heard.append((person_id, *session_ids))

    async def staff_changed(self) -> None:
        if self.is_deaf:
            raise StoreUnavailable("no primary")
        self.heard.append("staff")

    async def oa_changed(self, person_ids: Sequence[str]) -> None:
        self.heard.append(("oa", *person_ids))

    async def missed(self) -> None:
        self.heard.append("missed")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    store = SqliteStore(tmp_path / "b.db", clock=clock)
    await store.open()
    await store.ensure(BULLETIN)
    yield store
    await store.close()


async def reader(store: Store) -> Reader:
    made = Reader(store)
    await made.begin()
    return made


async def test_what_was_said_since_is_heard_once_and_by_each(
    store: Store, clock: ManualClock
) -> None:
    await store.apply(sessions_ended(clock.now(), "ann", ["before"]))
    first, second = await reader(store), await reader(store)
    await store.apply(sessions_ended(clock.now(), "ann", ["1", "2"]), staff_changed(clock.now()))
    await store.apply(*(staff_changed(clock.now()) for _ in range(3)))
    await store.apply(oa_changed(clock.now(), ["ann", "bob"]))

    for each in (first, second):
        ears = Ears()
        await each.read(ears)
        await each.read(ears)
        assert ears.heard == [("ann", "1", "2"), ("oa", "ann", "bob"), "staff"]


async def test_many_words_are_all_heard(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.nodes.bulletin.AT_ONCE", 4)
    reading, ears = await reader(store), Ears()
    for number in range(10):
        await store.apply(sessions_ended(clock.now(), "ann", [str(number)]))
    await reading.read(ears)
    assert ears.heard == [("ann", str(number)) for number in range(10)]


async def test_what_could_not_be_heard_is_heard_later(store: Store, clock: ManualClock) -> None:
    reading, ears = await reader(store), Ears()
    await store.apply(staff_changed(clock.now()))
    ears.is_deaf = True
    with pytest.raises(StoreUnavailable):
        await reading.read(ears)
    ears.is_deaf = False
    await reading.read(ears)
    assert ears.heard == ["staff"]


async def test_old_words_go_and_who_missed_some_is_told(store: Store, clock: ManualClock) -> None:
    awake, asleep = await reader(store), await reader(store)
    for _ in range(3):
        await store.apply(sessions_ended(clock.now(), "ann", ["1"]))
    await awake.read(Ears())
    clock.advance(KEPT_MS / 1000 + 1)
    assert await prune(store, clock) == 2
    await store.apply(sessions_ended(clock.now(), "bob", ["2"]))

    last, new = ("ann", "1"), ("bob", "2")
    for reading, heard in ((awake, [new]), (asleep, ["missed", last, new])):
        ears = Ears()
        await reading.read(ears)
        assert ears.heard == heard


async def test_who_begins_after_a_quiet_day_has_missed_nothing(
    store: Store, clock: ManualClock
) -> None:
    for _ in range(3):
        await store.apply(sessions_ended(clock.now(), "ann", ["1"]))
    clock.advance(KEPT_MS / 1000 + 1)
    await prune(store, clock)
    begun, ears = await reader(store), Ears()
    await store.apply(sessions_ended(clock.now(), "bob", ["2"]))

    await begun.read(ears)
    assert ears.heard == [("bob", "2")]


async def test_old_words_go_however_many_there_are(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.nodes.bulletin.AT_ONCE", 4)
    for _ in range(11):
        await store.apply(oa_changed(clock.now(), ["ann"]))
    clock.advance(KEPT_MS / 1000 + 1)
    await store.apply(staff_changed(clock.now()))
    assert await prune(store, clock) == 11
    assert [word["kind"] for word in await store.scan("bulletin")] == ["staff_changed"]
