"""What WeCom's contacts would change in the directory: a pure comparison.

WeCom is the source of names, departments, titles, and of who works here; phone numbers, mail addresses,
roles and everything of other systems stay as the staff list has them. People belong together by the WeCom
user id that the directory holds, and by nothing else: somebody who merely looks like a known person (by
number, name and department, phone, or account) is told as a conflict and made nobody.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from server.directory.documents import Department, Person, Post
from server.directory.wecom_plan import (
    Change,
    Conflict,
    Conflicts,
    Reading,
    Removal,
    differing,
    folded,
)
from server.directory.wecom_tree import TreePlan, plan_tree
from server.integrations.wecom.contacts import Member

ACCOUNT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,63}", re.ASCII)
NUMBER: Final = re.compile(r"[0-9A-Za-z_-]{1,32}", re.ASCII)
FIELDS: Final = ("name", "posts", "employee_number", "wecom_seen_id")


@dataclass(slots=True)
class InwardPlan:
    """What applying would do. `closing` are departments, `leaving` people."""

    tree: TreePlan
    closing: list[Department] = field(default_factory=list)
    new: list[Person] = field(default_factory=list)
    changed: list[Change[Person]] = field(default_factory=list)
    met: list[Change[Person]] = field(default_factory=list)
    """Seen in WeCom for the first time, and otherwise as they are."""
    leaving: list[Person] = field(default_factory=list)
    disabled: list[Person] = field(default_factory=list)
    """Shut out of WeCom: signed out here, and otherwise as they are."""
    conflicts: list[Conflict] = field(default_factory=list)
    removal: Removal = field(default_factory=Removal)
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        tree = self.tree
        acts = (tree.new, tree.changed, self.closing, self.new, self.changed, self.met)
        return not (any(acts) or self.leaving)


def plan_inward(
    people: Iterable[Person], departments: Iterable[Department], reading: Reading
) -> InwardPlan:
    """Compare everybody known, retired people and closed departments included, with what was read."""
    return _Planner(list(people), list(departments), reading).plan()


class _Planner:
    def __init__(
        self, people: list[Person], departments: list[Department], reading: Reading
    ) -> None:
        self._reading = reading
        self._conflicts = Conflicts()
        tree = plan_tree(departments, reading, self._conflicts)
        self._plan = InwardPlan(tree)
        self._active = [p for p in people if not p.is_retired]
        self._by_wecom = {folded(p.wecom_user_id): p for p in self._active if p.wecom_user_id}
        self._by_account = {folded(p.id): p for p in people}
        # Who left here gave the id up; whom WeCom still shows under it is no newcomer for that.
        self._left = {folded(p.wecom_seen_id): p for p in people if p.is_retired}
        self._by_number = {p.employee_number: p for p in people if p.employee_number}
        self._by_mobile = {_digits(p.mobile): p for p in self._active if p.mobile}
        self._after: dict[str, Person] = {p.id: p for p in self._active}
        self._ours = {d.id for d in tree.after.values() if not d.wecom_party_id}
        hidden = reading.hidden_parties
        self._ours |= {d.id for d in tree.after.values() if d.wecom_party_id in hidden}

    def plan(self) -> InwardPlan:
        members: dict[str, Member] = {}
        for member in self._reading.members:
            if not member.has_left:
                members.setdefault(folded(member.user_id), member)
        newcomers = []
        for id, member in members.items():
            person = self._by_wecom.get(id)
            if person is None:
                newcomers.append(member)
            else:
                self._compare(person, member)
        keeping = self._take_in(newcomers)
        self._let_go(keeping)
        self._close()
        linked = [p for p in self._active if p.wecom_user_id and _was_met(p)]
        self._plan.removal = Removal(
            people=len(self._plan.leaving),
            of_people=len(linked),
            departments=len(self._plan.closing),
            of_departments=self._plan.tree.linked,
        )
        self._plan.conflicts = list(self._conflicts.found)
        return self._plan

    # People who are known

    def _compare(self, person: Person, member: Member) -> None:
        if not _was_met(person) and member.name != person.name:
            self._conflicts.add("name_differs", _of(member), _shown(person))
            return
        number = self._number_for(person, member)
        if number is None:
            return
        if member.is_disabled:
            self._plan.disabled.append(person)
        after = msgspec.structs.replace(
            person,
            name=member.name or person.name,
            posts=self._posts(person, member),
            employee_number=number,
            wecom_seen_id=person.wecom_user_id,
        )
        fields = differing(person, after, FIELDS)
        if not fields:
            self._plan.unchanged += 1
            return
        self._after[person.id] = after
        only_met = fields == ("wecom_seen_id",)
        (self._plan.met if only_met else self._plan.changed).append(Change(person, after, fields))

    def _number_for(self, person: Person, member: Member) -> str | None:
        """The person's staff number from now on; None when the two do not agree about who it is."""
        given = member.number if NUMBER.fullmatch(member.number) else ""
        if not given or given == person.employee_number:
            return person.employee_number
        if person.employee_number:
            self._conflicts.add("number_differs", _of(member), _shown(person))
            return None
        holder = self._by_number.setdefault(given, person)
        if holder.id != person.id:
            self._conflicts.add("same_number", _of(member), _shown(holder))
            return ""
        return given

    def _posts(self, person: Person | None, member: Member) -> tuple[Post, ...]:
        """WeCom's departments, the main one first, which alone has WeCom's title; then posts in departments
        that WeCom does not have or must not show."""
        held = {post.department_id: post for post in person.posts} if person else {}
        posts: dict[str, Post] = {}
        main = sorted(member.party_ids, key=lambda party: party != member.main_party)
        for party in main:
            department_id = self._plan.tree.place.get(party)
            if department_id is None or department_id in posts:
                continue
            before = held.get(department_id)
            title = before.title if before else ""
            if not posts and member.title:
                title = member.title
            leads = party in member.leads
            posts[department_id] = Post(department_id=department_id, title=title, leads=leads)
        kept = [p for id, p in held.items() if id in self._ours and id not in posts]
        return (*posts.values(), *kept)

    # People who are not

    def _take_in(self, newcomers: list[Member]) -> set[str]:
        """Plan those who are surely somebody new; the ids of people whom the others may be."""
        keeping: set[str] = set()
        namesakes: defaultdict[tuple[str, str], list[Person]] = defaultdict(list)
        for person in self._after.values():
            for place in _places(person):
                namesakes[person.name, place].append(person)
        made = [(member, self._made(member)) for member in newcomers]
        alike = _Alike(made)
        for member, person in made:
            like = self._like(member, person, namesakes)
            if like is not None:
                keeping.add(like.id)
            elif member.is_disabled:
                continue  # many a house disables those who left, and deletes nobody
            elif not member.name or not ACCOUNT.fullmatch(member.user_id):
                self._conflicts.add("unusable", _of(member))
            elif (found := alike.to(member, person)) is not None:
                kind, other = found
                self._conflicts.add(kind, _of(member), _of(other))
            else:
                self._plan.new.append(person)
        return keeping

    def _made(self, member: Member) -> Person:
        return Person(
            id=member.user_id,
            name=member.name,
            employee_number=member.number if NUMBER.fullmatch(member.number) else "",
            posts=self._posts(None, member),
            wecom_user_id=member.user_id,
            wecom_seen_id=member.user_id,
        )

    def _like(
        self, member: Member, person: Person, namesakes: dict[tuple[str, str], list[Person]]
    ) -> Person | None:
        """Somebody known whom a newcomer may be; told as a conflict."""
        by_name = (found for place in _places(person) for found in namesakes[person.name, place])
        candidates: list[tuple[str, Person | None]] = [
            ("same_account", self._by_account.get(folded(member.user_id))),
            ("same_account", self._left.get(folded(member.user_id))),
            ("same_number", self._by_number.get(member.number)),
            ("same_phone", self._by_mobile.get(_digits(member.mobile)) if member.mobile else None),
            ("same_name", next(by_name, None)),
        ]
        for kind, known in candidates:
            if known is not None:
                is_gone = folded(known.wecom_user_id) in self._reading.gone
                renamed = not known.is_retired and bool(known.wecom_user_id) and is_gone
                self._conflicts.add("renamed" if renamed else kind, _of(member), _shown(known))
                return known
        return None

    # People and departments that are gone

    def _let_go(self, keeping: set[str]) -> None:
        for id in sorted(self._reading.hidden):
            if id in self._by_wecom:
                self._conflicts.add("hidden", _shown(self._by_wecom[id]), id)
        left = {folded(m.user_id) for m in self._reading.members if m.has_left}
        present = {folded(m.user_id) for m in self._reading.members if not m.has_left}
        for id in sorted((self._reading.gone | left) - present):
            person = self._by_wecom.get(id)
            if person is None or person.id in keeping:
                continue
            if _was_met(person):
                self._plan.leaving.append(person)
                del self._after[person.id]
            else:
                self._conflicts.add("never_met", _shown(person), id)

    def _close(self) -> None:
        """Departments that are gone, from the leaves up, unless people or departments stay in them."""
        staying = Counter(
            post.department_id
            for person in [*self._after.values(), *self._plan.new]
            for post in person.posts
        )
        after = dict(self._plan.tree.after)
        waiting = list(self._plan.tree.gone)
        while waiting:
            parents = {department.parent_id for department in after.values()}
            leaves = [d for d in waiting if d.id not in parents and not staying[d.id]]
            if not leaves:
                break
            for department in leaves:
                waiting.remove(department)
                del after[department.id]
            self._plan.closing += leaves
        for department in waiting:
            self._conflicts.add("department_in_use", department.name, str(staying[department.id]))


