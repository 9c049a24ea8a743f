"""Delivery: to many, in portions, resumed after a crash at any moment, with nothing lost or doubled."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from server.auth import Role
from server.directory import Department, Person, Post
from server.features import mail
from server.features.mail.delivery import Postman, delivering
from server.features.mail.documents import Delivery
from server.outbox import Owed
from server.work import SystemWork
from tests.features.mail.post import (
    BY_HAND,
    Meanwhile,
    copies,
    delivered,
    listed,
    send,
    subjects,
    unread,
)
from tests.features.office import Office, open_office
from tests.notify.ward import Crash, Fuse, FusedStore

RECIPIENTS = ("bob", "cai", "dan", "eve")


def postman_of(office: Office, fuse: Fuse | None = None, store: Any = None) -> Postman:
    """A new process's postman, which may die when it asks the store something."""
    kept: Any = FusedStore(office.store, fuse or Fuse()) if store is None else store
    system = SystemWork(kept, office.hub, office.clock)
    return Postman(kept, system, office.directory, office.settings, portion=2)


async def died(postman: Postman) -> bool:
    try:
        await postman.deliver()
    except Crash:
        return True
    return False


async def test_a_crash_at_any_moment_of_a_delivery_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    crashed, at = True, 0
    while crashed:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        async with open_office(folder, [BY_HAND]) as office:
            ann, bob = [await office.client(person) for person in ("ann", "bob")]
            await send(ann, *RECIPIENTS)
            crashed = await died(postman_of(office, Fuse(at)))

            assert await postman_of(office).deliver()

            held = Counter(copy.person_id for copy in await copies(office))
            assert held == dict.fromkeys(("ann", *RECIPIENTS), 1), at
            assert await office.store.scan(Delivery.collection.name) == [], at
            assert len(await office.store.scan(Owed.collection.name)) == 1, at
            assert [event["unread"] for event in bob.told("mail.counted")] == [1], at
            for person in RECIPIENTS:
                client = await office.client(person)
                assert await unread(client) == 1, at
                assert await client.ask("mail.count") == {"unread": 1, "revision": 1}, at
    assert at > 20


async def test_a_crash_at_any_moment_of_a_recall_takes_it_back_from_everybody(
    tmp_path: Path,
) -> None:
    crashed, at = True, 0
    while crashed:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        async with open_office(folder, [BY_HAND]) as office:
            ann, bob, cai = [await office.client(person) for person in ("ann", "bob", "cai")]
            mail_id = (await send(ann, *RECIPIENTS))["mail_id"]
            await postman_of(office).deliver()
            await cai.ask("mail.open", mail_id=mail_id)
            await ann.ask("mail.recall", mail_id=mail_id)
            crashed = await died(postman_of(office, Fuse(at)))

            assert await postman_of(office).deliver()

            assert {copy.person_id for copy in await copies(office)} == {"ann", "cai"}, at
            assert await unread(bob) == 0, at
            assert [e["gone"] for e in bob.told("mail.counted")] == [[], [mail_id]], at
            assert await office.store.scan(Delivery.collection.name) == [], at
    assert at > 20


async def test_a_server_that_starts_delivers_what_its_predecessor_left(tmp_path: Path) -> None:
    async with open_office(tmp_path, [BY_HAND]) as office:
        await send(await office.client("ann"), *RECIPIENTS)
        async with delivering(
            office.store, office.system, office.directory, office.settings, office.leader
        ) as postman:
            await postman.quiet()

        assert len(await copies(office)) == 5


async def test_one_mail_that_cannot_be_delivered_does_not_hold_up_the_others(
    slow_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office = slow_office
    ann, bob = [await office.client(person) for person in ("ann", "bob")]
    broken = (await send(ann, "bob"))["mail_id"]
    await send(ann, "bob", subject="另一封")
    [lost] = [doc for doc in await office.store.scan("mails") if doc["_id"] == broken]

    class Without:
        """A store that cannot give one mail."""

        def __getattr__(self, name: str) -> Any:
            return getattr(office.store, name)

        async def get(self, coll: str, id: str) -> Any:
            return (
                None if (coll, id) == ("mails", lost["_id"]) else await office.store.get(coll, id)
            )

    assert await postman_of(office, store=Without()).deliver() is False
    assert await subjects(bob) == ["另一封"]
    assert "a mail was not delivered" in caplog.text
    # It is still under way, and goes once it can.
    assert await postman_of(office).deliver() is True
    assert len(await listed(bob)) == 2


async def test_who_leaves_while_a_mail_is_under_way_gets_no_copy(slow_office: Office) -> None:
    office = slow_office
    await send(await office.client("ann"), "bob", "cai")
    office.directory.refresh([Person(id="bob", name="鲍博", retired_at=office.clock.now())])
    await postman_of(office).deliver()

    assert {copy.person_id for copy in await copies(office)} == {"ann", "cai"}


async def test_deliveries_take_turns(slow_office: Office) -> None:
    office = slow_office
    ann, bob, cai = [await office.client(person) for person in ("ann", "bob", "cai")]
    first = await send(ann, *RECIPIENTS, subject="给大家")
    other = await send(ann, "dan", subject="给一个人")
    order: list[str] = []

    class Noting:
        """A store that notes in which order deliveries are read."""

        def __getattr__(self, name: str) -> Any:
            return getattr(office.store, name)

        async def get(self, coll: str, id: str) -> Any:
            if coll == Delivery.collection.name:
                order.append(id)
            return await office.store.get(coll, id)

    await postman_of(office, store=Noting()).deliver()

    big, small = f"send:{first['mail_id']}", f"send:{other['mail_id']}"
    assert sorted(order[:2]) == sorted([big, small])
    assert order[2] == big
    assert await unread(cai) == 1
    assert bob.told("mail.counted")[-1]["unread"] == 1


async def test_a_person_whose_mailbox_keeps_changing_is_delivered_to_all_the_same(
    slow_office: Office,
) -> None:
    office = slow_office
    ann, bob = [await office.client(person) for person in ("ann", "bob")]
    first = (await send(ann, "bob"))["mail_id"]
    await postman_of(office).deliver()
    await send(ann, "bob")
    crossing = Meanwhile(office.store, lambda: bob.ask("mail.delete", mail_id=first))

    assert await postman_of(office, store=crossing).deliver()
    assert [event["unread"] for event in bob.told("mail.counted")] == [1, 0, 1]


async def test_a_mail_to_a_whole_hospital_arrives_while_others_are_served(tmp_path: Path) -> None:
    async with open_office(tmp_path, [mail.feature]) as office:
        people = [
            Person(
                id=f"p{n:04d}", name=f"人{n}", posts=(Post(department_id="crowd", title="医师"),)
            )
            for n in range(1_600)
        ]
        office.directory.refresh(people, [Department(id="crowd", name="全院")])
        office.roles["ann"] = frozenset({Role.STAFF, Role.LEADER})
        ann, bob, last = [await office.client(person) for person in ("ann", "bob", "p1599")]
        sent = await send(ann, everybody=True)
        assert sent["recipient_count"] == 1_604

        small = await send(bob, "cai")
        async with asyncio.timeout(20):
            while not any(copy.mail_id == small["mail_id"] for copy in await _of(office, "cai")):
                await asyncio.sleep(0.001)
        # A colleague's mail did not wait for the sixteen hundred.
        assert await unread(last) == 0
        await delivered(office)
        assert await unread(last) == 1
        assert len(await copies(office)) == 1_607


async def _of(office: Office, person_id: str) -> list[Any]:
    return [copy for copy in await copies(office) if copy.person_id == person_id]
