"""Reading WeCom's contacts whole: department by department, within its limits, going on where it broke off.

A list that lacks somebody proves nothing: people move from one department to the next while they are read,
and answers may be short. So everybody expected who is on no list is asked for once more, one by one. An
answer that fails, or a company without anybody in it, ends the reading; half of it is never handed on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from server.directory.documents import Department, Person
from server.directory.wecom_plan import Reading, folded
from server.integrations.wecom import Paused, RefusedByWeCom, Retry
from server.integrations.wecom.contacts import (
    OUT_OF_SCOPE,
    ROOT,
    Contacts,
    Member,
    Party,
    PartyRow,
)

PAUSE_S: Final = 0.05
"""Between two calls: 20 a second, of the 166 that WeCom bears."""
TRIES: Final = 5
LONGEST_WAIT_S: Final = 60.0
MOST_PAGES: Final = 1_000
MOST_ABOVE: Final = 50

Wait = Callable[[float], Awaitable[None]]
Tell = Callable[[str], None]
T = TypeVar("T")


class NothingRead(Exception):
    """WeCom answered well and named nobody. That is no hospital, it is a mistake of its settings."""


class Patience:
    """Asks WeCom one thing at a time, not too fast, and again when it says so."""

    def __init__(self, wait: Wait = asyncio.sleep, *, pause_s: float = PAUSE_S) -> None:
        self._wait = wait
        self._pause_s = pause_s

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call gives. Raises WeComError when it is of no use to ask again now."""
        for further in reversed(range(TRIES)):
            await self._wait(self._pause_s)
            try:
                return await call()
            except Retry as fault:
                if not further:
                    raise
                wait_s = 2.0 ** (TRIES - further) if fault.after is None else fault.after
                await self._wait(min(wait_s, LONGEST_WAIT_S))
            except Paused as fault:
                if not further or fault.seconds > LONGEST_WAIT_S:
                    raise
                await self._wait(fault.seconds)
        raise AssertionError("the last try answers or raises")


class Reader:
    """One reading. What was read stays, so that `read` after a failure asks for the rest only."""

    def __init__(
        self, contacts: Contacts, patience: Patience, tell: Tell = lambda line: None
    ) -> None:
        self._contacts = contacts
        self._patience = patience
        self._tell = tell
        self._rows: list[PartyRow] | None = None
        self._parties: dict[int, Party] = {}
        self._members: dict[str, Member] = {}
        self._read: set[int] = set()
        self._ids: set[str] | None = None
        self._cursor = ""

    async def read(self, people: Iterable[Person], departments: Iterable[Department]) -> Reading:
        """Everything, and what became of those of ours who were linked. Raises WeComError, NothingRead."""
        await self._read_ids()
        if self._rows is None:
            self._rows = await self._patience.ask(self._contacts.party_rows)
        hidden: set[int] = set()
        for done, row in enumerate(self._rows):
            if row.id not in self._read and not await self._read_party(row.id):
                hidden.add(row.id)
            self._tell(f"读取部门 {done + 1}/{len(self._rows)}，成员 {len(self._members)}")
        if not self._members or not self._rows:
            raise NothingRead
        gone, unseen = await self._look_for(p for p in people if not p.is_retired)
        gone_parties, unseen_parties = await self._look_for_parties(departments)
        known = {folded(m.user_id) for m in self._members.values()}
        return Reading(
            parties=tuple(self._parties.values()),
            members=tuple(self._members.values()),
            gone=frozenset(gone),
            hidden=frozenset(unseen | (self._ids or set()) - known),
            gone_parties=frozenset(gone_parties),
            hidden_parties=frozenset(hidden | unseen_parties),
        )

    async def all_ids(self) -> set[str]:
        """Everybody's id, of which the app's scope may be a part; none without the right to ask."""
        await self._read_ids()
        return self._ids or set()

    async def _read_ids(self) -> None:
        if not self._contacts.may_write or (self._ids is not None and not self._cursor):
            return
        self._ids = self._ids or set()
        for _ in range(MOST_PAGES):
            page = await self._patience.ask(lambda: self._contacts.user_ids(self._cursor))
            self._ids |= {folded(id) for id in page.user_ids}
            self._cursor = page.cursor
            if not page.cursor:
                if not self._ids:
                    raise NothingRead
                return
        raise Retry("WeCom's list of ids has no end")

    async def _read_party(self, party_id: int) -> bool:
        """Read a department and its people; whether it is in sight."""
        try:
            party = await self._patience.ask(lambda: self._contacts.party(party_id))
            if party is None:
                return True  # closed meanwhile
            members = await self._patience.ask(lambda: self._contacts.members(party_id))
        except RefusedByWeCom as refused:
            if refused.code == OUT_OF_SCOPE:
                return False
            raise
        self._parties[party_id] = party
        self._members |= {folded(member.user_id): member for member in members}
        self._read.add(party_id)
        return True

    async def _look_for(self, people: Iterable[Person]) -> tuple[set[str], set[str]]:
        """Of those who are on no list: who is gone, and who is out of sight."""
        gone: set[str] = set()
        hidden: set[str] = set()
        for person in people:
            id = folded(person.wecom_user_id)
            if not id or id in self._members:
                continue
            self._tell(f"核实 {person.wecom_user_id}")
            where = await look_for_member(self._contacts, self._patience, person.wecom_user_id)
            if isinstance(where, Member):
                self._members[id] = where
            elif where == "hidden" or id in (self._ids or ()):
                hidden.add(id)
            else:
                gone.add(id)
        return gone, hidden

    async def _look_for_parties(
        self, departments: Iterable[Department]
    ) -> tuple[set[int], set[int]]:
        gone: set[int] = set()
        hidden: set[int] = set()
        for department in departments:
            number = department.wecom_party_id
            if department.is_retired or not number or number in self._parties:
                continue
            where = await look_for_party(self._contacts, self._patience, number)
            if isinstance(where, Party):
                self._parties[number] = where
            else:
                (hidden if where == "hidden" else gone).add(number)
        return gone, hidden


