"""Notices as they are shown."""

from collections.abc import Mapping
from typing import Final

from server.directory import Directory
from server.features.notices.protocol import KINDS, AdminNotice, KindRoad, NoticeItem
from server.notify.sending import LEFT_APP, NO_ACCOUNT
from server.notify.wishes import Road
from server.outbox import Notice, Priority

_REFUSALS: Final = {
    "unreachable": "unreachable",
    "unlicensed": "unlicensed",
    "content": "content",
    NO_ACCOUNT: "account",
    LEFT_APP: "unreachable",
}


def item_of(notice: Notice) -> NoticeItem:
    """What its person sees of it."""
    has_failed = notice.state in ("refused", "dead")
    return NoticeItem(
        notice_id=notice.id,
        kind=notice.kind,
        subject=notice.subject,
        state=notice.state,
        why=notice.why,
        refusal=_REFUSALS.get(notice.reason, "other") if has_failed else "",
        urgent=notice.priority is Priority.URGENT,
        count=notice.count,
        path=notice.path,
        created_at=notice.created_at,
        at=notice.at,
        is_again=bool(notice.again),
    )


def admin_notice(notice: Notice, directory: Directory) -> AdminNotice:
    """What an administrator sees of it."""
    person = directory.person(notice.person_id)
    return AdminNotice(
        notice=item_of(notice),
        person_id=notice.person_id,
        person_name=person.name if person is not None else notice.person_id,
        reason=notice.reason,
        failures=notice.failures,
        tried_at=notice.tried_at or 0,
        followed_by=notice.followed_by,
    )


def all_roads(chosen: Mapping[str, Road]) -> list[KindRoad]:
    """Every kind with its road."""
    return [KindRoad(kind=kind, road=chosen.get(kind, "wecom")) for kind in KINDS]
