"""The sandbox around the server: stand-ins on their port, settings that point to them, a filled store.

A setting the operator gives wins over the stand-in's; the stand-ins take their credentials from the same
settings. Nothing here is reached without `--sandbox`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web

from server.app import opened_store, seed_features
from server.clock import Clock
from server.directory import Person
from server.directory.seeding import seed_people
from server.features.chat.seeding import Talk, seed_talk
from server.features.dashboard.plausible import BUSYNESS, EMERGENCY
from server.features.wecom.menu import menu_of
from server.sandbox.app import sandbox_app
from server.sandbox.config import (
    HisTarget,
    OATarget,
    SandboxConfig,
    SandboxDepartment,
    SandboxParty,
    SandboxPerson,
)
from server.sandbox.hospital import Hospital, hospital
from server.settings import Settings

CORP_ID = "wwsandbox"
SECRET = "sandbox"  # noqa: S105  (the stand-in's, worth nothing anywhere else)
SMS_SECRET = "sandboxsms"  # noqa: S105
SYNC_SECRET = "sandboxcontacts"  # noqa: S105
CALLBACK_TOKEN = "sandboxtoken"  # noqa: S105
ANYWHERE = ("", "0.0.0.0", "::")
OA_WEBHOOK_KEYS = "sandbox:secretofthesandboxoa"
OA_CALLS_PER_SECOND = 30
"""Ten more than an OA is asked for: the first tour of copies takes them, and nobody's first reading waits."""
OA_FILE = "/oa/weaver/weaver.file.FileDownload?fileid={id}&download=1"
HIS_KEYS = "sandbox:secretofthesandboxhis"
CALLBACK_AES_KEY = "c2FuZGJveGtleWZvcnRoZXN0YW5kaW5vZnl1YW54aW4"


def with_stand_ins(settings: Settings) -> Settings:
    """The settings, pointing to the stand-ins wherever the operator says nothing."""
    base = f"http://127.0.0.1:{settings.sandbox_port}"
    # Codes are worth something only where they were given: one WeCom for all of it.
    wecom = "" if settings.wecom_api_base else f"{base}/wecom"
    return replace(
        settings,
        wecom_api_base=settings.wecom_api_base or f"{base}/wecom/cgi-bin/",
        wecom_authorize_url=settings.wecom_authorize_url
        or (wecom and f"{wecom}/connect/oauth2/authorize"),
        wecom_qr_url=settings.wecom_qr_url or (wecom and f"{wecom}/wwlogin/sso/login"),
        wecom_corp_id=settings.wecom_corp_id or CORP_ID,
        wecom_secret=settings.wecom_secret or SECRET,
        wecom_sync_secret=settings.wecom_sync_secret or SYNC_SECRET,
        wecom_groups=settings.wecom_groups or "messages",
        wecom_callback_token=settings.wecom_callback_token or CALLBACK_TOKEN,
        wecom_callback_aes_key=settings.wecom_callback_aes_key or CALLBACK_AES_KEY,
        sms_url=settings.sms_url or f"{base}/sms/send",
        sms_secret=settings.sms_secret or SMS_SECRET,
        oa_endpoint=settings.oa_endpoint or f"{base}/oa/services/WorkflowService",
        oa_calls_per_second=_calls_per_second(settings),
        oa_webhook_keys=settings.oa_webhook_keys or OA_WEBHOOK_KEYS,
        oa_files_url=settings.oa_files_url or ("" if settings.oa_endpoint else f"{base}{OA_FILE}"),
        his_keys=settings.his_keys or HIS_KEYS,
    )


def _calls_per_second(settings: Settings) -> int:
    says_nothing = settings.oa_calls_per_second == Settings().oa_calls_per_second
    is_ours = says_nothing and not settings.oa_endpoint
    return OA_CALLS_PER_SECOND if is_ours else settings.oa_calls_per_second


@asynccontextmanager
async def sandboxed(settings: Settings, clock: Clock) -> AsyncIterator[Settings]:
    """Stand-ins serve and the store is filled; the settings to run the server with."""
    pointing = with_stand_ins(settings)
    async with stand_ins(settings, clock):
        await fill(pointing, clock)
        yield pointing


