"""The outbox on every store: rows found when they are coming, notices found in their order, answers."""

from typing import Any

import pytest

from server.clock import Millis
from server.outbox import (
    DOCUMENTS,
    Notice,
    Owed,
    Priority,
    coming,
    dead_letters,
    deliveries,
    purge,
)
from server.storage import Delete, Duplicate, Insert, Put, Store
from server.storage.document import to_doc


@pytest.fixture
async def outbox(store: Store) -> Store:
    for kind in DOCUMENTS:
        await store.ensure(kind.collection)
    return store


def owed(subject: str, due_at: int) -> Put:
    row = Owed(
        id=f"chat:{subject}", kind="chat", subject=subject, at=Millis(0), due_at=Millis(due_at)
    )
    return Put("owed", to_doc(row), None)


def notice(id: str, person_id: str, state: Any, after: int, upto: int, **fields: Any) -> Insert:
    told = Millis(10) if state in ("sent", "refused", "dead") else None
    waiting = f"chat:c1:{person_id}" if state == "queued" else None
    values: dict[str, Any] = {
        "kind": "chat",
        "subject": "c1",
        "priority": Priority.CHAT,
        "at": Millis(10),
        "created_at": Millis(5),
        "told_at": told,
        "waiting_for": waiting,
        **fields,
    }
    made = Notice(id=id, person_id=person_id, state=state, after=after, upto=upto, **values)
    return Insert("notices", to_doc(made))


async def test_rows_come_in_the_order_in_which_they_are_due(outbox: Store) -> None:
    await outbox.apply(owed("late", 30), owed("early", 10), owed("middle", 20))

    rows = await coming(outbox, before=30)

    assert [row["subject"] for row in rows] == ["early", "middle"]


async def test_any_number_of_rows_due_at_one_moment_is_found(outbox: Store) -> None:
    for start in range(0, 1_600, 400):
        await outbox.apply(*(owed(f"c{number}", 10) for number in range(start, start + 400)))

    rows = await coming(outbox, before=11)

    assert len({row["_id"] for row in rows}) == len(rows) == 1_600


async def test_a_row_replaced_is_not_removed_in_the_version_before(outbox: Store) -> None:
    (first,) = await outbox.apply(owed("c1", 10))
    await outbox.apply(owed("c1", 20))

    assert first is not None
    with pytest.raises(Exception, match="expected version"):
        await outbox.apply(Delete("owed", "chat:c1", first["_v"]))
    assert len(await coming(outbox, before=100)) == 1


async def test_one_notice_of_a_person_and_subject_waits_at_most(outbox: Store) -> None:
    await outbox.apply(notice("n1", "s0001", "queued", 0, 1))

    with pytest.raises(Duplicate):
        await outbox.apply(notice("n2", "s0001", "queued", 1, 2))
    await outbox.apply(notice("n3", "s0001", "sending", 1, 2))
    await outbox.apply(notice("n4", "s0001", "sent", 2, 3))


async def test_the_sender_sees_what_covers_the_message(outbox: Store) -> None:
    await outbox.apply(
        notice("n1", "s0001", "sent", 0, 3),
        notice("n2", "s0001", "sent", 3, 5),
        notice("n3", "s0002", "refused", 3, 4, reason="unreachable"),
        notice("n4", "s0003", "queued", 2, 3),
        notice("n5", "s0004", "sending", 3, 9),
        notice("n6", "s0005", "settled", 0, 9),
        notice("n7", "s0006", "dead", 5, 9, reason="no answer in time"),
    )

    told = {each.person_id: each.state for each in await deliveries(outbox, "chat", "c1", 4)}

    assert told == {
        "s0001": "sent",
        "s0002": "refused",
        "s0003": "queued",
        "s0004": "queued",
        "s0005": "settled",
    }


async def test_having_been_told_says_more_than_a_notice_withdrawn_later(outbox: Store) -> None:
    await outbox.apply(
        notice("n1", "s0001", "sent", 0, 3),
        notice("n2", "s0001", "settled", 0, 3, created_at=Millis(9)),
    )

    (told,) = await deliveries(outbox, "chat", "c1", 2)

    assert (told.state, told.at) == ("sent", 10)


async def test_dead_letters_are_listed_newest_first(outbox: Store) -> None:
    await outbox.apply(
        notice("n1", "s0001", "dead", 0, 1, at=Millis(10)),
        notice("n2", "s0002", "refused", 0, 1, at=Millis(30)),
        notice("n3", "s0003", "dead", 0, 1, at=Millis(20), priority=Priority.TODO),
        notice("n4", "s0004", "sent", 0, 1, at=Millis(40)),
    )

    assert [each.id for each in await dead_letters(outbox, limit=2)] == ["n2", "n3"]


async def test_purging_leaves_what_has_not_ended(outbox: Store) -> None:
    await outbox.apply(
        notice("n1", "s0001", "sent", 0, 1, at=Millis(10)),
        notice("n2", "s0001", "sent", 1, 2, at=Millis(20)),
        notice("n3", "s0001", "queued", 2, 3, at=Millis(10)),
    )

    assert await purge(outbox, before=20) == 1
    assert {doc["_id"] for doc in await outbox.scan("notices")} == {"n2", "n3"}
