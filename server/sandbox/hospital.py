"""A plausible hospital of 1,600 people, the same each time: for the sandbox, tests and benchmarks.

Everything here is made up. Numbers lie in ranges that nobody can be given, mail addresses under a
domain that never exists. What comes out is plain data; who starts the sandbox stores it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from server.sandbox.hospital_departments import ENGINEERS, TITLES, UNITS, Unit
from server.sandbox.hospital_names import MEN, SURNAMES, WOMEN
from server.sandbox.hospital_talk import DIRECTS, DOCUMENTS, GROUPS, Conversation, PaperWork

STAFF: Final = 1_600
SEED: Final = 20_260_105
MAIL_DOMAIN: Final = "hospital.example"

PASSWORD_HASH: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$OiqX/57+RcZPDo7juKXEng"  # noqa: S105
    "$yxHEPNhUiKN9+MGq62wpeSa+WO+GwVelTz3NPwMq444"
)
"""Of the password `yuanxin`, which everybody in the sandbox has."""

Slot = tuple[Unit, str, bool]
"""A place to be filled: where, as what, and whether it leads."""


@dataclass(frozen=True, slots=True)
class SomePost:
    """A place somebody holds."""

    department_id: str
    title: str
    leads: bool


@dataclass(frozen=True, slots=True)
class SomeDepartment:
    """A department; "" as parent is the top."""

    id: str
    name: str
    parent_id: str
    order: int
    oa_department_id: str


@dataclass(frozen=True, slots=True)
class Somebody:
    """A member of staff."""

    id: str
    name: str
    employee_number: str
    posts: tuple[SomePost, ...]
    office_phone: str
    mobile: str
    email: str
    roles: tuple[str, ...]
    wecom_user_id: str
    oa_user_id: str


@dataclass(frozen=True, slots=True)
class Hospital:
    """Everything the sandbox starts with."""

    departments: tuple[SomeDepartment, ...]
    people: tuple[Somebody, ...]
    password_hash: str
    conversations: tuple[Conversation, ...]
    documents: tuple[PaperWork, ...]


# People that stories are told about; the others fill the remaining places.
KNOWN: Final[dict[int, tuple[str, str, str, bool]]] = {
    1: ("单雨桐", "cardiology", "主治医师", False),
    2: ("曾志远", "medical-affairs", "主任", True),
    3: ("仇丽华", "cardiology", "护士长", True),
    4: ("欧阳晨曦", "informatics", "工程师", False),
    5: ("翟敏", "hospital-office", "主任", True),
    6: ("查景行", "cardiology", "科主任", True),
    7: ("区国华", "leaders", "副院长", True),
    8: ("解静怡", "inpatient-pharmacy", "组长", True),
}


@lru_cache(maxsize=1)
def hospital() -> Hospital:
    """The hospital. Making it takes some tens of milliseconds."""
    chance = random.Random(SEED)
    slots = list(_slots(chance, STAFF))
    people = [_known(number, slots) for number in sorted(KNOWN)]
    chance.shuffle(slots)
    first = len(people) + 1
    people += [_somebody(first + place, slot, chance) for place, slot in enumerate(slots)]
    people = _with_second_posts(people, chance)
    return Hospital(
        departments=_departments(),
        people=(*people, _administrator()),
        password_hash=PASSWORD_HASH,
        conversations=tuple(_conversations(people)),
        documents=DOCUMENTS,
    )


def _departments() -> tuple[SomeDepartment, ...]:
    return tuple(
        SomeDepartment(unit.slug, unit.name, unit.parent, order, str(order + 1))
        for order, unit in enumerate(UNITS)
    )


def _slots(chance: random.Random, count: int) -> Iterator[Slot]:
    """Exactly `count` places, each department getting its share, its leaders first."""
    total = sum(unit.weight for unit in UNITS)
    given, weight_so_far = 0, 0
    for unit in UNITS:
        weight_so_far += unit.weight
        upto = weight_so_far * count // total
        yield from _places(unit, upto - given, chance)
        given = upto


def _places(unit: Unit, count: int, chance: random.Random) -> Iterator[Slot]:
    if count == 0:
        return
    leaders, others = TITLES[unit.kind]
    if unit.slug == "informatics":
        others = ENGINEERS
    for title in leaders[:count]:
        yield unit, title, True
    titles, shares = zip(*others, strict=True)
    for title in chance.choices(titles, shares, k=max(0, count - len(leaders))):
        yield unit, title, False


def _known(number: int, slots: list[Slot]) -> Somebody:
    """Somebody with a story takes a place that fits, away from the others."""
    name, slug, title, leads = KNOWN[number]
    for place, (unit, offered, _) in enumerate(slots):
        if unit.slug == slug and offered == title:
            del slots[place]
            break
    else:
        raise LookupError(f"{slug} has no place for a {title}")
    return _person(number, name, (SomePost(slug, title, leads),))


def _somebody(number: int, slot: Slot, chance: random.Random) -> Somebody:
    unit, title, leads = slot
    surnames, weights = zip(*SURNAMES, strict=True)
    [surname] = chance.choices(surnames, weights)
    nurses = "护" in title
    is_woman = chance.random() < (0.95 if nurses else 0.45)
    return _person(
        number,
        surname + chance.choice(WOMEN if is_woman else MEN),
        (SomePost(unit.slug, title, leads),),
    )


def _person(number: int, name: str, posts: tuple[SomePost, ...]) -> Somebody:
    account = f"s{number:04d}"
    roles = ["staff"]
    if any(post.leads for post in posts):
        roles.append("leader")
    if any(post.department_id == "publicity" for post in posts):
        roles.append("section_editor")
    return Somebody(
        id=account,
        name=name,
        employee_number=f"{1985 + number * 7 % 40}{number:04d}",
        posts=posts,
        # Inner extensions, and a mobile prefix that no network has.
        office_phone=f"6{number * 37 % 10_000:04d}",
        mobile=f"100{number * 48_271 % 99_999_989:08d}",
        email=f"{account}@{MAIL_DOMAIN}",
        roles=tuple(roles),
        wecom_user_id=account,
        oa_user_id=str(number),
    )


def _with_second_posts(people: list[Somebody], chance: random.Random) -> list[Somebody]:
    """Some lead one thing and still practise another."""
    second = {"medical-affairs": "general-surgery", "nursing-affairs": "cardiology"}
    wards = [unit.slug for unit in UNITS if unit.kind == "ward"]
    result = []
    for person in people:
        main = person.posts[0]
        where = second.get(main.department_id)
        if main.department_id == "leaders" and main.title in ("院长", "副院长"):
            where = chance.choice(wards)
        elif main.title == "科主任" and main.department_id in wards and chance.random() < 0.4:
            result.append(_also(person, SomePost("research", "教研室主任", False)))
            continue
        if where and main.leads:
            title = "护理顾问" if main.department_id == "nursing-affairs" else "主任医师"
            person = _also(person, SomePost(where, title, False))
        result.append(person)
    return result


def _also(person: Somebody, post: SomePost) -> Somebody:
    return replace(person, posts=(*person.posts, post))


def _administrator() -> Somebody:
    """Holds all three administrators' roles, which only a sandbox allows."""
    return Somebody(
        id="admin",
        name="系统管理员",
        employee_number="00000000",
        posts=(SomePost("informatics", "系统管理员", False),),
        office_phone="60000",
        mobile="",
        email=f"admin@{MAIL_DOMAIN}",
        roles=("staff", "system_admin", "security_admin", "audit_admin"),
        wecom_user_id="admin",
        oa_user_id="",
    )


def _conversations(people: list[Somebody]) -> Iterator[Conversation]:
    for group in GROUPS:
        colleagues = (
            person.id
            for person in people
            if any(post.department_id in group.departments for post in person.posts)
        )
        members = tuple(dict.fromkeys((*group.people, *colleagues)))
        lines = tuple((_who(who, members), ago, text) for who, ago, text in group.lines)
        yield Conversation("group", group.title, members, lines)
    for pair in DIRECTS:
        yield Conversation("direct", "", pair.people, pair.lines)


def _who(who: str, members: tuple[str, ...]) -> str:
    return members[int(who)] if who.startswith("+") else who
