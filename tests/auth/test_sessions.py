"""Sessions: who is behind a token, until when, and at what cost."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from server.auth import DOCUMENTS, Role, Session
from server.auth.sessions import Sessions
from server.errors import Busy, Refused, Unauthenticated, Unavailable
from server.storage import Insert, Patch, StoreBusy, StoreUnavailable
from server.storage.document import to_doc
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock

HOUR_S = 3_600
COLL = Session.collection.name


class CountingStore(SqliteStore):
    """A real store that counts what is asked of it."""

    asked = 0
    answers = 1_000

    async def get(self, coll, id):
        self.asked += 1
        self.answers -= 1
        if self.answers < 0:
            raise StoreUnavailable("no primary")
        return await super().get(coll, id)

    async def find(self, *args, **kwargs):
        self.asked += 1
        return await super().find(*args, **kwargs)

    async def apply(self, *ops, then=None):
        self.asked += 1
        return await super().apply(*ops, then=then)


class World:
    """A store with sessions, and roles that tests may take away."""

    def __init__(self, store: CountingStore, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.roles: dict[str, frozenset[Role]] = {"ann": frozenset({Role.STAFF})}
        self.sessions = self.new_node()

    def new_node(self, **options: float) -> Sessions:
        return Sessions(self.store, self.clock, self.roles.get, idle_hours=2, days=1, **options)

    async def sign_in(self) -> tuple[str, Session]:
        token, session = self.sessions.begin("ann", "Chrome · Windows", "10.0.0.1")
        await self.store.apply(Insert(COLL, to_doc(session)))
        return token, session

    async def swept(self) -> list[tuple[str, str]]:
        """What is named until the store does not answer."""
        named = []
        with suppress(StoreUnavailable):
            async for each in self.sessions.sweep():
                named.append(each)
        return named

    async def is_in(self, token: str) -> bool:
        try:
            await self.sessions.authenticate(token)
        except Unauthenticated:
            return False
        return True


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock()
    store = CountingStore(tmp_path / "s.db", clock=clock)
    await store.open()
    for kind in DOCUMENTS:
        await store.ensure(kind.collection)
    yield World(store, clock)
    await store.close()


async def test_a_token_becomes_an_actor_with_the_roles_of_this_moment(world: World) -> None:
    token, session = await world.sign_in()

    first = await world.sessions.authenticate(token, "10.9.9.9")
    world.roles["ann"] = frozenset({Role.STAFF, Role.LEADER})
    second = await world.sessions.actor(session.id)

    assert (first.person_id, first.session_id, first.address) == ("ann", session.id, "10.9.9.9")
    assert (second.roles, second.address) == (world.roles["ann"], "10.0.0.1")


@pytest.mark.parametrize("token", ["", "made-up", "x" * 5_000, "\ud800"])
async def test_other_tokens_are_nobodys(world: World, token: str) -> None:
    await world.sign_in()

    assert not await world.is_in(token)


async def test_a_hundred_commands_cost_one_look_at_the_store(world: World) -> None:
    token, _ = await world.sign_in()
    world.store.asked = 0

    for _ in range(100):
        await world.sessions.authenticate(token)

    assert world.store.asked <= 2


async def test_a_session_ends_when_idle_and_not_while_used(world: World) -> None:
    token, _ = await world.sign_in()
    for _ in range(3):
        world.clock.advance(1.9 * HOUR_S)
        assert await world.is_in(token)

    world.clock.advance(2 * HOUR_S)
    assert not await world.is_in(token)


async def test_a_session_ends_in_any_case_after_its_days(world: World) -> None:
    token, _ = await world.sign_in()
    for _ in range(23):
        world.clock.advance(HOUR_S)
        assert await world.is_in(token)

    world.clock.advance(HOUR_S)
    assert not await world.is_in(token)


async def test_use_is_noted_once_a_minute(world: World) -> None:
    token, session = await world.sign_in()
    start = world.clock.now()
    for _ in range(13):
        world.clock.advance(10)
        await world.sessions.authenticate(token)

    kept = await world.store.get(COLL, session.id)
    assert kept is not None
    assert kept["seen_at"] == start + 120_000
    assert kept["_v"] == 3


async def test_a_revocation_is_seen_at_once_here(world: World) -> None:
    token, session = await world.sign_in()
    await world.sessions.authenticate(token)
    await world.store.apply(Patch(COLL, session.id, {"revoked_at": world.clock.now()}))
    world.sessions.forget(session.id)

    assert not await world.is_in(token)


async def test_a_revocation_elsewhere_is_seen_within_the_bound(world: World) -> None:
    token, session = await world.sign_in()
    world.sessions = world.new_node(fresh_for_s=5)
    await world.sessions.authenticate(token)
    await world.store.apply(Patch(COLL, session.id, {"revoked_at": world.clock.now()}))

    assert await world.is_in(token)
    world.clock.advance(5)
    assert not await world.is_in(token)


async def test_a_revocation_during_a_reading_is_not_missed(world: World) -> None:
    token, _ = await world.sign_in()
    read, changed = world.store.get, False

    async def slow_get(coll, id):
        nonlocal changed
        doc = await read(coll, id)
        if not changed:
            changed = True
            await world.store.apply(Patch(COLL, id, {"revoked_at": world.clock.now()}))
            world.sessions.forget(id)
        return doc

    world.store.get = slow_get
    assert not await world.is_in(token)


async def test_a_revocation_while_its_use_is_noted_is_not_missed(world: World) -> None:
    token, session = await world.sign_in()
    await world.sessions.authenticate(token)
    world.clock.advance(61)
    note = world.store.apply

    async def slow_apply(*ops, then=None):
        await note(Patch(COLL, session.id, {"revoked_at": world.clock.now()}))
        world.sessions.forget(session.id)
        return await note(*ops, then=then)

    world.store.apply = slow_apply
    assert not await world.is_in(token)


async def test_what_is_known_of_a_session_ends_with_it(world: World) -> None:
    token, session = await world.sign_in()
    for _ in range(23):
        world.clock.advance(HOUR_S)
        await world.sessions.authenticate(token)
    world.clock.advance(HOUR_S - 1)
    await world.sessions.authenticate(token)

    assert world.sessions.known(session.id) is not None
    world.clock.advance(1)
    assert world.sessions.known(session.id) is None


async def test_who_has_retired_is_out(world: World) -> None:
    token, _ = await world.sign_in()
    await world.sessions.authenticate(token)
    del world.roles["ann"]

    assert not await world.is_in(token)


async def test_the_sweep_names_what_has_ended_once(world: World) -> None:
    token, session = await world.sign_in()
    await world.sessions.authenticate(token)
    assert await world.swept() == []

    world.clock.advance(2 * HOUR_S)

    assert await world.swept() == [("ann", session.id)]
    assert await world.swept() == []


async def test_a_session_in_use_on_another_node_is_not_swept_away(world: World) -> None:
    token, _ = await world.sign_in()
    other = world.new_node()
    await other.authenticate(token)
    for _ in range(3):
        world.clock.advance(HOUR_S)
        await world.sessions.authenticate(token)

    assert [each async for each in other.sweep()] == []


async def test_the_sweep_names_those_who_have_retired(world: World) -> None:
    token, session = await world.sign_in()
    await world.sessions.authenticate(token)
    del world.roles["ann"]

    assert await world.swept() == [("ann", session.id)]


async def test_a_sweep_that_is_cut_short_has_named_what_it_found(world: World) -> None:
    for _ in range(2):
        await world.sessions.authenticate((await world.sign_in())[0])
    del world.roles["ann"]
    world.store.answers = 1

    cut_short = await world.swept()
    world.store.answers = 10
    assert len(cut_short) == len(await world.swept()) == 1


async def test_what_is_held_is_bounded(world: World) -> None:
    world.sessions = world.new_node(most_held=3)
    tokens = [(await world.sign_in())[0] for _ in range(6)]
    for token in tokens * 2:
        assert await world.is_in(token)

    assert len(world.sessions._held) == len(world.sessions._by_token) == 3


async def test_sessions_that_ended_long_ago_are_removed(world: World) -> None:
    _, old = await world.sign_in()
    world.clock.advance(20 * 24 * HOUR_S)
    _, newer = await world.sign_in()
    world.clock.advance(12 * 24 * HOUR_S)

    assert await world.sessions.prune() == 1
    assert await world.store.get(COLL, old.id) is None
    assert await world.store.get(COLL, newer.id) is not None


async def test_a_persons_list_holds_what_has_not_ended(world: World) -> None:
    _, first = await world.sign_in()
    world.clock.advance(1)
    _, second = await world.sign_in()
    await world.store.apply(Patch(COLL, first.id, {"revoked_at": world.clock.now()}))

    assert [s.id for s in await world.sessions.of_person("ann")] == [second.id]
    assert await world.sessions.of_person("bob") == []


async def test_a_store_that_cannot_write_keeps_nobody_out(world: World) -> None:

    token, _ = await world.sign_in()

    async def full(*ops, then=None):
        raise StoreUnavailable("disk full")

    world.store.apply = full
    world.clock.advance(120)

    assert await world.is_in(token)


@pytest.mark.parametrize(
    ("fault", "refusal"), [(StoreBusy("full"), Busy), (StoreUnavailable("disk"), Unavailable)]
)
async def test_a_store_in_trouble_is_told_to_whoever_comes(
    world: World, fault: Exception, refusal: type[Refused]
) -> None:
    token, session = await world.sign_in()

    async def fail(*_, **__):
        raise fault

    world.store.get = world.store.find = fail

    with pytest.raises(refusal):
        await world.sessions.authenticate(token)
    with pytest.raises(refusal):
        await world.sessions.actor(session.id)
