"""What a staff file would change: everybody checked row by row and compared with who is known.

The file is the truth about people with an employee number: who is not in it has left. Columns that it
lacks, and people without an employee number, are left as they are; so is a WeCom id where the cell is
empty, since people prove theirs and syncs make them, unless the file gives it to somebody else.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import msgspec

from server.auth import Role
from server.directory.documents import Department, Person, Post
from server.directory.staff_file import (
    ACCOUNT,
    DEPARTMENT,
    EMAIL,
    MOBILE,
    NAME,
    NUMBER,
    OA,
    OA_DEPARTMENT,
    OFFICE_PHONE,
    REQUIRED,
    ROLES,
    TITLE,
    WECOM,
    Fault,
    Row,
    StaffFile,
)

ROLE_NAMES: Final = {
    "员工": Role.STAFF,
    "负责人": Role.LEADER,
    "栏目编辑": Role.SECTION_EDITOR,
    "系统管理员": Role.SYSTEM_ADMIN,
    "安全管理员": Role.SECURITY_ADMIN,
    "审计管理员": Role.AUDIT_ADMIN,
}
ADMINISTRATORS: Final = {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}
FIELDS: Final = {
    NAME: "name",
    NUMBER: "employee_number",
    OFFICE_PHONE: "office_phone",
    MOBILE: "mobile",
    EMAIL: "email",
    WECOM: "wecom_user_id",
    OA: "oa_user_id",
}
UNIQUE: Final = (ACCOUNT, WECOM, OA)
SHAPES: Final = {
    NUMBER: (re.compile(r"[0-9A-Za-z_-]{1,32}"), "只能是字母、数字、- 和 _，最多 32 位"),
    ACCOUNT: (re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,63}"), "只能是字母、数字和 . _ @ -"),
    NAME: (re.compile(r".{1,60}"), "最多 60 个字"),
    TITLE: (re.compile(r".{1,60}"), "最多 60 个字"),
    OFFICE_PHONE: (re.compile(r"[0-9+() -]{3,24}"), "只能是数字、空格、- 和括号"),
    MOBILE: (re.compile(r"\+?[0-9 -]{7,20}"), "只能是数字、空格和 -，7 到 20 位"),
    EMAIL: (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "要像 name@hospital.example"),
    WECOM: (re.compile(r"[0-9A-Za-z._@-]{1,64}"), "只能是字母、数字和 . _ @ -"),
    OA: (re.compile(r"[0-9]{1,10}"), "只能是数字"),
    OA_DEPARTMENT: (re.compile(r"[1-9][0-9]{0,9}"), "只能是数字"),
}
DEEPEST: Final = 10
SEPARATORS: Final = re.compile(r"[、,，;；\s]+")


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody whose data differ, and in what."""

    before: Person
    after: Person
    fields: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """What applying the file would do. With faults nothing may be applied."""

    faults: list[Fault] = field(default_factory=list)
    departments: list[Department] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    """The OA's numbers of departments that are told anew, by the department's id."""
    new: list[Person] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    retired: list[Person] = field(default_factory=list)
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.departments or self.numbers or self.new or self.changed or self.retired)


def make_plan(file: StaffFile, people: Iterable[Person], departments: Iterable[Department]) -> Plan:
    """Compare a file with everybody known, retired people included."""
    return _Planner(file, list(people), list(departments)).plan()


