"""Departments as WeCom has them, laid over ours: which are the same, which are new, moved or closed.

A department is known again by its number in WeCom, and the first time by its name below the same parent.
WeCom's root is the hospital itself, which is no department here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from server.directory.documents import Department
from server.directory.wecom_plan import Change, Conflicts, Reading, differing
from server.integrations.wecom.contacts import ROOT, Party

FIELDS: Final = ("name", "parent_id", "order", "wecom_party_id")
DEEPEST: Final = 50


@dataclass(slots=True)
class TreePlan:
    """`place` says which department of ours a party is; None is the hospital itself."""

    new: list[Department] = field(default_factory=list)
    changed: list[Change[Department]] = field(default_factory=list)
    gone: list[Department] = field(default_factory=list)
    """Linked departments that WeCom knows no more; whether they can be closed, the people in them decide."""
    place: dict[int, str | None] = field(default_factory=dict)
    after: dict[str, Department] = field(default_factory=dict)
    """All departments there will be, those that are gone included."""
    linked: int = 0


def plan_tree(
    departments: Iterable[Department], reading: Reading, conflicts: Conflicts
) -> TreePlan:
    """Compare; nothing is stored."""
    return _TreePlanner(list(departments), reading, conflicts).plan()


class _TreePlanner:
    def __init__(
        self, departments: list[Department], reading: Reading, conflicts: Conflicts
    ) -> None:
        self._before = {d.id: d for d in departments if not d.is_retired}
        self._ids = {d.id for d in departments}
        self._by_party = {d.wecom_party_id: d for d in self._before.values() if d.wecom_party_id}
        self._reading = reading
        self._conflicts = conflicts
        self._after = dict(self._before)
        self._free = {
            (d.parent_id, d.name): d for d in self._before.values() if not d.wecom_party_id
        }
        self._plan = TreePlan(linked=len(self._by_party))
        self._last = max((d.order for d in self._before.values()), default=0)

    def plan(self) -> TreePlan:
        place = self._plan.place
        gone = self._reading.gone_parties
        place |= {number: d.id for number, d in self._by_party.items() if number not in gone}
        place[ROOT] = None
        ranks = _ranks(self._reading.parties) if self._reading.is_whole else {}
        for party in _parents_first(self._reading.parties):
            if party.id != ROOT:
                self._lay(party, ranks.get(party.id))
        self._mend()
        for number in [n for n, id in place.items() if id is not None and id not in self._after]:
            del place[number]
        for id, after in self._after.items():
            before = self._before.get(id)
            if before is None:
                self._plan.new.append(after)
            elif changed := differing(before, after, FIELDS):
                self._plan.changed.append(Change(before, after, changed))
        self._plan.gone = [
            d for number, d in self._by_party.items() if number in self._reading.gone_parties
        ]
        self._plan.after = self._after
        return self._plan

    def _lay(self, party: Party, rank: int | None) -> None:
        known = self._by_party.get(party.id)
        place = self._plan.place
        if known is not None:
            parent = place.get(party.parent_id, known.parent_id)
        elif party.parent_id in place:
            parent = place[party.parent_id]
        else:
            parent = None  # its parent is out of sight: it stands at the top
        known = known or self._free.pop((parent, party.name), None)
        if known is None:
            known = Department(id=self._new_id(party.id), name=party.name, order=self._following())
        after = msgspec.structs.replace(
            known,
            name=party.name or known.name,
            parent_id=parent,
            order=known.order if rank is None else rank,
            wecom_party_id=party.id,
        )
        self._after[after.id] = after
        place[party.id] = after.id

    def _following(self) -> int:
        self._last += 1
        return self._last

    def _new_id(self, number: int) -> str:
        id = f"wecom-{number}"
        while id in self._ids:
            id += "x"
        self._ids.add(id)
        return id

    def _mend(self) -> None:
        """Take back what would make two of one name below one parent, or a department without a way up."""
        while spoiled := self._spoiled():
            for id in spoiled:
                after, before = self._after.pop(id), self._before.get(id)
                self._conflicts.add("department_name", f"{after.name} ({after.wecom_party_id})")
                if before is not None:
                    self._after[id] = before

    def _spoiled(self) -> list[str]:
        namesakes: defaultdict[tuple[str | None, str], list[str]] = defaultdict(list)
        for department in self._after.values():
            namesakes[department.parent_id, department.name].append(department.id)
        twice = {id for ids in namesakes.values() if len(ids) > 1 for id in ids}
        return [
            id
            for id in self._after
            if self._moved(id) and (id in twice or not self._reaches_the_top(id))
        ]

    def _moved(self, id: str) -> bool:
        before, after = self._before.get(id), self._after[id]
        return before is None or (before.parent_id, before.name) != (after.parent_id, after.name)

    def _reaches_the_top(self, id: str) -> bool:
        for _ in range(DEEPEST):
            parent = self._after[id].parent_id
            if parent is None:
                return True
            if parent not in self._after:
                return False
            id = parent
        return False


def _parents_first(parties: Iterable[Party]) -> list[Party]:
    """Each after its parent, as far as it has one in sight; what hangs in a ring comes as it stands."""
    waiting = {party.id: party for party in parties}
    ordered: list[Party] = []
    while waiting:
        ready = [p for p in waiting.values() if p.parent_id not in waiting or p.parent_id == p.id]
        for party in ready or list(waiting.values()):
            ordered.append(waiting.pop(party.id))
    return ordered


def _ranks(parties: Iterable[Party]) -> Mapping[int, int]:
    """WeCom puts higher orders first, we lower ones: places among the siblings."""
    siblings: defaultdict[int, list[Party]] = defaultdict(list)
    for party in parties:
        siblings[party.parent_id].append(party)
    return {
        party.id: rank
        for brothers in siblings.values()
        for rank, party in enumerate(sorted(brothers, key=lambda p: (-p.order, p.id)))
    }
