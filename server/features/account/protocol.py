"""What crosses the wire about one's own account."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from realtime.protocol import Command, Event, Result
from server.auth.passwords import LONGEST
from server.clock import Millis
from server.directory import PersonCard

Theme = Literal["system", "light", "dark"]
Font = Literal["normal", "large"]
Language = Literal["zh", "en"]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Password = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
NewPassword = Annotated[str, Meta(min_length=8, max_length=LONGEST)]


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody wants the app to look, on every device."""

    theme: Theme
    font: Font
    language: Language


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a page has to know of the server's settings."""

    recall_seconds: int
    text_limit: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A session that has not ended; `current` is the one asking."""

    session_id: str
    device: str
    address: str
    created_at: Millis
    seen_at: Millis
    current: bool


class ShowMe(Command, frozen=True):
    """Who is signed in here, and what the page needs to begin."""

    wire_name: ClassVar[str] = "account.me"


class Me(Result, frozen=True):
    """The person signed in."""

    person: PersonCard
    roles: list[str]
    session_id: str
    settings: AccountSettings
    server: ServerFacts


class ChangeSettings(Command, frozen=True):
    """Change how the app looks; what is not named stays."""

    wire_name: ClassVar[str] = "account.set_settings"
    theme: Theme | UnsetType = UNSET
    font: Font | UnsetType = UNSET
    language: Language | UnsetType = UNSET


class Chosen(Result, frozen=True):
    """How the app looks now."""

    settings: AccountSettings


class ListSessions(Command, frozen=True):
    """The devices on which one is signed in."""

    wire_name: ClassVar[str] = "account.sessions"


class Devices(Result, frozen=True):
    """Devices, the latest sign-in first."""

    sessions: list[Device]


class RevokeSession(Command, frozen=True):
    """Sign a device out from elsewhere; its sockets are closed."""

    wire_name: ClassVar[str] = "account.revoke_session"
    session_id: Id


class SignOut(Command, frozen=True):
    """End the session this is asked under."""

    wire_name: ClassVar[str] = "account.sign_out"


class ChangePassword(Command, frozen=True):
    """Choose a new password; all other devices are signed out."""

    wire_name: ClassVar[str] = "account.change_password"
    old: Password
    new: NewPassword


class SettingsChanged(Event, frozen=True):
    """One's own settings were changed, here or on another device."""

    wire_name: ClassVar[str] = "account.settings_changed"
    theme: Theme
    font: Font
    language: Language


class SignInForm(Command, frozen=True):
    """What is posted to sign in."""

    wire_name: ClassVar[str] = "the sign-in"
    account: Id
    password: Password


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a sign-in. The token is given this once."""

    token: str
    expires_at: Millis
    person: PersonCard


class TicketIssued(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that opens one socket within `expires_in` seconds."""

    ticket: str
    expires_in: int
