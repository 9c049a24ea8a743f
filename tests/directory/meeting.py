"""Short ways to say who is here and who is in WeCom, for tests of bringing the two together."""

from typing import Any

from server.directory import Department, Person, Post
from server.directory.wecom_inward import InwardPlan
from server.directory.wecom_plan import Reading
from server.integrations.wecom.contacts import Member, Party


def dept(id: str, name: str = "", parent: str | None = None, **more: Any) -> Department:
    """A department here, named as its id."""
    return Department(id=id, name=name or id, parent_id=parent, **more)


def here(
    id: str, *places: str, name: str = "", wecom: str = "", met: bool = True, **more: Any
) -> Person:
    """Somebody here; `wecom` is the WeCom id, under which a sync has met them."""
    posts = tuple(Post(department_id=place) for place in places)
    seen = wecom if met else ""
    name = name or id
    return Person(id=id, name=name, posts=posts, wecom_user_id=wecom, wecom_seen_id=seen, **more)


def there(user_id: str, *parties: int, name: str = "", **more: Any) -> Member:
    """Somebody in WeCom."""
    main = parties[0] if parties else 0
    return Member(user_id, name or user_id, parties, main_party=main, **more)


def party(id: int, name: str, parent: int = 1, order: int = 0) -> Party:
    """A department in WeCom."""
    return Party(id, name, parent, order)


def read(*found: Party | Member, **more: Any) -> Reading:
    """What a whole reading gives."""
    parties = tuple(one for one in found if isinstance(one, Party))
    members = tuple(one for one in found if isinstance(one, Member))
    return Reading(parties=parties, members=members, **more)


def after(
    people: list[Person], departments: list[Department], plan: InwardPlan
) -> tuple[list[Person], list[Department]]:
    """Who and what there is when an inward plan was done."""
    known = {p.id: p for p in people}
    known |= {p.id: p for p in plan.new}
    known |= {c.after.id: c.after for c in [*plan.changed, *plan.met]}
    for person in plan.leaving:
        known[person.id] = Person(id=person.id, name=person.name, posts=person.posts,
                                  employee_number=person.employee_number, retired_at=1)  # fmt: skip
    tree = {d.id: d for d in departments}
    tree |= {d.id: d for d in plan.tree.new}
    tree |= {c.after.id: c.after for c in plan.tree.changed}
    for closed in plan.closing:
        tree[closed.id] = Department(id=closed.id, name=closed.name, retired_at=1)
    return list(known.values()), list(tree.values())