async def look_for_member(contacts: Contacts, patience: Patience, user_id: str) -> Member | str:
    """Somebody as WeCom has him now, or `gone`, or `hidden`."""
    try:
        return await patience.ask(lambda: contacts.member(user_id)) or "gone"
    except RefusedByWeCom as refused:
        if refused.code == OUT_OF_SCOPE:
            return "hidden"
        raise


async def look_for_party(contacts: Contacts, patience: Patience, party_id: int) -> Party | str:
    """A department as WeCom has it now, or `gone`, or `hidden`."""
    try:
        return await patience.ask(lambda: contacts.party(party_id)) or "gone"
    except RefusedByWeCom as refused:
        if refused.code == OUT_OF_SCOPE:
            return "hidden"
        raise


async def read_member(
    contacts: Contacts, patience: Patience, user_id: str, linked: Iterable[int]
) -> Reading:
    """What one person has come to, with those of the departments that are not linked here yet."""
    where = await look_for_member(contacts, patience, user_id)
    if where == "hidden":
        return Reading(hidden=frozenset({folded(user_id)}), is_whole=False)
    if not isinstance(where, Member):
        reader = Reader(contacts, patience)
        is_hidden = folded(user_id) in await reader.all_ids()
        found = frozenset({folded(user_id)})
        empty: frozenset[str] = frozenset()
        return Reading(
            gone=empty if is_hidden else found, hidden=found if is_hidden else empty, is_whole=False
        )
    parties: dict[int, Party] = {}
    for party_id in where.party_ids:
        await _read_up(contacts, patience, party_id, {ROOT, *linked}, parties)
    return Reading(parties=tuple(parties.values()), members=(where,), is_whole=False)


async def read_party(
    contacts: Contacts, patience: Patience, party_id: int, linked: Iterable[int]
) -> Reading:
    """What one department has come to, with those above it that are not linked here yet."""
    where = await look_for_party(contacts, patience, party_id)
    if where == "hidden":
        return Reading(hidden_parties=frozenset({party_id}), is_whole=False)
    if not isinstance(where, Party):
        return Reading(gone_parties=frozenset({party_id}), is_whole=False)
    parties = {party_id: where}
    await _read_up(contacts, patience, where.parent_id, {ROOT, *linked}, parties)
    return Reading(parties=tuple(parties.values()), is_whole=False)


async def _read_up(
    contacts: Contacts,
    patience: Patience,
    party_id: int,
    linked: set[int],
    parties: dict[int, Party],
) -> None:
    for _ in range(MOST_ABOVE):
        if party_id in linked or party_id in parties:
            return
        where = await look_for_party(contacts, patience, party_id)
        if not isinstance(where, Party):
            return
        parties[party_id] = where
        party_id = where.parent_id
