"""What crosses the wire about WeCom as the house the app lives in."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Result
from server.auth.passwords import LONGEST
from server.clock import Millis
from server.directory import PersonCard

Id = Annotated[str, Meta(min_length=1, max_length=64)]


class JsConfig(Command, frozen=True):
    """What the page at an address of ours has to show WeCom before it may use the phone."""

    wire_name: ClassVar[str] = "host.js_config"
    url: Annotated[str, Meta(min_length=1, max_length=2_048)]


class JsSignature(msgspec.Struct, frozen=True, kw_only=True):
    """One permission: time in seconds, a word of chance, and the signature over both and the page."""

    timestamp: int
    nonce: str
    signature: str


class JsPermission(Result, frozen=True):
    """The company's permission (`config`) and the app's (`agent_config`), for that page."""

    corp_id: str
    agent_id: int
    config: JsSignature
    agent_config: JsSignature


class ShowBinding(Command, frozen=True):
    """By which WeCom id somebody comes (administrators)."""

    wire_name: ClassVar[str] = "host.binding"
    person_id: Id


class BindingShown(Result, frozen=True):
    """The WeCom id that notices go to, and since when and how it is proved to be the person's."""

    wecom_user_id: str
    how: str = ""
    bound_at: Millis | None = None


class Unbind(Command, frozen=True):
    """Take a person's WeCom id away: notices stop, sessions that came by it end (administrators)."""

    wire_name: ClassVar[str] = "host.unbind"
    person_id: Id


class AskForCode(Command, frozen=True):
    """What is posted to get a code on the phone."""

    wire_name: ClassVar[str] = "the request for a code"
    account: Id


class Prove(Command, frozen=True):
    """What is posted to say who one is: the account with a code, or with its password."""

    wire_name: ClassVar[str] = "the proof"
    account: Id
    code: Annotated[str, Meta(max_length=16)] = ""
    password: Annotated[str, Meta(max_length=LONGEST)] = ""


class ClaimShown(msgspec.Struct, frozen=True, kw_only=True):
    """Whom WeCom vouches for, whether codes can be sent, and where to go (`ask`, else empty) to show phone
    number and company mail in WeCom; `has_shown` when that was done and nobody was known by them."""

    wecom_user_id: str
    sends_codes: bool
    ask: str
    has_shown: bool


class CodeOnItsWay(msgspec.Struct, frozen=True, kw_only=True):
    """The same words whether or not there is such a person with a phone. Seconds."""

    expires_in: int
    again_in: int


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """Signed in, with a cookie; where to go now."""

    person: PersonCard
    target: str


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """By what else than the account one may sign in here."""

    wecom: bool
