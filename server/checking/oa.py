"""`python -m server check --oa`: can documents of the OA be used from here? A line for each thing looked at.

Two reading calls are made, one of them for a person; nothing is changed there. Ask before people come, and
whenever they say that their documents do not. It may be asked while a server runs.
"""

from typing import Final
from urllib.parse import urlsplit

from server.clock import Clock
from server.directory import Person
from server.integrations.oa import Blocked, NotUnderstood, OAError, RefusedByOA, Unreachable
from server.integrations.oa.ecology import Ecology
from server.outside import asked_oa
from server.settings import BadSetting, Settings
from server.storage import StorageError
from server.storage.migrate import pending
from server.storage.mongodb.scratch import is_unused
from server.stores import made_store

NOBODY: Final = "0"
"""No OA user: asked for where nobody is known, to learn whether the service answers at all."""
MOST_LOOKED_AT: Final = 100

WITHOUT: Final = {
    "getWorkflowNewFlag": "nobody knows which circulated copies were read",
    "getUserId": "`import-staff --ask-oa` finds nobody",
}
"""What is missed where a build does not have an operation."""

REMEDIES: Final[dict[type[OAError], str]] = {
    Unreachable: "Is the OA up, is YUANXIN_OA_ENDPOINT its address, does its network let this machine in?",
    Blocked: "Have this machine's address allowed to call web services in the OA and in front of it, and "
    "look whether YUANXIN_OA_ENDPOINT is the service's own path",
    NotUnderstood: "Is YUANXIN_OA_ENDPOINT a WorkflowService? Let YUANXIN_OA_WSDL be its address with ?wsdl",
    RefusedByOA: "Is this a user id of the OA? It is a number, not the account and not the staff number",
}


async def check_oa(settings: Settings, clock: Clock, user: str) -> int:
    """Print what is found; 0 when documents can be used."""
    if not settings.oa_endpoint:
        print("oa        NOT READY: not configured; set YUANXIN_OA_ENDPOINT")
        return 1
    parts = urlsplit(settings.oa_endpoint)
    print(f"oa        {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
    try:
        async with asked_oa(settings, clock) as oa:
            _tell_description(oa, settings)
            is_fit = await _answers(oa, clock) and await _counts(
                oa, clock, user or await _somebody(settings, clock)
            )
            _tell_extras(oa)
    except BadSetting as fault:
        print(f"wsdl      NOT READY: {fault}; the server does not start. Leave it empty, or")
        print("          let it be the service's own address with ?wsdl")
        is_fit = False
    _tell_files(settings)
    return 0 if is_fit else 1


def _tell_description(oa: Ecology, settings: Settings) -> None:
    if oa.passed_over:
        print(
            f"wsdl      NOT USED: that of YUANXIN_OA_WSDL {oa.passed_over}; the bundled one is used"
        )
        print("          Look whether the address is right and opens from this machine")
        return
    print(f"wsdl      ok: {'as YUANXIN_OA_WSDL says' if settings.oa_wsdl else 'the bundled one'}")


async def _answers(oa: Ecology, clock: Clock) -> bool:
    """Whether the service answers anything at all."""
    try:
        _, took = await _counted(oa, clock, NOBODY)
    except (Unreachable, Blocked) as fault:
        return _tell_fault("endpoint", fault)
    except OAError:
        took = "but with a fault"
    print(f"endpoint  ok: it answers ({took})")
    return True


async def _counts(oa: Ecology, clock: Clock, user: str) -> bool:
    """Whether it says how much waits for somebody."""
    if not user:
        print("count     NOT ASKED: it is not known whom to ask for. Give people their OA user id")
        print("          (`import-staff`), or name one: `check --oa USER`")
        return False
    try:
        waiting, took = await _counted(oa, clock, user)
    except OAError as fault:
        return _tell_fault("count", fault)
    print(f"count     ok: {waiting} documents wait for OA user {user} ({took})")
    if not waiting:
        print("          Some builds say 0 when they fail: name somebody who has documents as well")
    return True


async def _counted(oa: Ecology, clock: Clock, user: str) -> tuple[int, str]:
    began = clock.monotonic()
    waiting = (await oa.counts(user)).pending
    return waiting, f"{(clock.monotonic() - began) * 1000:.0f} ms"


def _tell_fault(what: str, fault: OAError) -> bool:
    kind = next((kind for kind in REMEDIES if isinstance(fault, kind)), NotUnderstood)
    print(f"{what:10}NOT READY: {fault.sentence}")
    print(f"          {REMEDIES[kind]}")
    return False


def _tell_extras(oa: Ecology) -> None:
    for name, is_there in oa.extras.items():
        print(f"optional  {name}: {'yes' if is_there else f'no: {WITHOUT[name]}'}")


def _tell_files(settings: Settings) -> None:
    if settings.oa_files_url:
        parts = urlsplit(settings.oa_files_url)
        print(f"files     ok: fetched from {parts.hostname}; not tried, that needs a file's number")
    else:
        print(
            "files     NOT SET: attachments are named and cannot be opened; set YUANXIN_OA_FILES_URL"
        )


async def _somebody(settings: Settings, clock: Clock) -> str:
    """The OA user id of somebody in the directory; empty when none is known."""
    try:
        return await _mapped(settings, clock)
    except StorageError as fault:
        print(f"people    NOT READ: {fault}")
        return ""


async def _mapped(settings: Settings, clock: Clock) -> str:
    url = settings.storage_url
    if await is_unused(url) if url else not settings.database.exists():
        return ""
    store = made_store(settings, clock)
    await store.open()
    try:
        if await pending(store):
            return ""
        await store.ensure(Person.collection)
        docs = await store.find(Person.collection.name, "oa_user_id", limit=MOST_LOOKED_AT)
        return next((doc["oa_user_id"] for doc in docs if doc.get("retired_at") is None), "")
    finally:
        await store.close()
