"""Taking access away: ending sessions, one or all, with the sockets opened under them."""

import msgspec

from realtime.errors import Closing
from server.auth import Session
from server.auth.sessions import MOST_LISTED, Sessions
from server.directory.directory import Directory
from server.directory.documents import Person
from server.nodes.bulletin import sessions_ended, staff_changed
from server.work import UnitOfWork


def end_session(work: UnitOfWork, sessions: Sessions, session: Session) -> None:
    """End a session that this work has read. Its sockets are closed after the commit."""
    work.put(msgspec.structs.replace(session, revoked_at=work.now))
    work.post(lambda now: sessions_ended(now, session.person_id, [session.id]))
    work.afterwards(lambda: sessions.forget(session.id))
    work.disconnect(session.person_id, Closing.REVOKED, frozenset({session.id}))


async def end_sessions(
    work: UnitOfWork, sessions: Sessions, person_id: str, *, but: str = ""
) -> int:
    """End all sessions of a person, `but` this one. How many there were."""
    found = await work.query(Session, "person", person_id, reverse=True, limit=MOST_LISTED)
    live = [session for session in found if sessions.is_live(session) and session.id != but]
    for session in live:
        end_session(work, sessions, session)
    return len(live)


async def retire(
    work: UnitOfWork, sessions: Sessions, directory: Directory, person: Person
) -> Person:
    """Somebody leaves: found by nobody from now on, and signed out everywhere. The ids of other
    systems are given up, because they may be somebody else's some day."""
    retired = msgspec.structs.replace(person, retired_at=work.now, wecom_user_id="", oa_user_id="")
    work.overwrite(retired)
    work.post(staff_changed)
    ended = await end_sessions(work, sessions, person.id)
    work.record("directory.retire", person.id, sessions=ended)
    work.afterwards(lambda: directory.refresh([retired]))
    return retired
