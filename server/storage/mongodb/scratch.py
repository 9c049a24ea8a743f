"""A database for a trial: made, used and dropped again on the server of a url."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.storage.mongodb.connection import check_server, connect, translating


@asynccontextmanager
async def scratch_database(url: str) -> AsyncIterator[str]:
    """The name of a new database, which is dropped when the context ends. Raises StorageError."""
    client, used = connect(url)
    name = f"{used.name}_check_{secrets.token_hex(4)}"
    try:
        await check_server(client)
        try:
            yield name
        finally:
            with translating():
                await client.drop_database(name)
    finally:
        await client.close()


async def is_unused(url: str) -> bool:
    """Whether the url's database holds nothing yet."""
    client, used = connect(url)
    try:
        await check_server(client)
        with translating():
            return not await used.list_collection_names()
    finally:
        await client.close()
