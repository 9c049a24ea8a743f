"""What an administrator asks and does: how sending fares, whether WeCom works, the ledger, sending again.

The ledger holds no text that people wrote, only who was told of what kind of thing, when, and with which
outcome. Whose notices were looked at is recorded all the same.
"""

from typing import Final

from msgspec.structs import replace

from server.clock import Millis
from server.directory import Directory
from server.errors import ConflictRefused, Invalid, NotFound
from server.features.notices.protocol import (
    MOST_LISTED,
    ExamineWeCom,
    LedgerPage,
    NoticeResent,
    ResendNotice,
    SenderShown,
    ShowLedger,
    ShowSender,
    WeComExamined,
    WeComFinding,
)
from server.features.notices.shapes import admin_notice
from server.ids import made_id
from server.integrations.wecom import WeComDesk
from server.notify.state import SENDER, SenderState
from server.outbox import ENDED, UNENDED, Filter, Notice, Priority, State, ledger_page
from server.settings import Settings
from server.storage import Store
from server.work import UnitOfWork

PERSON_TIMES_PER_ACCOUNT_AND_DAY: Final = 200
FAILED: Final[tuple[State, ...]] = ("dead", "refused")


async def show_sender(
    command: ShowSender,
    work: UnitOfWork,
    settings: Settings,
    directory: Directory,
    desk: WeComDesk,
) -> SenderShown:
    state = await work.get(SenderState, SENDER) or SenderState(id=SENDER, at=Millis(0))
    token = await desk.token()
    accounts = sum(1 for person in directory.active() if person.wecom_user_id)
    return SenderShown(
        is_configured=bool(settings.wecom_api_base),
        at=state.at,
        owed=state.owed,
        waiting=state.waiting,
        oldest_at=state.oldest_at,
        in_flight=state.in_flight,
        people_held=state.people_held,
        is_held=state.is_held,
        is_misconfigured=state.is_misconfigured,
        held_until=state.held_until,
        got_through_at=state.got_through_at,
        fault=state.fault,
        fault_at=state.fault_at,
        token_fetched_at=0 if token is None else token.fetched_at,
        token_expires_at=0 if token is None else token.expires_at,
        sent_today=state.sent_today,
        day_limit=accounts * PERSON_TIMES_PER_ACCOUNT_AND_DAY,
        calls_per_second=settings.notice_calls_per_second,
        failed=await _failed(work.store),
    )


async def _failed(store: Store) -> int:
    counts = [
        await store.count(Notice.collection.name, "state", (state, int(priority)), cap=10_000)
        for state in FAILED
        for priority in Priority
    ]
    return sum(counts)


async def examine_wecom(
    command: ExamineWeCom, work: UnitOfWork, directory: Directory, desk: WeComDesk
) -> WeComExamined:
    found = await desk.examine(directory.wecom_user_of(work.actor.person_id))
    work.record("notices.test", "wecom", found={each.step: each.found for each in found})
    return WeComExamined(
        findings=[
            WeComFinding(step=each.step, found=each.found, code=each.code, detail=each.detail)
            for each in found
        ]
    )


async def show_ledger(command: ShowLedger, work: UnitOfWork, directory: Directory) -> LedgerPage:
    wanted = Filter(
        person_id=command.person_id,
        states=_states(command.state),
        kind=command.kind,
        since=command.since,
        until=command.until,
    )
    try:
        page = await ledger_page(work.store, wanted, command.after, min(command.limit, MOST_LISTED))
    except ValueError as fault:
        raise Invalid(str(fault)) from None
    work.record("notices.ledger", command.person_id or "everybody", state=command.state)
    items = [admin_notice(notice, directory) for notice in page.notices]
    return LedgerPage(items=items, next=page.next)


def _states(wanted: str) -> tuple[State, ...]:
    if wanted == "failed":
        return FAILED
    return tuple(state for state in (*UNENDED, *ENDED) if state == wanted)


async def resend_notice(
    command: ResendNotice, work: UnitOfWork, directory: Directory
) -> NoticeResent:
    failed = await work.get(Notice, command.notice_id)
    if failed is None:
        raise NotFound("there is no such notice")
    if failed.followed_by:
        return NoticeResent(notice_id=failed.followed_by)
    if failed.state not in FAILED:
        raise ConflictRefused("only what was given up or refused is sent again")
    directory.find(failed.person_id)
    again = _again(failed, work.now)
    work.put(replace(failed, followed_by=again.id))
    work.insert(again)
    work.record("notices.resend", failed.id, person=failed.person_id, by=again.id)
    return NoticeResent(notice_id=again.id)


def _again(failed: Notice, now: Millis) -> Notice:
    """A notice of its own, with a lease and an outcome of its own."""
    return Notice(
        id=made_id("resend", failed.person_id, failed.id),
        person_id=failed.person_id,
        kind=failed.kind,
        subject=failed.subject,
        state="queued",
        priority=failed.priority,
        at=now,
        created_at=now,
        upto=failed.upto,
        after=failed.after,
        count=failed.count,
        path=failed.path,
        again=failed.id,
        waiting_for=f"again:{failed.id}",
    )
