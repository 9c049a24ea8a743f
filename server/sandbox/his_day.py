"""A plausible day of the stand-in hospital: who registers when, is called and seen, what is operated.

A day is planned whole and always the same for one date and round, so that nothing but how far it has
come must be remembered. Each event is as the HIS sends it, but for `at`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from server.sandbox.config import SandboxDepartment

Event = dict[str, Any]

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS

WEEK: Final = (1.12, 1.06, 1.0, 0.98, 0.95, 0.56, 0.42)
TYPES: Final = {"general": 56, "expert": 28, "special": 5, "online": 11}
EMERGENCY: Final = "emergency"

_CLINIC = (0, 0, 0, 0, 0, 0, 1, 7, 17, 18, 14, 7, 2, 6, 11, 9, 6, 2, 0, 0, 0, 0, 0, 0)
_ONLINE = (1, 1, 0, 0, 0, 0, 1, 3, 6, 8, 8, 7, 7, 7, 7, 7, 6, 6, 6, 7, 8, 7, 4, 2)
_AROUND_THE_CLOCK = (4, 3, 2, 2, 2, 2, 3, 4, 5, 5, 5, 5, 4, 4, 4, 4, 4, 5, 6, 7, 7, 7, 6, 5)
_THEATRE = (0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 12, 14, 12, 10, 12, 12, 9, 5, 3, 2, 1, 1, 1, 0)
_ARRIVING: Final = {"online": _ONLINE, EMERGENCY: _AROUND_THE_CLOCK}

LEAVING: Final = 0.025
"""The share of patients who cancel before they are called."""
MISTAKEN: Final = 0.015
"""The share of registrations whose type is corrected."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something of the plan, and when it is planned."""

    at: int
    event: Event


def plan_day(
    midnight: int, weekday: int, departments: Sequence[SandboxDepartment], round: int
) -> list[Happening]:
    """All of a day that begins at `midnight`, in order; the last patients are seen after the next one."""
    found: list[Happening] = []
    for place, department in enumerate(departments):
        name = f"{datetime.fromtimestamp(midnight / 1000, UTC):%y%m%d}.{round}.{place}"
        found += _Day(department, midnight, weekday, name).happenings()
    return sorted(found, key=lambda happening: happening.at)


class _Day:
    """One department's day."""

    def __init__(
        self, department: SandboxDepartment, midnight: int, weekday: int, name: str
    ) -> None:
        self._department = department
        self._midnight = midnight
        self._factor = WEEK[weekday]
        self._name = name
        self._chance = random.Random(name)

    def happenings(self) -> list[Happening]:
        chance, department = self._chance, self._department
        factor = 1.2 - 0.2 * self._factor if department.is_emergency else self._factor
        patients = int(department.outpatients * factor * chance.uniform(0.93, 1.07))
        operations = int(department.operations * self._factor * chance.uniform(0.8, 1.2))
        found = [one for n in range(patients) for one in self._patient(f"{self._name}.{n}")]
        for n in range(operations):
            event = self._event(f"{self._name}.o{n}", "operations")
            found.append(Happening(self._moment(_THEATRE), event))
        return found

    def _patient(self, name: str) -> list[Happening]:
        """Registers, perhaps is registered wrongly, waits, perhaps leaves, is called and seen."""
        chance = self._chance
        type = EMERGENCY
        if not self._department.is_emergency:
            [type] = chance.choices(list(TYPES), list(TYPES.values()))
        at = self._moment(_ARRIVING.get(type, _CLINIC))
        found = [Happening(at, self._event(f"{name}.r", "registered", type=type))]
        if type != EMERGENCY and chance.random() < MISTAKEN:
            type = chance.choice([other for other in TYPES if other != type])
            right = self._event(f"{name}.x", "registered", type=type, corrects=f"{name}.r")
            found.append(Happening(at + self._minutes(1, 5), right))
        waits = (3, 25) if type in (EMERGENCY, "online") else (12, 55)
        at += self._minutes(*waits)
        if chance.random() < LEAVING:
            gone = self._event(f"{name}.g", "registered", type=type, cancels=f"{name}.r")
            return [*found, Happening(at, gone)]
        found.append(Happening(at, self._event(f"{name}.c", "called", type=type)))
        at += self._minutes(4, 18)
        return [*found, Happening(at, self._event(f"{name}.s", "seen", type=type))]

    def _event(self, id: str, kind: str, **fields: str) -> Event:
        return {
            "event_id": id,
            "kind": kind,
            "department_id": self._department.department_id,
            **fields,
        }

    def _moment(self, by_hour: Sequence[int]) -> int:
        [hour] = self._chance.choices(range(24), by_hour)
        return self._midnight + hour * HOUR_MS + self._chance.randrange(HOUR_MS)

    def _minutes(self, least: float, most: float) -> int:
        return int(self._chance.uniform(least, most) * MINUTE_MS)