@asynccontextmanager
async def stand_ins(settings: Settings, clock: Clock) -> AsyncIterator[int]:
    """Serve the stand-ins; the port they listen on."""
    pointing = with_stand_ins(settings)
    made = hospital()
    config = SandboxConfig(
        data_dir=settings.data_dir,
        people=_phone_book(made),
        port=settings.sandbox_port,
        public_url=pointing.url,
        corp_id=pointing.wecom_corp_id,
        agent_id=pointing.wecom_agent_id,
        secret=pointing.wecom_secret,
        sms_secret=pointing.sms_secret,
        sync_secret=pointing.wecom_sync_secret,
        parties=[SandboxParty(d.id, d.name, d.parent_id) for d in made.departments],
        callback_token=pointing.wecom_callback_token,
        callback_aes_key=pointing.wecom_callback_aes_key,
        callback_url=_callback_url(pointing),
        menu=menu_of(pointing.url),
        clock=clock,
        departments=_departments(made),
        his=_his_target(pointing),
        oa_calls_out_to=_oa_target(pointing),
    )
    runner = web.AppRunner(sandbox_app(config), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.host, config.port).start()
        port: int = runner.addresses[0][1]
        yield port
    finally:
        await runner.cleanup()


NEWCOMER = SandboxPerson("new.comer", "新来的", "进修医师")
"""A member of the company's WeCom whom the staff list does not name."""


def _phone_book(made: Hospital) -> list[SandboxPerson]:
    names = {department.id: department.name for department in made.departments}
    staff = [
        SandboxPerson(
            person_id=person.id,
            name=person.name,
            title=person.posts[0].title if person.posts else "",
            department=names[person.posts[0].department_id] if person.posts else "",
            parties=tuple(post.department_id for post in person.posts),
            leads=tuple(post.department_id for post in person.posts if post.leads),
            number=person.employee_number,
            mobile=person.mobile,
            email=person.email,
        )
        for person in made.people
    ]
    return [*staff, NEWCOMER]


def _departments(made: Hospital) -> list[SandboxDepartment]:
    return [
        SandboxDepartment(
            department_id=id,
            outpatients=busy.outpatients,
            beds=busy.beds,
            operations=busy.operations,
            is_emergency=id == EMERGENCY,
        )
        for id, busy in BUSYNESS.items()
        if any(department.id == id for department in made.departments)
    ]


def _his_target(settings: Settings) -> HisTarget | None:
    """The server itself, signed with the first of its keys; none when its port is yet to be found."""
    address = _own_address(settings)
    if not address:
        return None
    key_id, secret = next(iter(settings.his_secrets.items()))
    return HisTarget(
        url=address,
        key_id=key_id,
        secret=secret,
        period_s=settings.his_period_seconds,
        timezone=settings.his_timezone,
    )


def _oa_target(settings: Settings) -> OATarget | None:
    """The same, for the OA."""
    address = _own_address(settings)
    if not address:
        return None
    key_id, secret = next(iter(settings.oa_webhook_secrets.items()))
    return OATarget(url=f"{address}/oa/changed", secret=secret, key_id=key_id)


def _callback_url(settings: Settings) -> str:
    address = _own_address(settings)
    return f"{address}/wecom/callback" if address else ""


def _own_address(settings: Settings) -> str:
    """Where the server is found from this machine; empty when its port is yet to be found."""
    if not settings.http_port:
        return ""
    host = settings.http_host if settings.http_host not in ANYWHERE else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}"


async def fill(settings: Settings, clock: Clock) -> None:
    """Put the hospital into a store that knows nobody yet, and what the features show of themselves
    into one that lacks it."""
    made = hospital()
    async with opened_store(settings, clock) as store:
        if not await store.scan(Person.collection.name, limit=1):
            await seed_people(store, made, clock)
            talks = [
                Talk(
                    kind=c.kind, title=c.title, people=tuple(c.member_ids), lines=tuple(c.messages)
                )
                for c in made.conversations
            ]
            await seed_talk(store, clock, talks)
        await seed_features(settings, store, clock)
