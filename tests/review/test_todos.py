"""The badge of documents against P9."""

from pathlib import Path
from typing import Any

import pytest

from server.features import todos
from server.features.todos.arrivals import Arrivals
from server.integrations.oa import Item
from server.integrations.oa.mirror import Seen, Worklist
from tests.features.office import open_office

not_kept_yet = pytest.mark.xfail(strict=False, reason="the promise is not kept yet")


def item(number: str) -> Item:
    return Item(
        item_id=number, request_id=number, title=number, creator_name="x", received_at=None,
        urgency="normal", node="", source="",
    )  # fmt: skip


class Seeing:
    def __init__(self) -> None:
        self.now: Seen | None = None
        self.meanwhile: Any = None

    async def seen(self, person_id: str) -> Seen | None:
        if self.meanwhile is not None:
            found, act, self.meanwhile = self.now, self.meanwhile, None
            await act()
            return found
        return self.now


@not_kept_yet
async def test_opening_while_another_arrives_leaves_the_right_number(tmp_path: Path) -> None:
    worklist = Seeing()
    async with open_office(tmp_path, [todos.feature], {Worklist: worklist}) as office:
        arrivals = Arrivals(office.store, office.hub, office.clock, office.settings)
        ann = await office.client("ann")

        def seen(*ids: str) -> Seen:
            items = tuple(map(item, ids))
            return Seen(items=items, count=len(ids), as_of=office.clock.now(), complete=True)

        async def arrive(*ids: str) -> None:
            before = {i.request_id for i in (worklist.now.items if worklist.now else ())}
            new = seen(*ids)
            await arrivals.changed(
                "ann", new, tuple(i for i in new.items if i.request_id not in before), (), False
            )
            worklist.now = new

        await arrive("1")
        worklist.meanwhile = lambda: arrive("1", "2")
        await ann.ask("todos.opened", request_id="1")

        assert ann.told("todos.counted")[-1]["unread"] == 1


@not_kept_yet
async def test_arrival_while_opening_leaves_the_right_number(tmp_path: Path) -> None:
    worklist = Seeing()
    async with open_office(tmp_path, [todos.feature], {Worklist: worklist}) as office:
        ann = await office.client("ann")

        def seen(*ids: str) -> Seen:
            items = tuple(map(item, ids))
            return Seen(items=items, count=len(ids), as_of=office.clock.now(), complete=True)

        store: Any = office.store

        class Slow:
            calls = 0

            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

            async def apply(self, *ops: Any, **named: Any) -> Any:
                if Slow.calls == 1:
                    Slow.calls = 2
                    await ann.ask("todos.opened", request_id="1")
                return await store.apply(*ops, **named)

        arrivals = Arrivals(Slow(), office.hub, office.clock, office.settings)  # type: ignore[arg-type]
        await arrivals.changed("ann", seen("1"), (item("1"),), (), False)
        worklist.now = seen("1")
        Slow.calls = 1
        await arrivals.changed("ann", seen("1", "2"), (item("2"),), (), False)

        assert ann.told("todos.counted")[-1]["unread"] == 1
