"""Giving access and taking it away: beginning a session, ending one or all, with the sockets opened under
them."""

from typing import Final

import msgspec

from realtime.errors import Closing
from server.auth import Session
from server.auth.sessions import MOST_LISTED, Sessions
from server.directory.directory import Directory
from server.directory.documents import Person
from server.nodes.bulletin import sessions_ended, staff_changed
from server.work import SystemWork, UnitOfWork

MOST_SESSIONS: Final = 50
"""Live sessions of one person; a further sign-in ends the oldest."""


async def begin_session(work: UnitOfWork, sessions: Sessions, session: Session) -> None:
    """Store a new session; when there are too many, the oldest end."""
    for oldest in (await _live(work, sessions, session.person_id))[MOST_SESSIONS - 1 :]:
        end_session(work, sessions, oldest)
    work.insert(session)


def end_session(work: UnitOfWork, sessions: Sessions, session: Session) -> None:
    """End a session that this work has read. Its sockets are closed after the commit."""
    work.put(msgspec.structs.replace(session, revoked_at=work.now))
    work.post(lambda now: sessions_ended(now, session.person_id, [session.id]))
    work.afterwards(lambda: sessions.forget(session.id))
    work.disconnect(session.person_id, Closing.REVOKED, frozenset({session.id}))


async def end_sessions(
    work: UnitOfWork,
    sessions: Sessions,
    person_id: str,
    *,
    but: str = "",
    only_by_wecom: bool = False,
) -> int:
    """End all sessions of a person, `but` this one, or only those that WeCom vouched for. How many there
    were."""
    ending = [
        session
        for session in await _live(work, sessions, person_id)
        if session.id != but and (session.by_wecom or not only_by_wecom)
    ]
    for session in ending:
        end_session(work, sessions, session)
    return len(ending)


async def sign_out_everywhere(
    system: SystemWork, sessions: Sessions, person_id: str, why: str
) -> int:
    """End all sessions of somebody because another system says so; `why` stands in the audit. How many
    there were. Other nodes hear of it within about a second."""

    async def end(work: UnitOfWork) -> int:
        ended = await end_sessions(work, sessions, person_id)
        if ended:
            work.record("directory.sign_out_everywhere", person_id, sessions=ended, why=why)
        return ended

    return await system.do(end)


async def _live(work: UnitOfWork, sessions: Sessions, person_id: str) -> list[Session]:
    """A person's sessions that stand, newest first."""
    found = await work.query(Session, "person", person_id, reverse=True, limit=MOST_LISTED)
    return [session for session in found if sessions.is_live(session)]


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
