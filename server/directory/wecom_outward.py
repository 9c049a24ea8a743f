"""What the directory would change in WeCom's contacts: a pure comparison, the other way round.

WeCom gets the departments in which somebody works, and the people who work here; what it has besides is
left alone. Somebody there is one of ours by the WeCom user id in the directory, and by nothing else.
Members are deleted there when they have left here, and only those whom a sync has met before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from server.directory.documents import Department, Person
from server.directory.wecom_plan import Change, Conflict, Conflicts, Reading, Removal, folded
from server.integrations.wecom.contacts import ROOT, Member, Party

HIGHEST_ORDER: Final = 1_000_000
"""WeCom puts higher orders first."""
NAME_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """A member as the directory wants one; departments of ours, whose numbers in WeCom may be yet unknown.
    `fields` says what differs, for the report; of somebody new, nothing."""

    person: Person
    department_ids: tuple[str, ...]
    title: str
    leads: frozenset[str]
    fields: tuple[str, ...] = ()

    def member(self, party_of: dict[str, int], user_id: str) -> Member:
        """The member to write, now that every department has its number."""
        parties = tuple(party_of[id] for id in self.department_ids if id in party_of) or (ROOT,)
        return Member(
            user_id=user_id,
            name=self.person.name[:NAME_LENGTH],
            party_ids=parties,
            main_party=parties[0],
            title=self.title,
            leads=frozenset(party_of[id] for id in self.leads if id in party_of),
            number=self.person.employee_number,
            mobile=self.person.mobile,
        )


@dataclass(slots=True)
class OutwardPlan:
    """What applying would do, in this order. Departments come after their parents."""

    linked: list[tuple[Department, int]] = field(default_factory=list)
    """Known again by name below the same parent."""
    new_parties: list[Department] = field(default_factory=list)
    changed_parties: list[Change[Department]] = field(default_factory=list)
    new: list[Wanted] = field(default_factory=list)
    changed: list[Wanted] = field(default_factory=list)
    met: list[Person] = field(default_factory=list)
    leaving: list[tuple[Person, str]] = field(default_factory=list)
    closing: list[tuple[Department, int]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    removal: Removal = field(default_factory=Removal)
    party_of: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    foreign: int = 0
    """Members of WeCom's who are nobody here, and are left alone."""

    @property
    def is_empty(self) -> bool:
        acts = (self.linked, self.new_parties, self.changed_parties, self.new, self.changed)
        return not (any(acts) or self.met or self.leaving or self.closing)


def plan_outward(
    people: Iterable[Person], departments: Iterable[Department], reading: Reading
) -> OutwardPlan:
    """Compare everybody known, retired people and closed departments included, with the whole of WeCom."""
    assert reading.is_whole, "what is not read whole must not be written to"
    return _Planner(list(people), list(departments), reading).plan()


