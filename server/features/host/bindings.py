"""Whose a WeCom id is: found, made, and taken away.

A binding holds as long as the directory gives its person the same WeCom id, which is also where notices
go: a staff list that says otherwise, or a person who left, ends it. What is bound is not bound anew: an
administrator takes it away first.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from server.auth.sessions import Sessions
from server.directory import Directory, Person
from server.directory.access import end_sessions
from server.errors import ConflictRefused
from server.features.host.documents import Binding, How, bound_as
from server.nodes.bulletin import staff_changed
from server.work import UnitOfWork

TAKEN: Final = "this person comes by another WeCom id; ask an administrator to take it away first"


class Gone(Exception):
    """The WeCom id was somebody's who does not work here any more."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """`itself` says which ids are somebody's without being confirmed (the setting `wecom_binding`)."""

    directory: Directory
    itself: str

    async def person_of(self, work: UnitOfWork, wecom_user_id: str) -> Person | None:
        """Whose this id is, binding it where it is somebody's by itself. Raises Gone."""
        binding = await work.get(Binding, bound_as(wecom_user_id))
        if binding is not None and binding.person_id:
            person = self.directory.person(binding.person_id)
            if person is not None and holds(binding, person):
                return person
            if person is not None and person.is_retired and not self._is_listed(wecom_user_id):
                raise Gone
        if binding is not None and binding.taken_away_at:
            return None
        person, how = self._by_itself(wecom_user_id)
        if person is None or await self._current(work, person) is not None:
            return None
        await self.bind(work, wecom_user_id, person, how)
        return person

    def _is_listed(self, wecom_user_id: str) -> bool:
        """Whether the list gives the id to somebody: whoever left gave it up, and WeCom gives ids again."""
        return self.directory.by_wecom(wecom_user_id) is not None

    def _by_itself(self, wecom_user_id: str) -> tuple[Person | None, How]:
        if self.itself == "none":
            return None, "listed"
        listed = self.directory.by_wecom(wecom_user_id)
        if listed is not None or self.itself != "account":
            return listed, "listed"
        named = self.directory.by_account(wecom_user_id)
        # The list names another id for the account: then it is not this one.
        return (None if named is None or named.wecom_user_id else named), "account"

    async def bind(self, work: UnitOfWork, wecom_user_id: str, person: Person, how: How) -> None:
        """Make it this person's. Raises ConflictRefused when the person comes by another id."""
        id = bound_as(wecom_user_id)
        for former in await work.query(Binding, "person", person.id):
            if former.id == id:
                continue
            if holds(former, person):
                raise ConflictRefused(TAKEN)
            work.put(msgspec.structs.replace(former, person_id=""))
        await work.get(Binding, id)
        work.put(Binding(id=id, person_id=person.id, how=how, bound_at=work.now))
        work.record("host.bind", person.id, wecom_user_id=wecom_user_id, how=how)
        await self._list(work, wecom_user_id, person)

    async def take_away(self, work: UnitOfWork, sessions: Sessions, person: Person) -> None:
        """The person's WeCom id is nobody's from now on; sessions that came by it end, and notices to it."""
        binding = await self._current(work, person)
        id = binding.id if binding else bound_as(person.wecom_user_id)
        if not id:
            return
        if binding is None:
            await work.get(Binding, id)
        work.put(Binding(id=id, taken_away_at=work.now))
        ended = await end_sessions(work, sessions, person.id, only_by_wecom=True)
        work.record("host.unbind", person.id, wecom_user_id=person.wecom_user_id, sessions=ended)
        self._store(work, msgspec.structs.replace(person, wecom_user_id=""))

    async def current(self, work: UnitOfWork, person: Person) -> Binding | None:
        """The binding by which a person comes."""
        return await self._current(work, person)

    async def _current(self, work: UnitOfWork, person: Person) -> Binding | None:
        found = await work.query(Binding, "person", person.id)
        return next((binding for binding in found if holds(binding, person)), None)

    async def _list(self, work: UnitOfWork, wecom_user_id: str, person: Person) -> None:
        """Notices go where the person comes from; who had the id by the list alone gives it up."""
        former = self.directory.by_wecom(wecom_user_id)
        if former is not None and former.id == person.id:
            return
        if former is not None:
            self._store(work, msgspec.structs.replace(former, wecom_user_id=""))
        self._store(work, msgspec.structs.replace(person, wecom_user_id=wecom_user_id))

    def _store(self, work: UnitOfWork, person: Person) -> None:
        work.patch(Person, person.id, wecom_user_id=person.wecom_user_id or None)
        work.post(staff_changed)
        work.afterwards(lambda: self.directory.refresh([person]))


def holds(binding: Binding, person: Person) -> bool:
    """Whether the directory agrees."""
    return (
        binding.person_id == person.id
        and not person.is_retired
        and bound_as(person.wecom_user_id) == binding.id
    )
