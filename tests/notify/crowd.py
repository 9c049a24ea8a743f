"""A crowd of people who are away, and what they are owed: the load that the notifier has to carry.

One person is owed two hundred notices, ten are owed sixty, everybody else about three. Some boards are
urgent. What came of it is judged from the stand-in's kept state: what each phone shows, and which calls
WeCom saw.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.notify import Priority
from server.sandbox.config import SandboxPerson
from server.sandbox.wecom_state import PER_HOUR, PER_MINUTE, WeComState
from tests.notify.ward import Ward

BUSIEST = "p0000"
INVALID_EVERY = 20
"""One person in so many is unknown to WeCom, where the crowd has such."""


@dataclass(frozen=True)
class Crowd:
    """So many people; the busiest is owed `most`, the ten next `much`, all others `few` each."""

    people: int
    most: int = 200
    much: int = 60
    few: int = 3
    has_invalid: bool = False

    @property
    def names(self) -> list[str]:
        return [f"p{number:04}" for number in range(self.people)]

    @property
    def invalid(self) -> set[str]:
        return set(self.names[15::INVALID_EVERY]) if self.has_invalid else set()

    @property
    def phones(self) -> list[SandboxPerson]:
        return [
            SandboxPerson(name, name, department="产科", in_scope=name not in self.invalid)
            for name in self.names
        ]

    @property
    def owed(self) -> dict[str, int]:
        """How many notices each is owed."""
        busy, much, rest = self.names[0], self.names[1:11], self.names[11:]
        return {busy: self.most} | dict.fromkeys(much, self.much) | dict.fromkeys(rest, self.few)

    @property
    def boards(self) -> dict[str, list[str]]:
        """Which boards change, and who follows each."""
        follow = {f"alone{number}": [BUSIEST] for number in range(self.most)}
        follow |= {f"ten{number}": self.names[1:11] for number in range(self.much)}
        rest = self.names[11:]
        for start in range(0, len(rest), 100):
            for number in range(self.few):
                follow[f"ward{start}-{number}"] = rest[start : start + 100]
        return follow


def is_urgent(board: str) -> bool:
    """About one board in ten, of each kind."""
    return board.endswith(("7", "d0-0", "000-0"))


async def gather(ward: Ward, crowd: Crowd) -> None:
    """Everybody follows their boards, and every board changes."""
    for board, people in crowd.boards.items():
        priority = Priority.URGENT if is_urgent(board) else Priority.CHAT
        await ward.follow(board, *people, priority=priority)
        await ward.change(board, due_in_s=0)


def shown(folder: Path) -> dict[str, list[str]]:
    """The boards whose cards each phone shows, in the order in which they came."""
    found: dict[str, list[str]] = defaultdict(list)
    for call in calls(folder):
        for user in call["delivered"]:
            found[user].append(board_of(call))
    return found


def calls(folder: Path) -> list[dict[str, Any]]:
    """What WeCom accepted, read from its file."""
    state = WeComState(folder / "sandbox")
    try:
        return state.calls()
    finally:
        state.close()


def board_of(call: dict[str, Any]) -> str:
    url: str = call["request"]["textcard"]["url"]
    return url.partition("?")[0].rpartition("/")[2]


def check_arrived(folder: Path, crowd: Crowd) -> None:
    """Everything owed is on the phones once, and nothing else."""
    wanted = {name: n for name, n in crowd.owed.items() if name not in crowd.invalid}
    phones = shown(folder)
    assert {name: len(boards) for name, boards in phones.items()} == wanted
    assert all(len(set(boards)) == len(boards) for boards in phones.values())


def check_limits(folder: Path) -> None:
    """Nobody was written to more often than WeCom delivers, so nothing was dropped."""
    moments: dict[str, list[int]] = defaultdict(list)
    for call in calls(folder):
        assert not call["dropped"], call
        for user in call["delivered"]:
            moments[user].append(call["at"])
    for times in moments.values():
        for window_ms, most in ((60_000, PER_MINUTE), (3_600_000, PER_HOUR)):
            for start, first in enumerate(times):
                within = sum(at < first + window_ms for at in times[start : start + most + 1])
                assert within <= most


def check_urgent_first(folder: Path) -> None:
    """On every phone what is urgent came before everything else."""
    for boards in shown(folder).values():
        marks = [is_urgent(board) for board in boards]
        assert marks == sorted(marks, reverse=True)


def repeats(folder: Path) -> int:
    """Calls beyond the first with the same bytes."""
    seen = Counter(json.dumps(call["request"], sort_keys=True) for call in calls(folder))
    return sum(count - 1 for count in seen.values())
