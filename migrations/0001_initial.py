"""Make every collection of the first release."""

from server import schema, stream
from server.features import FEATURES
from server.storage import Store

ID = "0001_initial"


async def up(store: Store) -> None:
    """Declare all collections with their indexes."""
    await schema.declare(store, (*FEATURES, stream.feature))
