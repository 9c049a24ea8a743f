"""What the two ways of bringing directory and WeCom together have in common: what was read, what differs,
what is left to people to decide, and how much may be removed.

Nobody is ever inferred to be gone: `Reading.gone` holds ids of which WeCom said, asked for each by itself,
that it does not know them. What a list merely lacks counts for nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from server.integrations.wecom.contacts import Member, Party

MOST_PERCENT: Final = 5
"""Of the people, or of the departments, that may go within a day without somebody's confirmation."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """WeCom's contacts as they were read: all of them (`is_whole`), or what one change was about.

    User ids are folded (`folded`) in `gone` and `hidden`; `hidden` are there but outside the app's scope.
    """

    parties: tuple[Party, ...] = ()
    members: tuple[Member, ...] = ()
    gone: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    gone_parties: frozenset[int] = frozenset()
    hidden_parties: frozenset[int] = frozenset()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that is not done because only people know what is right. `kind` is a key of the report's
    sentences; `who` and `other` are names with ids, as they are shown."""

    kind: str
    who: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """Something that differs, and in which fields."""

    before: T
    after: T
    fields: tuple[str, ...]


@dataclass(slots=True)
class Removal:
    """What would go, of how many; `held` says that it needs a confirmation, and nothing of it is done."""

    people: int = 0
    of_people: int = 0
    departments: int = 0
    of_departments: int = 0
    people_before: int = 0
    """Removed already within the day."""
    departments_before: int = 0

    @property
    def held(self) -> bool:
        return _too_many(self.people, self.people_before, self.of_people) or _too_many(
            self.departments, self.departments_before, self.of_departments
        )


@dataclass(slots=True)
class Conflicts:
    """Gathered while planning, each once."""

    found: dict[Conflict, None] = field(default_factory=dict)

    def add(self, kind: str, who: str, other: str = "") -> None:
        self.found[Conflict(kind, who, other)] = None


def _too_many(now: int, before: int, of: int) -> bool:
    # What went earlier in the day belongs to the number it is a share of.
    return now > 0 and (now + before) * 100 > (of + before) * MOST_PERCENT


def folded(user_id: str) -> str:
    """WeCom does not tell user ids apart by case."""
    return user_id.casefold()


def differing(before: object, after: object, fields: Iterable[str]) -> tuple[str, ...]:
    """The fields in which two documents of a kind differ."""
    return tuple(name for name in fields if getattr(before, name) != getattr(after, name))
