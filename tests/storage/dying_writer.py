"""A process that writes to a SqliteStore as fast as it can and tells each ack, until it is killed.

Started by test_sqlite_crash.py: `python dying_writer.py DATABASE ROUND`. Every ack is one line on standard
output: stream, seq, id. Each batch appends an entry and stores a note with the number it took.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from server.clock import SystemClock
from server.storage import Append, Collection, Insert, Search, Taken
from server.storage.sqlite import SqliteStore

TALK = Collection("talk", search=Search("text", "stream"), log=True)
NOTES = Collection("notes")
WRITERS = 50
STREAMS = 7


async def write(store: SqliteStore, writer: str, stream: str) -> None:
    for number in itertools.count():
        id = f"{writer}.{number}"
        [entry, _] = await store.apply(
            Append("talk", stream, {"_id": id, "text": "交班记录"}, numbered=True, idem=id),
            Insert("notes", {"_id": id, "seq": Taken(stream, "seq")}),
        )
        assert entry is not None
        os.write(1, f"{stream} {entry['seq']} {id}\n".encode())


async def main(database: str, turn: str) -> None:
    store = SqliteStore(Path(database), clock=SystemClock())
    await store.open()
    await store.ensure(TALK)
    await store.ensure(NOTES)
    writers = (write(store, f"{turn}.{n}", f"s{n % STREAMS}") for n in range(WRITERS))
    await asyncio.gather(*writers)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
