"""When to look at which owed subject (again). In memory: the rows themselves are in the outbox.

A row is written with a moment at which it is due, and written again with every further change. The
moment at which it was *first* seen here stands, so that a busy conversation is looked at as often as
any other and not put off by each message. After a look, the next one is further away the longer people
are only pending; a connection that ends brings it back.

Everything is lost with the process and found again by discovery: nothing depends on it but speed.
"""

from collections.abc import Collection, Iterable
from typing import Final

from server.storage import Doc

PENDING_LOOKS_MS: Final = (2_000, 3_000)
"""Waits after looks that found people pending; the last one for all further ones. A connection that does
not answer is gone after ten seconds, so there are few; and where it was another node's, nothing but the
next look tells of its end."""

BETWEEN_LOOKS_MS: Final = 1_000
"""One subject is not looked at more often, whatever happens to it."""

AFTER_CONNECTION_MS: Final = 2_000
"""A page that reloads is back within this time: a connection's end is looked at after it."""


class _Entry:
    """One subject: when it is to be looked at, and who was pending at the last look."""

    __slots__ = ("look_at", "looked_at", "pending", "waits")

    def __init__(self, look_at: int) -> None:
        self.look_at = look_at
        self.looked_at = 0
        self.pending: frozenset[str] = frozenset()
        self.waits = 0


class Agenda:
    """Owed rows by id, each with the moment of its next look."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget everything; discovery brings it back."""
        self._entries.clear()

    def discovered(self, rows: Iterable[Doc], latest: int) -> None:
        """Take up rows that are not known yet, to be looked at by `latest` at the latest."""
        for row in rows:
            if row["_id"] not in self._entries:
                self._entries[row["_id"]] = _Entry(min(row["due_at"], latest))

    def ready(self, now: int, limit: int) -> list[str]:
        """The rows to look at now, the longest due first."""
        due = [(entry.look_at, id) for id, entry in self._entries.items() if entry.look_at <= now]
        due.sort()
        return [id for _, id in due[:limit]]

    def soon(self, id: str, at: int) -> None:
        """Look no later than `at`, known row or not."""
        entry = self._entries.setdefault(id, _Entry(at))
        entry.look_at = min(entry.look_at, max(at, entry.looked_at + BETWEEN_LOOKS_MS))

    def ended(self, person_id: str, now: int) -> None:
        """A person's last connection has ended: what was pending there may be due."""
        for id, entry in self._entries.items():
            if person_id in entry.pending:
                self.soon(id, now + AFTER_CONNECTION_MS)

    def again(self, id: str, now: int, at: int | None, pending: Collection[str] = ()) -> int:
        """The row was looked at: look again at `at`, earlier if people are pending. Says when."""
        entry = self._entries.setdefault(id, _Entry(now))
        entry.looked_at = now
        entry.pending = frozenset(pending)
        moments = [] if at is None else [at]
        if pending:
            moments.append(now + PENDING_LOOKS_MS[min(entry.waits, len(PENDING_LOOKS_MS) - 1)])
            entry.waits += 1
        else:
            entry.waits = 0
        entry.look_at = max(min(moments, default=now), now + BETWEEN_LOOKS_MS)
        return entry.look_at

    def forget(self, id: str) -> None:
        """The row is gone, or is put off in the store itself."""
        self._entries.pop(id, None)
