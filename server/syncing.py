"""Directory and WeCom brought together: the part that goes on while serving, and the command beside it."""

import sys
import time
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp

from realtime.hub import Hub
from server.auth.sessions import Sessions
from server.clock import Clock
from server.directory import Directory
from server.directory.wecom_report import summary
from server.directory.wecom_state import Outcome, kept_state
from server.directory.wecom_sync import OFF, DirectorySync
from server.http.health import Ask, Check
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from server.integrations.wecom.contacts import Contacts
from server.integrations.wecom.contacts_client import WeComContacts
from server.integrations.wecom.token import TokenStore
from server.settings import BadSetting, Settings
from server.storage import Store
from server.work import SystemWork

CONTACTS_AGENT: Final = 0
"""Tokens are kept by agent id, and the contacts' interface is no app."""
TOLD_EVERY_S: Final = 1.0


def directory_sync(
    settings: Settings,
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    sessions: Sessions,
    http: aiohttp.ClientSession,
    tokens: TokenStore | None = None,
) -> DirectorySync:
    """As the settings say; off where they name no WeCom."""
    return DirectorySync(
        store,
        system,
        clock,
        directory,
        sessions,
        _contacts(settings, http, clock, tokens),
        direction=settings.wecom_sync,
        hour=settings.wecom_sync_hour,
        zone=ZoneInfo(settings.his_timezone),
    )


def _contacts(
    settings: Settings, http: aiohttp.ClientSession, clock: Clock, tokens: TokenStore | None
) -> Contacts | None:
    def client(agent_id: int, secret: str) -> WeComClient | None:
        config = WeComConfig(
            api_base=settings.wecom_api_base,
            corp_id=settings.wecom_corp_id,
            agent_id=agent_id,
            secret=secret,
        )
        return WeComClient(config, http, clock, tokens) if config.complete else None

    app = client(settings.wecom_agent_id, settings.wecom_secret)
    if app is None:
        return None
    sync = client(CONTACTS_AGENT, settings.wecom_sync_secret)
    return WeComContacts(app, sync, number_field=settings.wecom_sync_number)


def sync_check(sync: DirectorySync) -> Ask:
    """How the last run ended, in numbers, for `/readyz`."""

    async def ask() -> Check:
        if sync.direction == OFF:
            return Check(True, "off")
        outcome = (await sync.state()).outcome
        if sync.progress:
            return Check(outcome is None or outcome.is_good, "under way")
        if outcome is None:
            return Check(True, "not run yet")
        return Check(outcome.is_good, _in_short(outcome))

    return ask


def _in_short(outcome: Outcome) -> str:
    if outcome.result == "failed":
        return f"failed: {outcome.why}"
    counts = ", ".join(f"{name} {number}" for name, number in outcome.counts.items() if number)
    held = "removals wait for a confirmation; " if outcome.result == "held" else ""
    return f"{held}{counts}"


async def wecom_sync(
    settings: Settings, store: Store, clock: Clock, *, apply: bool, confirmed: bool
) -> int:
    """Print what differs and, told to, do it. 0 when all is well, 1 when something is left to people, 2
    when WeCom could not be read or asked."""
    directory = Directory()
    await directory.load(store)
    sessions = Sessions(
        store,
        clock,
        directory.roles_of,
        idle_hours=settings.session_idle_hours,
        days=settings.session_days,
    )
    system = SystemWork(store, Hub(clock), clock)
    async with aiohttp.ClientSession() as http:
        sync = directory_sync(settings, store, system, clock, directory, sessions, http)
        if sync.direction == OFF:
            raise BadSetting(
                "YUANXIN_WECOM_SYNC is off, or YUANXIN_WECOM_API_BASE, _CORP_ID and _SECRET name no app"
            )
        outcome = await sync.run(
            "command", apply=apply, confirmed=confirmed, tell=_Progress().tell, show=print
        )
    return _ended(outcome)


def _ended(outcome: Outcome) -> int:
    if outcome.result == "failed":
        print(f"未完成：{outcome.why}。已作的改动有效，再次运行会接着做。")
        return 2
    if outcome.result == "shown":
        print("以上为预览，尚未执行。")
    elif outcome.result == "held":
        print("已执行，离职与关闭部门除外：超过 5 %，须加 --confirm-removals。")
    else:
        print("已执行。")
    return 1 if outcome.result == "held" or outcome.counts["conflicts"] else 0


async def show_last(store: Store) -> int:
    """Print how the last run ended that changed something, or was to."""
    outcome = (await kept_state(store)).outcome
    if outcome is None:
        print("还没有同步过。")
        return 0
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(outcome.began_at / 1000))
    print(f"{began} {outcome.trigger} {outcome.result} {outcome.why}".rstrip())
    if outcome.counts:
        print(summary(outcome.direction, outcome.counts))
    print("\n".join(outcome.lines))
    return 0 if outcome.is_good else 1


class _Progress:
    """Tells how far a run is, on standard error, at most once a second."""

    def __init__(self) -> None:
        self._told_at = 0.0

    def tell(self, line: str) -> None:
        if time.monotonic() - self._told_at >= TOLD_EVERY_S:
            self._told_at = time.monotonic()
            print(line, file=sys.stderr, flush=True)
