"""OA ids that a staff file lacks, asked of the OA by employee number, where its build can tell."""

from collections.abc import Iterable
from dataclasses import replace

from server.directory.documents import Person
from server.directory.staff_file import NUMBER, OA, Row, StaffFile
from server.integrations.oa import FindsUsers, RefusedByOA


async def with_oa_ids(file: StaffFile, people: Iterable[Person], oa: FindsUsers) -> StaffFile:
    """The file with what the OA knows in its empty cells. Where the file has no such column, somebody the
    OA does not know keeps the id held now. Raises a kind of `OAError`."""
    if not oa.finds_users:
        raise RefusedByOA("Its interface does not find people by their number.")
    held = {one.employee_number: one.oa_user_id for one in people if OA not in file.columns}
    numbers = dict.fromkeys(row[NUMBER] for row in file.rows if row[NUMBER] and not row[OA])
    found = {number: await oa.user_of(number) or held.get(number, "") for number in numbers}

    def filled(row: Row) -> Row:
        told = row[OA] or found.get(row[NUMBER], "")
        return replace(row, cells={**row.cells, OA: told})

    return replace(file, columns=file.columns | {OA}, rows=[filled(row) for row in file.rows])
