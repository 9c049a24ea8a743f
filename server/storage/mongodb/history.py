"""Which history this database belongs to: its epoch.

The epoch is kept in a document together with the identity that the servers gave the collection it lies in.
Restoring a dump makes the collections anew, with other identities, so the document no longer fits: a new
epoch begins by itself, and clients load afresh. What puts the files themselves back (a snapshot of the
disks) keeps identities; then an operator has to say so (`new-epoch`).
"""

import secrets
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from server.storage import StorageError
from server.storage.mongodb.connection import Database, check_server, connect, translating

META: Final = "yuanxin.meta"
_ID: Final = "history"
_FORMAT: Final = 1


async def open_history(database: Database) -> str:
    """The present epoch."""
    identity = await _identity(database)
    while True:
        kept = await database[META].find_one({"_id": _ID})
        if kept is not None:
            if kept["format"] != _FORMAT:
                raise StorageError(
                    f"database has format {kept['format']}, this version reads {_FORMAT}"
                )
            if kept["identity"] == identity:
                return str(kept["epoch"])
        epoch = await _begin(database, identity, kept)
        if epoch is not None:
            return epoch


async def begin_new_epoch(url: str, name: str | None = None) -> str:
    """Begin a new epoch, since the database was put back from a copy. Servers learn of it at their start."""
    client, database = connect(url, name)
    try:
        await check_server(client)
        with translating():
            before = await open_history(database)
            await database[META].update_one(
                {"_id": _ID, "epoch": before}, {"$set": {"epoch": secrets.token_hex(8)}}
            )
            return await open_history(database)
    finally:
        await client.close()


async def _identity(database: Database) -> str:
    """What the servers know the collection by; it comes into being when it is not there."""
    while True:
        cursor = await database.list_collections(filter={"name": META})
        for found in await cursor.to_list():
            identity = found["info"].get("uuid", "")
            return identity.hex() if isinstance(identity, bytes) else str(identity)
        await database[META].update_one({"_id": "made"}, {"$set": {"format": _FORMAT}}, upsert=True)


async def _begin(database: Database, identity: str, kept: dict[str, Any] | None) -> str | None:
    """None when somebody else was quicker."""
    epoch = secrets.token_hex(8)
    history = {"_id": _ID, "format": _FORMAT, "identity": identity, "epoch": epoch}
    if kept is None:
        try:
            await database[META].insert_one(history)
        except DuplicateKeyError:
            return None
        return epoch
    result = await database[META].replace_one({"_id": _ID, "epoch": kept["epoch"]}, history)
    return epoch if result.matched_count else None
