"""The product as the gateway sees it: tickets become people, names become commands."""

import asyncio
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


class _Asking:
    """The commands of one connection that wait for its session to be read."""

    __slots__ = ("commands", "turn")

    def __init__(self) -> None:
        self.commands = 0
        self.turn = asyncio.Lock()


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
        self._asking: dict[Connection, _Asking] = {}

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
        if connection not in self._asking:
            actor = self._sessions.known(connection.session_id, connection.identity.address)
            if actor is not None:
                return self._dispatcher.begin(actor, name, body, connection)
        asking = self._asking.setdefault(connection, _Asking())
        asking.commands += 1
        return self._ask(asking, connection, name, body)

    async def _ask(
        self, asking: _Asking, connection: Connection, name: str, body: object
    ) -> msgspec.Raw:
        """`handle`, where the session has to be read or noted. What came later does not begin sooner."""
        session_id, address = connection.session_id, connection.identity.address
        try:
            async with asking.turn:
                actor = await self._sessions.actor(session_id, address)
                answer = self._dispatcher.begin(actor, name, body, connection)
        except Refused as refused:
            return refusal(refused)
        finally:
            asking.commands -= 1
            if not asking.commands:
                del self._asking[connection]
        return answer if isinstance(answer, msgspec.Raw) else await answer
