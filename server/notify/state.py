"""How the sending of notices is doing, written down by the node that sends: any node can show it.

Written when something has changed, and as a sign of life once a minute.
"""

from datetime import datetime
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import msgspec

from server.clock import Millis
from server.storage import Collection, Put, Store
from server.storage.document import Document, to_doc

SENDER: Final = "sender"
SIGN_OF_LIFE_MS: Final = 60_000


class SenderState(Document, frozen=True):
    """One document. Moments are 0 as long as there was none."""

    collection: ClassVar[Collection] = Collection("notice_sender")

    at: Millis
    owed: int = 0
    """Subjects somebody may have to be told of."""
    waiting: int = 0
    """Notices queued or being sent, up to 10,000."""
    oldest_at: int = 0
    in_flight: int = 0
    people_held: int = 0
    """People who had as many calls as WeCom delivers in a minute or an hour."""
    is_held: bool = False
    """Calls are held back: they fail, or WeCom asked for a pause."""
    is_misconfigured: bool = False
    held_until: int = 0
    got_through_at: int = 0
    sent_today: int = 0
    """What WeCom took since the hospital's midnight."""
    fault: str = ""
    """What went wrong last."""
    fault_at: int = 0


class DayCount:
    """What was sent since midnight."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._day = ""
        self._count = 0

    def since(self, now: int) -> int:
        """The last midnight before a moment."""
        moment = datetime.fromtimestamp(now / 1000, self._zone)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return round(midnight.timestamp() * 1000)

    def begin(self, now: int, count: int) -> None:
        """This much was sent today before."""
        self.at(now)
        self._count = count

    def add(self, now: int) -> None:
        self._count = self.at(now) + 1

    def at(self, now: int) -> int:
        """How many there were on the day of this moment."""
        day = datetime.fromtimestamp(now / 1000, self._zone).date().isoformat()
        if day != self._day:
            self._day, self._count = day, 0
        return self._count


class StateWriter:
    """Writes the state when it is worth writing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written = SenderState(id=SENDER, at=Millis(0))

    async def write(self, state: SenderState) -> None:
        """Put it into the store, unless nothing has changed."""
        same = msgspec.structs.replace(state, at=self._written.at) == self._written
        if same and state.at - self._written.at < SIGN_OF_LIFE_MS:
            return
        await self._store.apply(Put(SenderState.collection.name, to_doc(state), None))
        self._written = state
