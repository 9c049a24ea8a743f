"""The way to the MongoDB servers: the client, its databases' collections, and what their errors mean.

Every write waits for a majority and its journal; every read sees one state that a majority has, on the
primary. So nothing that was read or acked is lost when the primary changes. Both need a replica set (or a
sharded cluster): a server that stands alone is refused at once, with the remedy.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import pymongo
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.int64 import Int64
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from server.storage import Doc, StorageError, StoreUnavailable

DATABASE: Final = "yuanxin"
"""Used when the url names none."""

SELECTION_S: Final = 5.0
"""How long an operation waits for a primary."""

OPERATION_S: Final = 10.0
"""How long one question to the server may take in all."""

_OLDEST_WIRE: Final = 13
"""MongoDB 5.0: reads of one state outside of transactions."""

_CATALOG_CHANGES: Final = 246
"""`SnapshotUnavailable`: an index was just made; to be asked again."""

_TRIES: Final = 10


class _PlainInt(TypeDecoder):
    """Numbers of eight bytes as `int`, not as a class of its own that JSON knows nothing of."""

    bson_type = Int64

    def transform_bson(self, value: Any) -> int:
        return int(value)


CODEC: Final[CodecOptions[Doc]] = CodecOptions(
    document_class=dict, type_registry=TypeRegistry([_PlainInt()])
)
MAJORITY: Final = WriteConcern("majority", j=True)
ONE_STATE: Final = ReadConcern("snapshot")

T = TypeVar("T")
Client = AsyncMongoClient[Doc]
Database = AsyncDatabase[Doc]
Documents = AsyncCollection[Doc]


def connect(url: str, database: str | None = None) -> tuple[Client, Database]:
    """A client, not connected yet, and a database: the one that is named, or the url's.

    Raises StorageError. What it says holds nothing of the url, which may hold a password.
    """
    try:
        client: Client = AsyncMongoClient(
            url,
            appname="yuanxin",
            serverSelectionTimeoutMS=round(SELECTION_S * 1000),
            connectTimeoutMS=round(SELECTION_S * 1000),
            maxPoolSize=32,
            retryWrites=True,
            retryReads=True,
            datetime_conversion="DATETIME_AUTO",
        )
    except (InvalidURI, ValueError):
        raise StorageError(
            "the MongoDB url cannot be read: mongodb://user:password@host:port,…/database?replicaSet=…, "
            "user and password percent-encoded"
        ) from None
    except ConfigurationError as error:
        raise StorageError(f"the MongoDB url cannot be used: {error}") from None
    default = client.get_default_database(DATABASE)
    used = client.get_database(
        database or default.name,
        codec_options=CODEC,
        read_preference=ReadPreference.PRIMARY,
        write_concern=MAJORITY,
        read_concern=ONE_STATE,
    )
    return client, used


async def check_server(client: Client) -> None:
    """Refuse a server on which the store's promises cannot be kept. Raises StorageError."""
    with translating(), pymongo.timeout(OPERATION_S):
        hello = await client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StorageError(
            "this MongoDB server stands alone, and a server alone has no transactions; "
            "start mongod with --replSet, run rs.initiate() once, and add replicaSet=… to the url"
        )
    if hello.get("maxWireVersion", 0) < _OLDEST_WIRE:
        raise StorageError("this MongoDB server is too old; version 5.0 or newer is needed")


@contextmanager
def translating() -> Iterator[None]:
    """Errors of the driver as the port's: StoreUnavailable, with the driver's reason."""
    try:
        yield
    except PyMongoError as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> StoreUnavailable:
    if isinstance(error, ExecutionTimeout):
        return StoreUnavailable("the store takes too long to answer")
    # The first line: the driver appends its picture of the whole replica set.
    reason = str(error).partition(", Timeout: ")[0].partition(", full error: ")[0]
    return StoreUnavailable(f"the store cannot be reached or refuses: {reason}")


def is_passing(error: PyMongoError) -> bool:
    """Whether nothing was done and the same may succeed when it is tried again."""
    if isinstance(error, OperationFailure) and error.code == _CATALOG_CHANGES:
        return True
    passing = isinstance(error, ConnectionFailure | ExecutionTimeout)
    return passing or error.has_error_label("TransientTransactionError")


async def asking_again(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask; once more for as long as an index that was just made is in the way."""
    tries = 0
    while True:
        try:
            return await ask()
        except OperationFailure as error:
            tries += 1
            if error.code != _CATALOG_CHANGES or tries == _TRIES:
                raise
        await asyncio.sleep(0.02 * tries)
