"""What crosses the wire about WeCom as the house the app lives in."""

from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Result
from server.auth.passwords import LONGEST
from server.clock import Millis
from server.directory import PersonCard

MOST_LISTED: Final = 500
MOST_CLAIMS: Final = 100

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


class ListBindings(Command, frozen=True):
    """Who comes by which WeCom id, at most 500 at once; `after` is the `next` of the page before
    (administrators; recorded)."""

    wire_name: ClassVar[str] = "host.bindings"
    after: Annotated[str, Meta(max_length=64)] = ""
    limit: Annotated[int, Meta(ge=1, le=10_000)] = MOST_LISTED


class BoundPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, the WeCom id by which he comes, since when, and how it was proved to be his."""

    wecom_user_id: str
    person_id: str
    person_name: str
    how: str
    bound_at: Millis


class BindingsPage(Result, frozen=True, omit_defaults=False):
    """A page of bindings; `next` is empty on the last one."""

    items: list[BoundPerson]
    next: str


class ListClaims(Command, frozen=True):
    """Who has come from WeCom within the last half hour and has yet to prove who he is (administrators)."""

    wire_name: ClassVar[str] = "host.claims"


class OpenClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A WeCom id nobody has, until when it may be proved, whether a code was sent, and wrong tries of it."""

    wecom_user_id: str
    expires_at: Millis
    code_sent: bool
    tries: int


class ClaimsListed(Result, frozen=True, omit_defaults=False):
    """The newest 100."""

    items: list[OpenClaim]


class ShowSync(Command, frozen=True):
    """What came of the last bringing together of directory and WeCom's contacts (administrators)."""

    wire_name: ClassVar[str] = "host.sync"


class SyncShown(Result, frozen=True, omit_defaults=False):
    """`direction` is off, from_wecom or to_wecom, `hour` when it runs at night; `result` is done, held
    (removals wait for a confirmation) or failed, empty when there was none yet. Conflicts are sentences for
    whoever keeps the staff list."""

    direction: str
    hour: int
    result: str = ""
    trigger: str = ""
    why: str = ""
    ended_at: Millis = Millis(0)
    counts: dict[str, int] = {}
    conflicts: list[str] = []


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