class _Planner:
    def __init__(
        self, file: StaffFile, people: list[Person], departments: list[Department]
    ) -> None:
        self._file = file
        self._people = people
        self._by_number = {p.employee_number: p for p in people if p.employee_number}
        self._by_account = {p.id.casefold(): p for p in people}
        self._departments = departments
        self._tree = _Paths(departments)
        self._given_wecom = {row[WECOM].casefold() for row in file.rows if row[WECOM]}
        self._plan = Plan(faults=list(file.faults))
        self._unread = {(fault.row, fault.column) for fault in file.faults}

    def plan(self) -> Plan:
        groups: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._file.rows:
            self._check_cells(row)
            if row[NUMBER]:
                groups[row[NUMBER]].append(row)
        self._check_unique(groups)
        for number, rows in groups.items():
            self._plan_person(self._by_number.get(number), rows)
        self._plan_leaving(groups.keys())
        self._plan_numbers()
        self._plan.departments = self._tree.new
        self._plan.faults.sort(key=lambda fault: (fault.row, fault.column))
        return self._plan

    def _fault(self, row: Row, column: str, what: str, remedy: str) -> None:
        self._plan.faults.append(Fault(row.number, column, what, remedy))

    # Checking

    def _check_cells(self, row: Row) -> None:
        for column in REQUIRED:
            if not row[column] and (row.number, column) not in self._unread:
                self._fault(row, column, "是空的", "请填写")
        for column, (shape, rule) in SHAPES.items():
            if row[column] and not shape.fullmatch(row[column]):
                self._fault(row, column, f"“{row[column][:30]}”不合要求", rule)
        parts = [part.strip() for part in row[DEPARTMENT].split("/")]
        if row[DEPARTMENT] and not (
            len(parts) <= DEEPEST and all(0 < len(part) <= 60 for part in parts)
        ):
            self._fault(row, DEPARTMENT, "路径不合要求", "每级 1 到 60 个字，用 / 分隔，最多 10 级")
        for name in _role_names(row):
            if name not in ROLE_NAMES:
                self._fault(row, ROLES, f"没有角色“{name[:20]}”", f"可用：{'、'.join(ROLE_NAMES)}")

    def _check_unique(self, groups: dict[str, list[Row]]) -> None:
        """A value that names one person must not name two, in the file or with those who stay."""
        in_file: dict[tuple[str, str], str] = {}
        for number, rows in groups.items():
            for row in rows:
                for column in UNIQUE:
                    key = (column, row[column].casefold())
                    if row[column] and in_file.setdefault(key, number) != number:
                        what = f"“{row[column]}”与工号 {in_file[key]} 重复"
                        self._fault(row, column, what, "每人一个，请改正其中一个")
        for person in self._people:
            if person.employee_number:
                continue
            for column, value in ((WECOM, person.wecom_user_id), (OA, person.oa_user_id)):
                holder = in_file.get((column, value.casefold())) if value else None
                if holder and groups[holder][0][ACCOUNT].casefold() != person.id.casefold():
                    what = f"“{value}”已属于账号 {person.id}"
                    self._fault(groups[holder][0], column, what, "请改正")

    def _check_same(self, rows: list[Row]) -> None:
        """The rows of one person differ in post only; further rows may leave the rest empty."""
        for row in rows[1:]:
            for column in (NAME, ACCOUNT, OFFICE_PHONE, MOBILE, EMAIL, WECOM, OA):
                if row[column] and row[column] != rows[0][column]:
                    what = f"与第 {rows[0].number} 行同一工号的内容不同"
                    self._fault(row, column, what, "同一工号须一致，只有部门、职务和角色可以不同")

    # Comparing

    def _plan_person(self, known: Person | None, rows: list[Row]) -> None:
        first = rows[0]
        self._check_same(rows)
        holder = self._by_account.get(first[ACCOUNT].casefold())
        if known is not None and first[ACCOUNT].casefold() != known.id.casefold():
            self._fault(first, ACCOUNT, f"工号 {first[NUMBER]} 的账号是 {known.id}", "账号不能更改")
            return
        if known is None and holder is not None:
            if holder.employee_number:
                what = f"“{first[ACCOUNT]}”已属于工号 {holder.employee_number}"
                self._fault(first, ACCOUNT, what, "账号不会再给别人，请另取一个")
                return
            known = holder
        roles = self._roles(first, rows)
        if self._plan.faults:
            return
        after = self._person(known, first, rows, roles)
        if known is None:
            self._plan.new.append(after)
        elif changed := _differences(known, after):
            self._plan.changed.append(Change(known, after, changed))
        else:
            self._plan.unchanged += 1

    def _roles(self, first: Row, rows: list[Row]) -> tuple[Role, ...]:
        names = {name for row in rows for name in _role_names(row)}
        held = {Role.STAFF} | {ROLE_NAMES[name] for name in names if name in ROLE_NAMES}
        if len(held & ADMINISTRATORS) > 1:
            self._fault(first, ROLES, "兼任两种管理员", "三员分立：每人最多一种管理员")
        return tuple(role for role in Role if role in held)

    def _person(
        self, known: Person | None, first: Row, rows: list[Row], roles: tuple[Role, ...]
    ) -> Person:
        given: dict[str, Any] = {
            attribute: first[column]
            for column, attribute in FIELDS.items()
            if column in self._file.columns
        }
        given["posts"] = tuple(self._posts(rows))
        if ROLES in self._file.columns or known is None:
            given["roles"] = roles
        else:
            leading = {p.department_id for p in known.posts if p.leads}
            given["posts"] = tuple(
                msgspec.structs.replace(post, leads=post.department_id in leading)
                for post in given["posts"]
            )
        if known is not None and not first[WECOM] and self._keeps_wecom(known):
            given["wecom_user_id"] = known.wecom_user_id
        before = known or Person(id=first[ACCOUNT], name=first[NAME])
        return msgspec.structs.replace(before, retired_at=None, **given)

    def _keeps_wecom(self, person: Person) -> bool:
        return person.wecom_user_id.casefold() not in self._given_wecom

    def _posts(self, rows: list[Row]) -> Iterator[Post]:
        for row in rows:
            yield Post(
                department_id=self._tree.find_or_make(row[DEPARTMENT]),
                title=row[TITLE],
                leads="负责人" in _role_names(row),
            )

    def _plan_leaving(self, numbers: Iterable[str]) -> None:
        staying = set(numbers)
        self._plan.retired = [
            person
            for number, person in self._by_number.items()
            if number not in staying and not person.is_retired
        ]

    def _plan_numbers(self) -> None:
        """A department has one number in the OA, and a number one department."""
        rows = [row for row in self._file.rows if row[OA_DEPARTMENT]]
        if self._plan.faults or not rows:
            return
        before = {d.id: d.oa_department_id for d in self._departments if d.oa_department_id}
        told: dict[str, str] = {}
        for row in rows:
            id = self._tree.find_or_make(row[DEPARTMENT])
            if told.setdefault(id, row[OA_DEPARTMENT]) != row[OA_DEPARTMENT]:
                self._fault(row, OA_DEPARTMENT, "与同一部门的其他行不同", "每个部门一个编号")
        holders: dict[str, str] = {}
        for id, number in (before | told).items():
            if holders.setdefault(number, id) != id:
                row = next(row for row in rows if row[OA_DEPARTMENT] == number)
                self._fault(row, OA_DEPARTMENT, f"“{number}”已属于另一个部门", "请改正")
        self._plan.numbers = {id: n for id, n in told.items() if before.get(id) != n}


