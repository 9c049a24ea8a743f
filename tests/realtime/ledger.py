"""What several nodes' hubs have stored behind them: every channel's publications, and who hears what."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from realtime.channel import ChannelKind, kind_of, person_channel
from realtime.errors import Unavailable
from realtime.protocol import event_body
from realtime.publisher import Publication


class Ledger:
    """Keeps the promise of `realtime.gaps.History`, in memory; `reads` says what was asked for."""

    def __init__(self, members: Mapping[str, Sequence[str]] | None = None) -> None:
        """`members` are the people of each channel from its beginning."""
        self._entries: dict[str, list[Publication]] = {}
        self._ends: dict[str, int] = {}
        self._first: dict[str, dict[str, int]] = {}
        self.reads: list[Sequence[str]] = []
        self.is_away = False
        self.unreadable: set[str] = set()
        self.meanwhile: Callable[[], None] | None = None
        """What happens, once, between the reading of somebody's channels and its answer."""
        for channel, people in (members or {}).items():
            for person_id in people:
                self._of(person_id)[channel] = 1

    def store(self, channel: str, name: str = "chat.sent", **parts: object) -> Publication:
        """Store one event, and what it changes of who hears the channel."""
        position = self._ends[channel] = self._ends.get(channel, 0) + 1
        body = event_body(msgspec.json.encode({"key": parts.get("key")}), channel, position)
        entry = Publication(channel, name, body, position, **parts)
        entries = self._entries.setdefault(channel, [])
        if entry.key is not None and kind_of(channel) is ChannelKind.STATE:
            entries[:] = [other for other in entries if other.key != entry.key]
        entries.append(entry)
        for person_id in entry.joins:
            self._of(person_id)[channel] = position
        for person_id in entry.leaves:
            self._of(person_id).pop(channel, None)
        return entry

    def change(self, channel: str, **people: tuple[str, ...]) -> list[Publication]:
        """Store a change of membership; the people changed are told so in the same commit."""
        told = [self.store(channel, "chat.members_changed", **people)]
        for person_id in (*people.get("joins", ()), *people.get("leaves", ())):
            told.append(self.store(person_channel(person_id), "chat.changed", key=channel))
        return told

    def ends_of(self, channel: str) -> int:
        return self._ends.get(channel, 0)

    async def ends(self, channels: Sequence[str]) -> Mapping[str, int]:
        self._read(channels)
        return {channel: self._ends[channel] for channel in channels if channel in self._ends}

    async def missed(
        self, after: Mapping[str, int], limit: int
    ) -> Mapping[str, Sequence[Publication]]:
        self._read(list(after))
        if self.unreadable & after.keys():
            raise ValueError("an entry that cannot be read")
        return {
            channel: [e for e in self._entries.get(channel, ()) if (e.position or 0) > at][:limit]
            for channel, at in after.items()
        }

    async def channels_of(self, person_id: str) -> Mapping[str, int]:
        self._read([person_id])
        answer = dict(self._of(person_id))
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return answer

    def _of(self, person_id: str) -> dict[str, int]:
        return self._first.setdefault(person_id, {person_channel(person_id): 0})

    def _read(self, what: Sequence[str]) -> None:
        if self.is_away:
            raise Unavailable("the store cannot be used now")
        self.reads.append(what)
