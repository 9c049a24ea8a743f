"""The log as handlers read it: messages by number, where channels stand, what was missed."""

from collections.abc import Mapping, Sequence

from server.storage import Doc, Missed, Store
from server.work.entry import LOG, Stored


class LogReader:
    """Reads of the log, each one question to the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ends(self, channels: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Position and seq of the last entry of each channel that has one."""
        return await self._store.positions(LOG.name, channels)

    async def numbered(
        self,
        channel: str,
        *,
        after: int | None = None,
        before: int | None = None,
        newest_first: bool = False,
        limit: int,
    ) -> list[Doc]:
        """Numbered entries of a channel, their numbers strictly between two."""
        return await self._store.find(
            LOG.name, "number", (channel,), gt=after, lt=before, reverse=newest_first, limit=limit
        )

    async def by_number(self, channel: str, number: int) -> Doc | None:
        """One numbered entry."""
        found = await self.numbered(channel, after=number - 1, before=number + 1, limit=1)
        return found[0] if found else None

    async def by_idem(self, idem: str) -> Doc | None:
        """The entry that a sender's client id stands for."""
        found = await self._store.find(LOG.name, "idem", (idem,), limit=1)
        return found[0] if found else None

    async def newest_numbered(self, channels: Sequence[str]) -> dict[str, Doc]:
        """The last numbered entry of each channel that has one."""
        return await self._store.heads(LOG.name, channels, numbered=True)

    async def tails(self, after: Mapping[str, int], limit: int) -> dict[str, list[Doc]]:
        """The first entries after a position of each channel."""
        return await self._store.tails(LOG.name, after, limit)

    async def missed(self, after: Mapping[str, int], *, most: int, room: int) -> Missed[Stored]:
        """Where each channel ends, and the first entries after a position of each, within bounds."""
        return await self._store.missed(Stored, LOG.name, after, most=most, room=room)

    async def values(self, channel: str, limit: int) -> list[Stored]:
        """The newest entry of each key of a state channel."""
        return await self._store.find_as(Stored, LOG.name, "key", (channel,), limit=limit)

    async def value(self, channel: str, key: str) -> Stored | None:
        """The newest entry of one key of a state channel."""
        found = await self._store.find_as(Stored, LOG.name, "key", (channel, key), limit=1)
        return found[0] if found else None

    async def search(
        self, text: str, after: Mapping[str, int], *, before: int | None, limit: int
    ) -> list[Doc]:
        """Entries holding a text, newest first, of each channel only those after its number."""
        return await self._store.search(LOG.name, text, after, before=before, limit=limit)
