"""OA ids that a staff file lacks, asked of the OA."""

import pytest

from server.directory import Person
from server.directory.staff_file import NUMBER, OA, Row, StaffFile
from server.directory.staff_import import import_staff
from server.directory.staff_oa import with_oa_ids
from server.integrations.oa import OAError, RefusedByOA, Unreachable
from tests.directory.staff_office import ANN, BOB, Office, office

__all__ = ["office"]


class Knows:
    """An OA that knows some people."""

    def __init__(self, **ids: str) -> None:
        self.ids = ids
        self.asked: list[str] = []
        self.finds_users = True
        self.failure: OAError | None = None

    async def user_of(self, employee_number: str) -> str | None:
        self.asked.append(employee_number)
        if self.failure is not None:
            raise self.failure
        return self.ids.get(f"n{employee_number}")


def staff(*rows: dict[str, str], columns: tuple[str, ...] = (NUMBER, OA)) -> StaffFile:
    return StaffFile(frozenset(columns), [Row(n, row) for n, row in enumerate(rows, 2)], [])


async def test_only_what_is_missing_is_asked_and_once_each() -> None:
    oa = Knows(n1="11", n2="22")
    file = staff({NUMBER: "1"}, {NUMBER: "1"}, {NUMBER: "2", OA: "9"}, {NUMBER: "3"}, {OA: ""})
    filled = await with_oa_ids(file, [], oa)
    assert [row[OA] for row in filled.rows] == ["11", "11", "9", "", ""]
    assert oa.asked == ["1", "3"]


async def test_somebody_the_oa_does_not_know_keeps_an_id_no_column_takes_away() -> None:
    known = [Person(id="ann", name="安宁", employee_number="1", oa_user_id="5")]
    without = await with_oa_ids(staff({NUMBER: "1"}, columns=(NUMBER,)), known, Knows())
    with_column = await with_oa_ids(staff({NUMBER: "1"}), known, Knows())
    assert (without.rows[0][OA], with_column.rows[0][OA]) == ("5", "")
    assert OA in without.columns


async def test_an_oa_that_cannot_tell_is_refused_in_words() -> None:
    oa = Knows()
    oa.finds_users = False
    with pytest.raises(RefusedByOA):
        await with_oa_ids(staff({NUMBER: "1"}), [], oa)


async def test_ids_from_the_oa_are_imported_like_any_other(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    oa = Knows(n1001="7")
    file = office.write(ANN, BOB)
    assert await import_staff(file, office.store, office.clock, True, oa) == 0
    assert (await office.person("ann")).oa_user_id == "7"
    assert (await office.person("bob")).oa_user_id == ""

    oa.failure = Unreachable("nobody there")
    assert await import_staff(file, office.store, office.clock, True, oa) == 1
    assert "未导入" in capsys.readouterr().out
