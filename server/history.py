"""What the hub reads of the log when events of other nodes did not reach it."""

from collections.abc import Mapping, Sequence

from realtime.publisher import Publication
from server.storage import Store, refusing
from server.stream import Streams
from server.work import LogReader
from server.work.entry import told_again


class StoredHistory:
    """Keeps the promise of `realtime.gaps.History`."""

    def __init__(self, store: Store, streams: Streams) -> None:
        self._store = store
        self._log = LogReader(store)
        self._streams = streams

    async def ends(self, channels: Sequence[str]) -> Mapping[str, int]:
        with refusing():
            ends = await self._log.ends(channels)
        return {channel: position for channel, (position, _) in ends.items()}

    async def missed(
        self, after: Mapping[str, int], limit: int
    ) -> Mapping[str, Sequence[Publication]]:
        with refusing():
            tails = await self._log.tails(after, limit)
        kinds = self._streams.events
        return {
            channel: [told_again(entry, kinds) for entry in entries]
            for channel, entries in tails.items()
        }

    async def channels_of(self, person_id: str) -> Mapping[str, int]:
        with refusing():
            return await self._streams.channels_of(self._store, person_id)
