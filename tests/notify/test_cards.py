"""Cards after they were sent: a press is done once and said, what is over is taken back, whatever dies."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from server.audit import AuditRow
from server.clock import Millis
from server.integrations.wecom import Misconfigured, Paused, RefusedByWeCom, Retry
from server.integrations.wecom.memory import MemoryWeCom
from server.integrations.wecom.template_card import Button, button_card_request
from server.notify import Claim, Draft, NotYet, Priority
from server.notify.cards import PRESS_GIVEN_UP_MS, Cards
from server.notify.gate import Gate
from server.notify.metrics import NoticeMetrics
from server.outbox import DOCUMENTS, Notice, Owed, Press, Withdrawal, task_of
from server.storage import Op, Patch, Put
from server.storage.document import to_doc
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock
from tests.notify.ward import Crash, Fuse, FusedStore


class Doorkeeper:
    """A duty that acts: the first press of a subject is done, whatever comes later is answered the same."""

    kind = "door"

    def __init__(self) -> None:
        self.done: list[tuple[str, str, str]] = []
        self.asked = 0
        self.fault: Exception | None = None

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        return {}

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        return None

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        return []

    async def press(self, person_id: str, subject: str, key: str) -> str:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        if (person_id, subject, key) not in self.done:
            self.done.append((person_id, subject, key))
        return "done"


class FusedCards:
    """A process that may die before its call, or after WeCom took it."""

    def __init__(self, wecom: MemoryWeCom, fuse: Fuse) -> None:
        self._wecom, self._fuse = wecom, fuse

    async def update_card(self, request: bytes) -> None:
        self._fuse.burn()
        await self._wecom.update_card(request)
        self._fuse.burn()

    async def recall(self, msgid: str) -> None:
        self._fuse.burn()
        await self._wecom.recall(msgid)
        self._fuse.burn()


class Hall:
    """A store, a WeCom, and the process of the moment."""

    def __init__(self, store: SqliteStore, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.wecom, self.duty = MemoryWeCom(), Doorkeeper()
        self.gate = Gate(clock, 100, 16)
        self.cards = self.started(Fuse())

    def started(self, fuse: Fuse) -> Cards:
        store: Any = FusedStore(self.store, fuse)
        self.gate = Gate(self.clock, 100, 16)
        self.registry = CollectorRegistry()
        self.metrics = NoticeMetrics(self.registry)
        self.cards = Cards(
            store,
            self.clock,
            {"door": self.duty},
            FusedCards(self.wecom, fuse),
            self.gate,
            self.metrics,
            agent_id=7,
            wecom_user_of=lambda person: person.upper() if person != "left" else None,
        )
        return self.cards

    async def sent(self, *, buttons: bool = True, person: str = "ann", **fields: Any) -> Notice:
        """A notice that has reached a phone."""
        now = self.clock.now()
        task = task_of("n1", now)
        said = (7, [person.upper()], "题", "文", "https://h.example/d/1?n=n1")
        request = button_card_request(*said, task_id=task, buttons=[Button("同意", "yes")])
        answer = await self.wecom.send(request if buttons else b'{"touser":"ANN"}')
        notice = Notice(
            id="n1",
            person_id=person,
            kind="door",
            subject="d1",
            state="sent",
            priority=Priority.TODO,
            at=now,
            created_at=now,
            told_at=now,
            upto=1,
            msgid=answer.msgid,
            response_code=answer.response_code,
        )
        changed = {**to_doc(notice), **fields}
        await self.store.apply(Put("notices", changed, None))
        return notice

    async def press(self, user: str = "Ann", code: str = "code-memory-1") -> None:
        now = self.clock.now()
        row = Press(
            id=task_of("n1", Millis(1)),
            wecom_user=user,
            key="yes",
            response_code=code,
            pressed_at=now,
            at=now,
        )
        await self.store.apply(Put("presses", to_doc(row), None))

    async def over(self) -> None:
        now = self.clock.now()
        row = Withdrawal(id="door:d1", kind="door", subject="d1", over_at=now, at=now)
        await self.store.apply(Put("withdrawals", to_doc(row), None))

    async def works(self, seconds: float = 0, each_s: float = 1.0) -> None:
        """The process works for so long."""
        await self.cards.step()
        await self.cards.quiet()
        for _ in range(round(seconds / each_s)):
            self.clock.advance(each_s)
            await self.cards.step()
            await self.cards.quiet()

    def pressed(self, outcome: str) -> float | None:
        """How many presses came to this, for operators."""
        return self.registry.get_sample_value("notices_presses_total", {"outcome": outcome})

    async def pressed_rows(self, outcome: str) -> list[Any]:
        """What the audit holds of presses."""
        rows = await self.store.scan("audit")
        return [row for row in rows if row.get("outcome", "done") == outcome]

    async def left(self) -> int:
        rows = [await self.store.scan(name) for name in ("presses", "withdrawals")]
        return sum(map(len, rows))

    def said(self) -> list[str]:
        return [json.loads(one)["button"]["replace_name"] for one in self.wecom.changed]


@pytest.fixture
async def hall(tmp_path: Path) -> Any:
    clock = ManualClock()
    store = SqliteStore(tmp_path / "hall.db", clock=clock)
    await store.open()
    for kind in (*DOCUMENTS, AuditRow):
        await store.ensure(kind.collection)
    yield Hall(store, clock)
    await store.close()


async def test_a_press_is_done_said_on_the_card_and_forgotten(hall: Hall) -> None:
    await hall.sent()
    await hall.press()
    await hall.works()

    assert hall.duty.done == [("ann", "d1", "yes")]
    assert hall.said() == ["done"]
    assert (hall.pressed("said"), hall.pressed("put_off")) == (1, 0)
    assert await hall.left() == 0
    [notice] = await hall.store.scan("notices")
    assert notice["closed_at"] == hall.clock.now()


@pytest.mark.parametrize("what", ["press", "over"])
async def test_a_crash_at_any_moment_loses_nothing_and_does_nothing_twice(
    hall: Hall, what: str
) -> None:
    for moment in range(1, 40):
        hall.wecom, hall.duty = MemoryWeCom(), Doorkeeper()
        await hall.sent()
        await (hall.press() if what == "press" else hall.over())
        fuse = Fuse(moment)
        cards = hall.started(fuse)
        try:
            await cards.step()
            tasks = list(cards._tasks.values())
            for task in tasks:
                await task
        except Crash:
            await cards.stop()
        hall.started(Fuse())
        await hall.works(5)

        assert await hall.left() == 0, moment
        assert len(hall.duty.done) == (what == "press"), moment
        assert len(await hall.store.scan("audit")) == moment * (what == "press"), moment
        assert hall.said() == ["done" if what == "press" else "已处理"], moment
        if fuse.asked < moment:
            return
    raise AssertionError("it never came to an end")


async def test_a_press_of_somebody_else_or_nobody_does_nothing(hall: Hall) -> None:
    await hall.sent()
    for user in ("bob", ""):
        await hall.press(user)
        await hall.works()
    await hall.store.apply(Patch("notices", "n1", {"person_id": "left"}))
    await hall.press("left")
    await hall.works()

    assert (hall.duty.asked, hall.said(), await hall.left()) == (0, [], 0)
    users = {row["detail"]["wecom_user"] for row in await hall.pressed_rows("refused")}
    assert users == {"bob", "", "left"}


@pytest.mark.parametrize(
    "fault", [Retry("no answer"), Paused("too often", 5), Misconfigured("address", 60020)]
)
async def test_while_wecom_does_not_take_it_the_press_is_done_and_the_card_waits(
    hall: Hall, fault: Exception
) -> None:
    await hall.sent()
    await hall.press()
    hall.wecom.failures.append(fault)  # type: ignore[arg-type]
    await hall.works()
    waiting = await hall.left()
    await hall.works(120)

    assert (waiting, hall.duty.asked) == (1, 1)
    assert (hall.said(), await hall.left()) == (["done"], 0)


async def test_a_code_that_was_used_is_as_good_as_an_answer(hall: Hall) -> None:
    await hall.sent()
    await hall.press(code="used")
    await hall.works()
    assert (hall.duty.done != [], hall.said(), await hall.left()) == (True, [], 0)


async def test_what_nobody_knows_is_asked_again_and_given_up_in_the_end(hall: Hall) -> None:
    await hall.sent()
    hall.duty.fault = NotYet(3)
    await hall.press()
    await hall.works(10)
    asked = hall.duty.asked
    hall.duty.fault = ValueError("broken")
    await hall.works(PRESS_GIVEN_UP_MS / 1000 + 60, each_s=10)

    assert 2 <= asked <= 4
    assert (hall.pressed("said"), hall.pressed("given_up")) == (0, 1)
    assert (hall.pressed("put_off") or 0) >= asked
    assert hall.said() == ["未办成，请打开查看"]
    assert await hall.left() == 0
    [row] = await hall.pressed_rows("done")
    assert (row["actor_id"], row["subject"]) == ("ann", "d1")
    assert (row["detail"]["key"], row["detail"]["says"]) == ("yes", "未办成，请打开查看")


async def test_what_was_pressed_says_more_than_that_it_is_over(hall: Hall) -> None:
    await hall.sent()
    await hall.press()
    await hall.over()
    await hall.works(10)

    assert hall.said() == ["done"]
    assert await hall.left() == 0


async def test_a_plain_card_is_recalled_within_a_day_and_left_alone_later(hall: Hall) -> None:
    notice = await hall.sent(buttons=False)
    await hall.over()
    await hall.works()
    recalled = list(hall.wecom.recalled)
    await hall.sent(buttons=False, told_at=hall.clock.now() - 25 * 3_600_000)
    await hall.over()
    await hall.works()

    assert recalled == [notice.msgid] == hall.wecom.recalled
    assert await hall.left() == 0


async def test_a_digest_stays_when_one_of_the_things_it_tells_of_is_over(hall: Hall) -> None:
    await hall.sent(buttons=False, why="digest")
    await hall.over()
    await hall.works()

    assert hall.wecom.recalled == []
    assert await hall.left() == 0


async def test_what_is_on_its_way_is_taken_back_once_it_has_arrived(hall: Hall) -> None:
    await hall.sent(state="sending")
    await hall.over()
    await hall.works(3)
    assert hall.said() == []
    await hall.store.apply(Patch("notices", "n1", {"state": "sent"}))
    await hall.works(40)
    assert hall.said() == ["已处理"]


async def test_a_recall_that_wecom_refuses_is_the_end_of_it(hall: Hall) -> None:
    await hall.sent(buttons=False)
    hall.wecom.failures.append(RefusedByWeCom("too old", 40058))
    await hall.over()
    await hall.works()
    assert (hall.wecom.recalled, await hall.left()) == ([], 0)