class _Paths:
    """Departments by the path of their names; those that are missing are made."""

    def __init__(self, departments: list[Department]) -> None:
        self.new: list[Department] = []
        self._ids = {d.id for d in departments}
        self._children = {(d.parent_id, d.name): d.id for d in departments if not d.is_retired}
        self._last = max((d.order for d in departments), default=0)

    def find_or_make(self, path: str) -> str:
        parent: str | None = None
        so_far: list[str] = []
        for name in (part.strip() for part in path.split("/")):
            so_far.append(name)
            found = self._children.get((parent, name))
            parent = found if found is not None else self._make(parent, name, "/".join(so_far))
        assert parent is not None, "a path has at least one part"
        return parent

    def _make(self, parent: str | None, name: str, path: str) -> str:
        """The id comes from the path, so that a repeated import makes the same department."""
        id = "d" + blake2b(path.encode(), digest_size=8).hexdigest()
        while id in self._ids:
            id += "x"
        self._last += 1
        self._ids.add(id)
        self._children[parent, name] = id
        self.new.append(Department(id=id, name=name, parent_id=parent, order=self._last))
        return id


def _role_names(row: Row) -> list[str]:
    return [name for name in SEPARATORS.split(row[ROLES]) if name]


def _differences(before: Person, after: Person) -> tuple[str, ...]:
    return tuple(
        name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)
    )
