"""What people may do with their own account. Nothing here reaches anybody else's."""

import msgspec
from msgspec import UNSET

from realtime.channel import person_channel
from realtime.protocol import Nothing
from server.auth import Credential, Session
from server.auth.failures import SignInLimits
from server.auth.passwords import Passwords
from server.auth.sessions import Sessions
from server.directory import Directory, card_of
from server.directory.access import end_session, end_sessions
from server.errors import Forbidden, Invalid, NotFound
from server.features.account.documents import Preferences
from server.features.account.protocol import (
    AccountSettings,
    ChangePassword,
    ChangeSettings,
    Chosen,
    Device,
    Devices,
    ListSessions,
    Me,
    RevokeSession,
    ServerFacts,
    SettingsChanged,
    ShowMe,
    SignOut,
)
from server.work import UnitOfWork

SETTINGS_KEY = "account.settings"
REPEAT_MS = 10 * 60 * 1000
"""After a change of password, how long it may be asked for again."""


async def show_me(
    command: ShowMe, work: UnitOfWork, directory: Directory, facts: ServerFacts
) -> Me:
    person = directory.find(work.actor.person_id)
    return Me(
        person=card_of(person, directory, online=True),
        roles=sorted(work.actor.roles),
        session_id=work.actor.session_id,
        settings=_settings(await _preferences(work)),
        server=facts,
    )


async def change_settings(command: ChangeSettings, work: UnitOfWork) -> Chosen:
    before = await _preferences(work)
    given = {
        name: value
        for name in command.__struct_fields__
        if (value := getattr(command, name)) is not UNSET
    }
    after = msgspec.structs.replace(before, **given)
    settings = _settings(after)
    if after != before:
        work.put(after)
        work.append(
            person_channel(work.actor.person_id),
            SettingsChanged(**msgspec.structs.asdict(settings)),
            key=SETTINGS_KEY,
        )
        work.record("account.set_settings", work.actor.person_id, **given)
    return Chosen(settings=settings)


async def list_sessions(command: ListSessions, work: UnitOfWork, sessions: Sessions) -> Devices:
    return Devices(
        sessions=[
            Device(
                session_id=session.id,
                device=session.device,
                address=session.address,
                created_at=session.created_at,
                seen_at=session.seen_at,
                current=session.id == work.actor.session_id,
            )
            for session in await sessions.of_person(work.actor.person_id)
        ]
    )


async def revoke_session(command: RevokeSession, work: UnitOfWork, sessions: Sessions) -> Nothing:
    session = await work.get(Session, command.session_id)
    if session is None or session.person_id != work.actor.person_id:
        raise NotFound("there is no such device")
    # Revoking twice is not an error: phones repeat when the ack is lost.
    if sessions.is_live(session):
        end_session(work, sessions, session)
        work.record("account.revoke_session", session.id)
    return Nothing()


async def sign_out(command: SignOut, work: UnitOfWork, sessions: Sessions) -> Nothing:
    session = await work.get(Session, work.actor.session_id)
    if session is not None and sessions.is_live(session):
        end_session(work, sessions, session)
        work.record("account.sign_out", session.id)
    return Nothing()


async def change_password(
    command: ChangePassword,
    work: UnitOfWork,
    passwords: Passwords,
    failures: SignInLimits,
    sessions: Sessions,
) -> Nothing:
    person_id, address = work.actor.person_id, work.actor.address
    if command.new == command.old or command.new.casefold() == person_id.casefold():
        raise Invalid("the new password must differ from the old one and from the account")
    failures.check(person_id, address)
    credential = await work.get(Credential, person_id)

    async def is_held(password: str) -> bool:
        hashed = credential.password_hash if credential else None
        return await passwords.verify(
            hashed, password, still_allowed=lambda: failures.check(person_id, address)
        )

    if not await is_held(command.old):
        failures.failed(person_id, address)
        # Phones ask again when the ack is lost: then the new one is held already.
        is_fresh = credential is not None and work.now - credential.changed_at < REPEAT_MS
        if not (is_fresh and await is_held(command.new)):
            raise Forbidden("the old password is not right")
        failures.taken_back(person_id, address)
        return Nothing()
    work.put(
        Credential(
            id=person_id,
            password_hash=await passwords.hash(command.new),
            changed_at=work.now,
        )
    )
    ended = await end_sessions(work, sessions, person_id, but=work.actor.session_id)
    work.record("account.change_password", person_id, sessions=ended)
    return Nothing()


async def _preferences(work: UnitOfWork) -> Preferences:
    person_id = work.actor.person_id
    return await work.get(Preferences, person_id) or Preferences(id=person_id)


def _settings(preferences: Preferences) -> AccountSettings:
    return AccountSettings(
        theme=preferences.theme, font=preferences.font, language=preferences.language
    )
