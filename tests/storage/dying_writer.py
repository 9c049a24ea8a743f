"""A process that writes to a store as fast as it can and tells each ack, until it is killed.

Started by the tests of crashes: `python dying_writer.py ROUND FILE` or `… ROUND URL DATABASE`. Every ack is
one line on standard output: stream, seq, id. Each batch appends an entry and stores a note with the number
it took.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from server.clock import SystemClock
from server.storage import Append, Collection, Insert, Search, Store, Taken
from server.storage.mongodb import MongoStore
from server.storage.sqlite import SqliteStore

TALK = Collection("talk", search=Search("text", "stream"), log=True)
NOTES = Collection("notes")
WRITERS = 50
STREAMS = 7


async def write(store: Store, writer: str, stream: str) -> None:
    for number in itertools.count():
        id = f"{writer}.{number}"
        [entry, _] = await store.apply(
            Append("talk", stream, {"_id": id, "text": "交班记录"}, numbered=True, idem=id),
            Insert("notes", {"_id": id, "seq": Taken(stream, "seq")}),
        )
        assert entry is not None
        os.write(1, f"{stream} {entry['seq']} {id}\n".encode())


def store_at(place: str, *database: str) -> Store:
    if database:
        return MongoStore(place, database=database[0], clock=SystemClock())
    return SqliteStore(Path(place), clock=SystemClock())


async def main(turn: str, *place: str) -> None:
    store = store_at(*place)
    await store.open()
    await store.ensure(TALK)
    await store.ensure(NOTES)
    writers = (write(store, f"{turn}.{n}", f"s{n % STREAMS}") for n in range(WRITERS))
    await asyncio.gather(*writers)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
