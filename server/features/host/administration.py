"""What an administrator sees of people and their WeCom: who comes by which id, who is at the door and has yet
to prove who he is, and what came of bringing the directory and WeCom's contacts together.

Looking is recorded: it shows who uses which account.
"""

from server.directory import Directory
from server.directory.wecom_state import kept_state
from server.features.host.bindings import holds
from server.features.host.documents import Binding, Claim
from server.features.host.protocol import (
    MOST_CLAIMS,
    MOST_LISTED,
    BindingsPage,
    BoundPerson,
    ClaimsListed,
    ListBindings,
    ListClaims,
    OpenClaim,
    ShowSync,
    SyncShown,
)
from server.settings import Settings
from server.storage.document import from_doc
from server.work import UnitOfWork


async def list_bindings(
    command: ListBindings, work: UnitOfWork, directory: Directory
) -> BindingsPage:
    limit = min(command.limit, MOST_LISTED)
    docs = await work.store.scan(Binding.collection.name, command.after or None, limit)
    items = list[BoundPerson]()
    for binding in (from_doc(Binding, doc) for doc in docs):
        person = directory.person(binding.person_id)
        if person is not None and holds(binding, person):
            items.append(
                BoundPerson(
                    wecom_user_id=person.wecom_user_id,
                    person_id=person.id,
                    person_name=person.name,
                    how=binding.how,
                    bound_at=binding.bound_at,
                )
            )
    work.record("host.list_bindings", "everybody", shown=len(items))
    return BindingsPage(items=items, next=docs[-1]["_id"] if len(docs) == limit else "")


async def list_claims(command: ListClaims, work: UnitOfWork, directory: Directory) -> ClaimsListed:
    claims = await work.query(Claim, "expires", gt=work.now, reverse=True, limit=MOST_CLAIMS)
    work.record("host.list_claims", "everybody", shown=len(claims))
    return ClaimsListed(
        items=[
            OpenClaim(
                wecom_user_id=claim.wecom_user_id,
                expires_at=claim.expires_at,
                code_sent=claim.code_sent_at > 0,
                tries=claim.tries,
            )
            for claim in claims
        ]
    )


async def show_sync(command: ShowSync, work: UnitOfWork, settings: Settings) -> SyncShown:
    state = await kept_state(work.store)
    direction = settings.wecom_sync if settings.wecom_api_base else "off"
    last = state.outcome
    if last is None:
        return SyncShown(direction=direction, hour=settings.wecom_sync_hour)
    return SyncShown(
        direction=direction,
        hour=settings.wecom_sync_hour,
        result=last.result,
        trigger=last.trigger,
        why=last.why,
        ended_at=last.ended_at,
        counts=last.counts,
        conflicts=last.lines,
    )
