"""What crosses the wire about notices: what somebody wishes, what became of each, how sending fares."""

from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis
from server.notify.wishes import MOST_DIGESTS, MOST_PERIODS, Hour, QuietPeriod, Road
from server.outbox import State, Why

Kind = Literal["chat", "todo", "deputed", "mail", "forum"]
KINDS: Final[tuple[Kind, ...]] = ("chat", "todo", "deputed", "mail", "forum")
"""What may be chosen for; a kind of notices that is not named here goes to WeCom."""
NEVER_SILENT: Final = ("urgent",)
"""What no wish holds back."""
MOST_LISTED: Final = 100

Text = Annotated[str, Meta(max_length=64)]
Cursor = Annotated[str, Meta(max_length=160)]
Limit = Annotated[int, Meta(ge=1, le=10_000)]
Moment = Annotated[int, Meta(ge=0, lt=2**53)]


class KindRoad(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which road one kind of notices takes: WeCom, the app alone, or WeCom gathered on one card."""

    kind: Kind
    road: Road


class ShowPreferences(Command, frozen=True):
    """What one has chosen for one's notices."""

    wire_name: ClassVar[str] = "notices.preferences"


class NoticePreferences(Result, frozen=True, omit_defaults=False):
    """Every kind with its road, the quiet hours and whether being named (@) rings in them, the hours of
    digests; and what goes through all the same. Minutes and hours are those of `timezone`."""

    quiet: list[QuietPeriod]
    roads: list[KindRoad]
    digest_hours: list[int]
    mentions: bool
    never_silent: list[str]
    timezone: str


class SetPreferences(Command, frozen=True):
    """Choose anew; what is not named for a kind goes to WeCom. What waits already is decided again."""

    wire_name: ClassVar[str] = "notices.set_preferences"
    quiet: Annotated[list[QuietPeriod], Meta(max_length=MOST_PERIODS)]
    roads: Annotated[list[KindRoad], Meta(max_length=len(KINDS))]
    digest_hours: Annotated[list[Hour], Meta(max_length=MOST_DIGESTS)] = []
    mentions: bool = False


class PreferencesChanged(Event, frozen=True):
    """One's choice for notices was changed, here or on another device."""

    wire_name: ClassVar[str] = "notices.preferences_changed"
    quiet: list[QuietPeriod]
    roads: list[KindRoad]
    digest_hours: list[int]
    mentions: bool


class NoticeItem(msgspec.Struct, frozen=True, kw_only=True):
    """One notice and what became of it. `at` is when it ended, or when it is looked at next; `refusal` is
    `unreachable`, `unlicensed`, `content`, `account` or `other`; `path` opens what it is about."""

    notice_id: str
    kind: str
    subject: str
    state: State
    why: Why
    refusal: str
    urgent: bool
    count: int
    path: str
    created_at: Millis
    at: Millis
    is_again: bool


class ShowWhy(Command, frozen=True):
    """Why one did, or did not, get a notice: one's own, the newest first, at most 100 at once. `after` is
    the `next` of the page before."""

    wire_name: ClassVar[str] = "notices.why"
    kind: Text = ""
    subject: Annotated[str, Meta(max_length=160)] = ""
    after: Cursor = ""
    limit: Limit = 50


class NoticeHistory(Result, frozen=True, omit_defaults=False):
    """A page of one's own notices; `next` is empty on the last one. They are kept for `kept_days`."""

    items: list[NoticeItem]
    next: str
    kept_days: int


class ShowSender(Command, frozen=True):
    """How the sending of notices is doing. For administrators."""

    wire_name: ClassVar[str] = "notices.admin_state"


class SenderShown(Result, frozen=True, omit_defaults=False):
    """The state the sending node has written last; moments are 0 where there was none. `sent_today` counts
    what WeCom took since midnight, `day_limit` is what it takes in a day."""

    is_configured: bool
    at: int
    owed: int
    waiting: int
    oldest_at: int
    in_flight: int
    people_held: int
    is_held: bool
    is_misconfigured: bool
    held_until: int
    got_through_at: int
    fault: str
    fault_at: int
    token_fetched_at: int
    token_expires_at: int
    sent_today: int
    day_limit: int
    calls_per_second: int
    failed: int


class ExamineWeCom(Command, frozen=True):
    """Try the connection to WeCom, step by step. For administrators, a few times a minute."""

    wire_name: ClassVar[str] = "notices.admin_test"


class WeComFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One step: `settings`, `secret`, `address`, `scope` or `callback`; WeCom's errcode if it gave one."""

    step: str
    found: Literal["good", "bad", "unknown"]
    code: int
    detail: str


class WeComExamined(Result, frozen=True):
    """What was found, as far as it went."""

    findings: list[WeComFinding]


class AdminNotice(msgspec.Struct, frozen=True, kw_only=True):
    """One notice in the ledger, with its person and WeCom's own words. `followed_by` names the notice by
    which it was sent again."""

    notice: NoticeItem
    person_id: str
    person_name: str
    reason: str
    failures: int
    tried_at: int
    followed_by: str


class ShowLedger(Command, frozen=True):
    """Leaf through everybody's notices, the newest first. For administrators; looking at one person's is
    recorded. `failed` is what was refused or given up."""

    wire_name: ClassVar[str] = "notices.admin_ledger"
    person_id: Text = ""
    state: Literal["", "queued", "sending", "sent", "refused", "dead", "settled", "failed"] = ""
    kind: Text = ""
    since: Moment = 0
    until: Moment = 0
    after: Cursor = ""
    limit: Limit = 50


class LedgerPage(Result, frozen=True, omit_defaults=False):
    """A page of the ledger; `next` is empty on the last one."""

    items: list[AdminNotice]
    next: str


class ResendNotice(Command, frozen=True):
    """Send a notice again that was given up or refused. Once for each; a repeat answers the same. For
    administrators, and recorded."""

    wire_name: ClassVar[str] = "notices.admin_resend"
    notice_id: Annotated[str, Meta(min_length=1, max_length=64)]


class NoticeResent(Result, frozen=True):
    """The notice by which it is sent again."""

    notice_id: str
