"""A store without a server, and staff files to bring to it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from server import auth
from server.audit import AuditRow
from server.directory import DOCUMENTS, Directory, Person
from server.directory.staff_file import COLUMNS
from server.directory.staff_import import import_staff
from server.nodes import BULLETIN
from server.storage.document import from_doc
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock

ANN = {"工号": "1001", "姓名": "安宁", "账号": "ann", "部门": "内科/心内科", "职务": "护士"}
BOB = {"工号": "1002", "姓名": "鲍博", "账号": "bob", "部门": "内科/心内科", "职务": "主任"}


class Office:
    """A store, and spreadsheets to bring to it."""

    def __init__(self, folder: Path, store: SqliteStore, clock: ManualClock) -> None:
        self.folder, self.store, self.clock = folder, store, clock
        self.file = folder / "staff.xlsx"

    def write(self, *rows: dict[str, Any], columns: list[str] | None = None) -> Path:
        book = Workbook()
        sheet = book.active
        names = columns or list(COLUMNS)
        sheet.append(names)
        for row in rows:
            sheet.append([row.get(name) for name in names])
        book.save(self.file)
        return self.file

    async def bring(self, *rows: dict[str, Any], apply: bool = True, **options: Any) -> int:
        self.write(*rows, **options)
        self.clock.advance(1)
        return await import_staff(self.file, self.store, self.clock, apply)

    async def directory(self) -> Directory:
        directory = Directory()
        await directory.load(self.store)
        return directory

    async def person(self, account: str) -> Person:
        person = (await self.directory()).person(account)
        assert person is not None
        return person

    async def audited(self) -> list[AuditRow]:
        docs = await self.store.scan(AuditRow.collection.name)
        return [from_doc(AuditRow, doc) for doc in docs]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    clock = ManualClock()
    store = SqliteStore(tmp_path / "o.db", clock=clock)
    await store.open()
    for kind in (*DOCUMENTS, *auth.DOCUMENTS, AuditRow):
        await store.ensure(kind.collection)
    await store.ensure(BULLETIN)
    yield Office(tmp_path, store, clock)
    await store.close()
