"""The hospital's departments as a tree, with who belongs where.

Built whole from the departments and the people at hand: a few milliseconds for a hospital, so it is
made anew when something changed and asked for, rather than kept up to date piece by piece.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from server.directory.documents import Department, Person
from server.directory.names import NameIndex, normalised


@dataclass(frozen=True, slots=True)
class Branch:
    """A department with how many people it has, those of its sub-departments included."""

    department: Department
    people_count: int


class Tree:
    """Departments in the order of the hospital: each one after its parent, siblings by `order`."""

    def __init__(self, departments: Iterable[Department], people: Iterable[Person]) -> None:
        known = {department.id: department for department in departments}
        self._children: defaultdict[str | None, list[Department]] = defaultdict(list)
        for department in sorted(known.values(), key=lambda d: (d.order, d.id)):
            parent = department.parent_id if department.parent_id in known else None
            self._children[parent].append(department)
        self._direct: defaultdict[str, set[str]] = defaultdict(set)
        for person in people:
            for post in person.posts:
                self._direct[post.department_id].add(person.id)
        self._names = NameIndex()
        self._below: dict[str, frozenset[str]] = {}
        self._branches: list[Branch] = []
        for top in self._children[None]:
            self._grow(top, frozenset())

    def _grow(self, department: Department, above: frozenset[str]) -> set[str]:
        place = len(self._branches)
        self._names.add(place, department.name)
        self._branches.append(Branch(department, 0))
        people = set(self._direct[department.id])
        for child in self._children[department.id]:
            if child.id not in above:
                people |= self._grow(child, above | {department.id})
        self._below[department.id] = frozenset(people)
        self._branches[place] = Branch(department, len(people))
        return people

    @property
    def branches(self) -> list[Branch]:
        """All departments, each after its parent."""
        return self._branches

    def search(self, query: str, limit: int) -> list[Branch]:
        """Departments by name, pinyin or initials, the best match first."""
        text = normalised(query)
        best: dict[int, int] = {}
        for rank, places in self._names.hits(text) if text else ():
            for place in places:
                best[place] = min(rank, best.get(place, rank))
        found = sorted(best, key=lambda place: (best[place], place))
        return [self._branches[place] for place in found[:limit]]

    def members(self, department_id: str, *, below: bool) -> set[str]:
        """Ids of the people of a department, with those of its sub-departments or without."""
        return set(self.below(department_id) if below else self._direct.get(department_id, ()))

    def below(self, department_id: str) -> frozenset[str]:
        """Ids of the people of a department and of its sub-departments."""
        return self._below.get(department_id, frozenset())