class _Planner:
    def __init__(
        self, people: list[Person], departments: list[Department], reading: Reading
    ) -> None:
        self._people = people
        self._departments = {d.id: d for d in departments}
        self._reading = reading
        self._parties = {party.id: party for party in reading.parties}
        self._members = {folded(m.user_id): m for m in reading.members if not m.has_left}
        self._conflicts = Conflicts()
        self._plan = OutwardPlan()
        self._blocked: set[str] = set()
        active = [p for p in people if not p.is_retired]
        self._active = sorted(active, key=lambda p: p.id)
        self._mine = {folded(p.wecom_user_id) for p in active if p.wecom_user_id}

    def plan(self) -> OutwardPlan:
        self._plan_parties()
        self._plan_people()
        self._plan_leaving()
        self._plan_closing()
        plan = self._plan
        met = [p for p in self._active if p.wecom_user_id and _was_met(p)]
        plan.removal = Removal(
            people=len(plan.leaving),
            of_people=len(met) + len(plan.leaving),
            departments=len(plan.closing),
            of_departments=len(plan.party_of) + len(plan.closing),
        )
        plan.conflicts = list(self._conflicts.found)
        return plan

    # Departments

    def _plan_parties(self) -> None:
        by_name = {(p.parent_id, p.name): p.id for p in self._parties.values()}
        linked = {d.wecom_party_id for d in self._departments.values() if d.wecom_party_id}
        for department in self._staffed():
            parent = self._parent_of(department)
            number = department.wecom_party_id
            if number in self._reading.hidden_parties:
                self._conflicts.add("department_hidden", department.name, str(number))
                self._blocked.add(department.id)
            elif number in self._parties:
                self._plan.party_of[department.id] = number
                self._compare_party(department, self._parties[number], parent)
            elif department.parent_id in self._blocked:
                self._blocked.add(department.id)
                self._conflicts.add("department_hidden", department.name)
            elif (same := by_name.get((parent, department.name), 0)) and same not in linked:
                self._plan.party_of[department.id] = same
                self._plan.linked.append((department, same))
            else:
                self._plan.new_parties.append(department)

    def _staffed(self) -> list[Department]:
        """Those with somebody in or below them, each after its parent."""
        needed: set[str] = set()
        for person in self._active:
            for post in person.posts:
                id: str | None = post.department_id
                while id is not None and id not in needed and id in self._departments:
                    needed.add(id)
                    id = self._departments[id].parent_id
        open_ = [d for d in self._departments.values() if d.id in needed and not d.is_retired]
        return sorted(open_, key=lambda d: (self._depth(d), d.order, d.id))

    def _depth(self, department: Department) -> int:
        above: set[str] = set()
        parent = department.parent_id
        while parent is not None and parent in self._departments and parent not in above:
            above.add(parent)
            parent = self._departments[parent].parent_id
        return len(above)

    def _parent_of(self, department: Department) -> int:
        """The number of its parent in WeCom; 0 while that has none."""
        if department.parent_id is None or department.parent_id not in self._departments:
            return ROOT
        return self._plan.party_of.get(department.parent_id, 0)

    def _compare_party(self, department: Department, party: Party, parent: int) -> None:
        fields = [
            name
            for name, ours, theirs in (
                ("name", department.name, party.name),
                ("parent_id", parent, party.parent_id),
                ("order", HIGHEST_ORDER - department.order, party.order),
            )
            if ours != theirs
        ]
        if fields:
            self._plan.changed_parties.append(Change(department, department, tuple(fields)))

    # People

    def _plan_people(self) -> None:
        strangers = [m for id, m in self._members.items() if id not in self._mine]
        numbers = {m.number: m for m in strangers if m.number}
        phones = {m.mobile: m for m in strangers if m.mobile}
        namesakes: defaultdict[tuple[str, int], list[Member]] = defaultdict(list)
        for member in strangers:
            for party in member.party_ids:
                namesakes[member.name, party].append(member)
        newcomers: list[Wanted] = []
        for person in self._active:
            wanted = self._wanted(person)
            found = self._members.get(folded(person.wecom_user_id or person.id))
            if person.wecom_user_id and found is not None:
                self._compare(wanted, found)
                continue
            like = numbers.get(person.employee_number or "-")
            if found is None and not person.wecom_user_id and folded(person.id) in self._mine:
                self._conflicts.add("same_account", _shown(person), person.id)
            elif found is not None:
                self._conflicts.add("same_account", _shown(person), _of(found))
            elif folded(person.wecom_user_id or person.id) in self._reading.hidden:
                self._conflicts.add("hidden", _shown(person), person.wecom_user_id or person.id)
            elif like is not None:
                self._conflicts.add("same_number", _shown(person), _of(like))
            elif person.mobile and person.mobile in phones:
                self._conflicts.add("same_phone", _shown(person), _of(phones[person.mobile]))
            elif (namesake := self._namesake(wanted, namesakes)) is not None:
                self._conflicts.add("same_name", _shown(person), _of(namesake))
            else:
                newcomers.append(wanted)
        self._take_in(newcomers)

    def _namesake(
        self, wanted: Wanted, namesakes: dict[tuple[str, int], list[Member]]
    ) -> Member | None:
        """A stranger of the same name in one of the departments."""
        parties = [self._plan.party_of.get(id, 0) for id in wanted.department_ids] or [ROOT]
        found = (m for party in parties for m in namesakes[wanted.person.name, party])
        return next(found, None)

    def _take_in(self, newcomers: list[Wanted]) -> None:
        phones = Counter(w.person.mobile for w in newcomers if w.person.mobile)
        for wanted in newcomers:
            person = wanted.person
            if person.mobile and phones[person.mobile] > 1:
                self._conflicts.add("same_phone", _shown(person), "院信里的另一人")
            elif not person.mobile and not person.email:
                self._conflicts.add("no_contact", _shown(person))
            else:
                self._plan.new.append(wanted)

    def _wanted(self, person: Person, fields: tuple[str, ...] = ()) -> Wanted:
        posts = [p for p in person.posts if p.department_id not in self._blocked]
        return Wanted(
            person=person,
            department_ids=tuple(dict.fromkeys(post.department_id for post in posts)),
            title=person.posts[0].title if person.posts else "",
            leads=frozenset(post.department_id for post in posts if post.leads),
            fields=fields,
        )

    def _compare(self, wanted: Wanted, member: Member) -> None:
        person = wanted.person
        if not _was_met(person) and member.name != person.name:
            self._conflicts.add("name_differs", _of(member), _shown(person))
            return
        if member.number and person.employee_number not in ("", member.number):
            self._conflicts.add("number_differs", _of(member), _shown(person))
            return
        fields = tuple(self._differing(wanted, member))
        if fields:
            self._plan.changed.append(self._wanted(person, fields))
        elif not _was_met(person):
            self._plan.met.append(person)
        else:
            self._plan.unchanged += 1

    def _differing(self, wanted: Wanted, member: Member) -> Iterator[str]:
        made = wanted.member(self._plan.party_of, member.user_id)
        is_placed = all(id in self._plan.party_of for id in wanted.department_ids)
        # Departments that the app must not see are WeCom's business.
        theirs = {party for party in member.party_ids if party in self._parties or party == ROOT}
        if made.name != member.name:
            yield "name"
        if not is_placed or set(made.party_ids) != theirs:
            yield "posts"
        elif made.title != member.title or made.leads != member.leads:
            yield "title"

    def _plan_leaving(self) -> None:
        left = {
            folded(p.wecom_seen_id): p for p in self._people if p.is_retired and p.wecom_seen_id
        }
        for id, member in sorted(self._members.items()):
            if id in self._mine:
                continue
            if id in left:
                self._plan.leaving.append((left[id], member.user_id))
            else:
                self._plan.foreign += 1

    def _plan_closing(self) -> None:
        """Numbered departments in which nobody works any more here, from the leaves up."""
        going = {user_id for _, user_id in self._plan.leaving}
        staying = Counter(
            party
            for member in self._reading.members
            if member.user_id not in going and folded(member.user_id) not in self._mine
            for party in member.party_ids
        )
        wanted = set(self._plan.party_of) | self._blocked
        waiting = [
            d
            for d in self._departments.values()
            if d.wecom_party_id in self._parties and d.id not in wanted
        ]
        left = dict(self._parties)
        while waiting:
            parents = {party.parent_id for party in left.values()}
            leaves = [
                d
                for d in waiting
                if d.wecom_party_id not in parents and not staying[d.wecom_party_id]
            ]
            if not leaves:
                break
            for department in leaves:
                waiting.remove(department)
                del left[department.wecom_party_id]
                self._plan.closing.append((department, department.wecom_party_id))
        for department in waiting:
            others = str(staying[department.wecom_party_id])
            self._conflicts.add("department_in_use", department.name, others)


def _was_met(person: Person) -> bool:
    return folded(person.wecom_seen_id) == folded(person.wecom_user_id)


def _shown(person: Person) -> str:
    return f"{person.name} ({person.id})"


def _of(member: Member) -> str:
    return f"{member.name} ({member.user_id})"
