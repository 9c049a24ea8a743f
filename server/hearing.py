"""What a node does about what others have put on the bulletin: it holds people, sessions and the mapping to
the OA in memory, and has to let go of what is no longer so."""

from collections.abc import Sequence

from realtime.errors import Closing
from realtime.hub import Hub
from server.auth.sessions import Sessions
from server.directory import Directory
from server.integrations.oa.poller import PollingWorklist
from server.storage import Store


class Hearing:
    """Keeps the promise of `server.nodes.bulletin.Hearer`. Only this node's sockets are closed here: the
    others hear for themselves."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        sessions: Sessions,
        hub: Hub,
        worklist: PollingWorklist,
    ) -> None:
        self._store = store
        self._directory = directory
        self._sessions = sessions
        self._hub = hub
        self._worklist = worklist

    async def sessions_ended(self, person_id: str, session_ids: Sequence[str]) -> None:
        for session_id in session_ids:
            self._sessions.forget(session_id)
        self._hub.close_connections(person_id, Closing.REVOKED, frozenset(session_ids))

    async def staff_changed(self) -> None:
        await self._directory.load(self._store)
        self._worklist.staff_changed()

    async def oa_changed(self, person_ids: Sequence[str]) -> None:
        self._worklist.hint(person_ids)

    async def missed(self) -> None:
        await self.staff_changed()
        self._sessions.forget_all()
        for person_id in self._hub.online_people():
            # They come back at once, and only those whose session still stands are let in.
            self._hub.close_connections(person_id, Closing.GOING_AWAY, None)
