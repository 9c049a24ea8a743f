"""Who is in the sandbox, for the pickers of the page: by `?q=`, or by `?ids=a,b`."""

import re
from collections.abc import Collection
from typing import Final

from aiohttp import web

from server.sandbox.config import SandboxConfig, SandboxPerson

MOST_FOUND: Final = 30
_NUMBERED: Final = re.compile(r"s([0-9]+)", re.ASCII)


class People:
    """The hospital's people, found by a piece of id, name, title or department."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._numbered = {
            int(found[1]): person
            for person in config.people
            if (found := _NUMBERED.fullmatch(person.person_id.lower()))
        }
        self._by_staff_number = {
            person.number: number for number, person in self._numbered.items() if person.number
        }

    @property
    def departments(self) -> dict[int, str]:
        """By the OA's number of them, which is their place."""
        return {number: party.name for number, party in enumerate(self._config.parties, 1)}

    @property
    def highest_number(self) -> int:
        """The OA knows people by number: `s0042` is 42."""
        return max(self._numbered, default=0)

    def name_of(self, number: int) -> str:
        """The name of the person the OA means."""
        person = self._numbered.get(number)
        return person.name if person is not None else f"职工{number:04d}"

    def department_of(self, number: int) -> str:
        person = self._numbered.get(number)
        return person.department if person is not None else ""

    def number_of_staff(self, staff_number: str) -> int | None:
        """The OA's number of the person with this staff number."""
        return self._by_staff_number.get(staff_number)

    def routes(self) -> list[web.RouteDef]:
        """The two doors."""
        return [
            web.get("/sandbox/people", self._people),
            web.get("/sandbox/about", self._about),
        ]

    def find(self, query: str, limit: int = MOST_FOUND) -> list[SandboxPerson]:
        """Those whose id or name begins with the query first, then those who contain it."""
        wanted = query.strip().lower()
        ranked: list[tuple[int, SandboxPerson]] = []
        for person in self._config.people:
            where = _place(wanted, person)
            if where is not None:
                ranked.append((where, person))
        ranked.sort(key=lambda found: found[0])
        return [person for _, person in ranked[:limit]]

    def named(self, ids: Collection[str]) -> list[SandboxPerson]:
        """Those of these ids who exist."""
        wanted = {person_id.lower() for person_id in ids}
        return [person for person in self._config.people if person.person_id.lower() in wanted]

    async def _people(self, request: web.Request) -> web.Response:
        if "ids" in request.query:
            found = self.named(request.query["ids"].split(","))
        else:
            found = self.find(request.query.get("q", ""))
        return web.json_response([_shown(person) for person in found])

    async def _about(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "public_url": self._config.public_url,
                "corp_id": self._config.corp_id,
                "agent_id": self._config.agent_id,
                "people": len(self._config.people),
                "systems": ["wecom", "oa", *(["his"] if self._config.his else [])],
            }
        )


def _place(wanted: str, person: SandboxPerson) -> int | None:
    """How good a match somebody is: 0 is best, None is none."""
    names = (person.person_id.lower(), person.name.lower())
    if any(name.startswith(wanted) for name in names):
        return 0
    if any(wanted in name for name in names):
        return 1
    return 2 if wanted in f"{person.title} {person.department}".lower() else None


def _shown(person: SandboxPerson) -> dict[str, str]:
    return {
        "person_id": person.person_id,
        "name": person.name,
        "title": person.title,
        "department": person.department,
    }
