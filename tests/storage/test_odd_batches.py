"""The store against its promises."""

from pathlib import Path

from server.outbox import Owed, coming
from server.storage import Insert
from server.storage.document import to_doc
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock


async def test_a_row_due_behind_many_is_found(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db", clock=ManualClock())
    await store.open()
    await store.ensure(Owed.collection)
    for start in range(0, 12_000, 3_000):
        await store.apply(
            *(
                Insert(
                    "owed",
                    to_doc(Owed(id=f"k:{n}", kind="k", subject=f"{n}", at=1, due_at=n, data={})),  # type: ignore[arg-type]
                )
                for n in range(start, start + 3_000)
            )
        )
    rows = await coming(store, 2**53)
    await store.close()
    assert len(rows) == 12_000
