"""Presence over the line between nodes: those that may have a person are asked; nothing is kept in Redis.

Which nodes to ask is known from what they need: a person's own channel. A node that does not answer in time
says nothing, so its people are away, and so they are while Redis is.
"""

from collections.abc import Collection, Mapping

from realtime.application import Reach
from realtime.backplane.redis import RedisBackplane
from realtime.backplane.redis.questions import better
from realtime.presence.memory import Asked

MOST_ASKED = 500
"""People of one question."""


class RedisPresence:
    """One node's view of all: its own hub, and the others by the line."""

    def __init__(self, hub: Asked, backplane: RedisBackplane) -> None:
        self._hub = hub
        self._backplane = backplane
        backplane.answers = self._here

    async def reach(self, people: Collection[str], since: int) -> dict[str, Reach]:
        answers = {person_id: self._hub.reach(person_id, since) for person_id in people}
        unproved = [id for id, reach in answers.items() if reach is not Reach.REACHED]
        for person_id, reach in (await self._elsewhere(unproved, since)).items():
            answers[person_id] = better(reach, answers[person_id])
        return answers

    async def online(self, people: Collection[str]) -> set[str]:
        here = {person_id for person_id in people if self._hub.is_online(person_id)}
        elsewhere = await self._elsewhere([id for id in people if id not in here], None)
        return here | elsewhere.keys()

    async def _elsewhere(self, people: list[str], since: int | None) -> Mapping[str, Reach]:
        found: dict[str, Reach] = {}
        for start in range(0, len(people), MOST_ASKED):
            some = people[start : start + MOST_ASKED]
            answers = await self._backplane.ask(some, since)
            found.update((id, answers[id]) for id in some if id in answers)
        return found

    def _here(self, people: Collection[str], since: int | None) -> dict[str, Reach]:
        """What another node is answered."""
        online = [person_id for person_id in people if self._hub.is_online(person_id)]
        if since is None:
            return dict.fromkeys(online, Reach.PENDING)
        return {person_id: self._hub.reach(person_id, since) for person_id in online}
