"""The product as the gateway sees it: tickets become people, names become commands."""

from collections.abc import Awaitable, Sequence

import msgspec

from realtime.application import Identity
from realtime.connection import Connection
from server.auth.sessions import Sessions
from server.auth.tickets import Tickets
from server.dispatch import Dispatcher, refusal
from server.errors import Refused, Unauthenticated
from server.storage import Store, refusing
from server.stream import Streams


class SocketApplication:
    """Keeps the promise of `realtime.application.Application`."""

    def __init__(
        self,
        tickets: Tickets,
        sessions: Sessions,
        streams: Streams,
        store: Store,
        dispatcher: Dispatcher,
    ) -> None:
        self._tickets = tickets
        self._sessions = sessions
        self._streams = streams
        self._store = store
        self._dispatcher = dispatcher

    async def authenticate(self, auth: object, address: str) -> Identity:
        """The person whose session the ticket was issued to. Raises Unauthenticated, Busy,
        Unavailable."""
        ticket = auth.get("ticket") if isinstance(auth, dict) else None
        session_id = await self._tickets.redeem(ticket) if isinstance(ticket, str) else None
        if session_id is None:
            raise Unauthenticated("a socket needs a fresh ticket; ask for one and connect again")
        actor = await self._sessions.actor(session_id, address)
        return Identity(actor.person_id, session_id, address)

    async def channels_of(self, person_id: str) -> Sequence[str]:
        """What the person hears by membership. Raises Busy, Unavailable."""
        with refusing():
            return list(await self._streams.channels_of(self._store, person_id))

    def handle(
        self, connection: Connection, name: str, body: object
    ) -> msgspec.Raw | Awaitable[msgspec.Raw]:
        """Do a command for the person behind the connection, with the rights of this moment."""
        actor = self._sessions.known(connection.session_id, connection.identity.address)
        if actor is None:
            return self._ask(connection, name, body)
        return self._dispatcher.begin(actor, name, body, connection)

    async def _ask(self, connection: Connection, name: str, body: object) -> msgspec.Raw:
        try:
            actor = await self._sessions.actor(connection.session_id, connection.identity.address)
        except Refused as refused:
            return refusal(refused)
        return await self._dispatcher.answer(actor, name, body, connection)