class _Alike:
    """Newcomers who may be one: by staff number, by phone, by name and department."""

    def __init__(self, made: list[tuple[Member, Person]]) -> None:
        self._by: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
        for member, person in made:
            for mark in self._marks(member, person):
                self._by[mark].append(member)

    def to(self, member: Member, person: Person) -> tuple[str, Member] | None:
        """In what somebody is like another newcomer, and whom."""
        for mark in self._marks(member, person):
            for other in self._by[mark]:
                if other is not member:
                    return mark[0], other
        return None

    def _marks(self, member: Member, person: Person) -> Iterator[tuple[str, str]]:
        if member.number:
            yield "same_number", member.number
        if member.mobile:
            yield "same_phone", _digits(member.mobile)
        yield from (("same_name", f"{person.name}\0{place}") for place in _places(person))


def _was_met(person: Person) -> bool:
    return folded(person.wecom_seen_id) == folded(person.wecom_user_id)


def _places(person: Person) -> Iterator[str]:
    """The departments by which a namesake is told; "" for somebody who has none."""
    yield from (post.department_id for post in person.posts)
    if not person.posts:
        yield ""


def _digits(number: str) -> str:
    """A phone number as it is compared: without the country, as far as it has one."""
    return "".join(filter(str.isdigit, number))[-11:]


def _shown(person: Person) -> str:
    return f"{person.name} ({person.id})"


def _of(member: Member) -> str:
    return f"{member.name} ({member.user_id})"
