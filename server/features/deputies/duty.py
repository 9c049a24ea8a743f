"""What is owed about substitution: to both people that it was set or ended early, and to the deputy each
document that is passed on, once. No card of these has a button: whoever acts, acts in the OA as oneself."""

from collections.abc import Mapping, Sequence
from typing import Final

from server.clock import Clock
from server.directory import Directory
from server.features.deputies import texts
from server.features.deputies.documents import Deputation, PassedOn, Side
from server.features.deputies.passing import KIND as DEPUTED
from server.features.deputies.standing import KIND as DEPUTY
from server.notify import Claim, Draft, Priority
from server.notify.texts import deputed_description, deputed_title
from server.outbox import Owed
from server.storage import Max, Op, Store
from server.storage.document import from_doc

TOLD: Final = 1
SIDES: Final[tuple[Side, ...]] = ("person", "deputy")
ENDED_EARLY: Final = 2


class DeputyDuty:
    """That somebody stands in for somebody, or no longer does; a subject is a deputation."""

    kind = DEPUTY

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """Whoever of the two has not been told the newest."""
        docs = await self._store.get_many(Deputation.collection.name, [row.subject for row in owed])
        found = [from_doc(Deputation, doc) for doc in docs.values()]
        return {
            one.id: [_claim(one, side) for side in SIDES if _told(one, side) < one.news]
            for one in found
        }

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """What there is to say to one of the two."""
        one = await self._deputation(subject)
        if one is None or person_id not in (one.person_id, one.deputy_id):
            return None
        side: Side = "person" if person_id == one.person_id else "deputy"
        if _told(one, side) >= one.news:
            return None
        title, description = self._words(one, side)
        return Draft(title, description, "/me/deputy", one.news, _newest(one))

    def _words(self, one: Deputation, side: Side) -> tuple[str, str]:
        names = {"person": self._name(one.person_id), "deputy": self._name(one.deputy_id)}
        if one.news >= ENDED_EARLY:
            title = texts.ENDED_FOR_PERSON if side == "person" else texts.ENDED_FOR_DEPUTY
            return title.format(**names), texts.ENDED.format(who=self._name(one.ended_by))
        title = texts.SET_FOR_PERSON if side == "person" else texts.SET_FOR_DEPUTY
        line = texts.PERIOD.format(begins=one.begins_on, ends=one.ends_on)
        if one.set_by != one.person_id:
            line += texts.SET_BY.format(who=self._name(one.set_by))
        return title.format(**names), line

    def _name(self, person_id: str) -> str:
        person = self._directory.person(person_id)
        return person.name if person is not None else person_id

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Until it is over: nobody notes who has looked at it."""
        one = await self._deputation(subject)
        return one is not None and one.news == place

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Mark how far each of the two was told."""
        one = await self._deputation(subject)
        if one is None:
            return []
        people = {one.person_id: "person_told", one.deputy_id: "deputy_told"}
        return [
            Max(Deputation.collection.name, subject, people[person_id], place)
            for person_id, place in upto.items()
            if person_id in people
        ]

    async def _deputation(self, id: str) -> Deputation | None:
        doc = await self._store.get(Deputation.collection.name, id)
        return None if doc is None else from_doc(Deputation, doc)


def _claim(one: Deputation, side: Side) -> Claim:
    return Claim(
        person_id=one.person_id if side == "person" else one.deputy_id,
        upto=one.news,
        first_at=_newest(one),
        newest_at=_newest(one),
        priority=Priority.TODO,
    )


def _told(one: Deputation, side: Side) -> int:
    return one.person_told if side == "person" else one.deputy_told


def _newest(one: Deputation) -> int:
    return one.ends_at if one.news >= ENDED_EARLY else one.set_at


class DeputedDuty:
    """A document that waits for somebody the person stands in for; a subject is one of those."""

    kind = DEPUTED

    def __init__(self, store: Store, directory: Directory, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """The deputy of each document that still waits unseen, while the deputation holds."""
        docs = await self._store.get_many(PassedOn.collection.name, [row.subject for row in owed])
        passed = [from_doc(PassedOn, doc) for doc in docs.values()]
        holding = await self._holding({one.deputation_id for one in passed})
        return {
            one.id: [
                Claim(
                    person_id=one.deputy_id,
                    upto=TOLD,
                    first_at=one.arrived_at,
                    newest_at=one.arrived_at,
                    priority=Priority.URGENT if one.is_urgent else Priority.TODO,
                )
            ]
            for one in passed
            if one.notified < TOLD and self._waits(one) and one.deputation_id in holding
        }

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The notice, unless it was opened, has gone, or is this person's no longer."""
        one = await self._passed(subject)
        if (
            one is None
            or one.deputy_id != person_id
            or one.notified >= TOLD
            or not self._waits(one)
        ):
            return None
        if not await self._holding({one.deputation_id}):
            return None
        principal = self._directory.person(one.person_id)
        who = principal.name if principal is not None else one.person_id
        return Draft(
            title=deputed_title("zh", who, one.title, urgent=one.is_urgent),
            description=deputed_description("zh", one.creator_name, who),
            path=f"/d/{one.request_id}",
            upto=TOLD,
            newest_at=one.arrived_at,
        )

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Whether it still waits unopened, and the person still stands in."""
        one = await self._passed(subject)
        return (
            one is not None and self._waits(one) and bool(await self._holding({one.deputation_id}))
        )

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Mark the document as told."""
        return [Max(PassedOn.collection.name, subject, "notified", TOLD)] if upto else []

    async def _passed(self, id: str) -> PassedOn | None:
        doc = await self._store.get(PassedOn.collection.name, id)
        return None if doc is None else from_doc(PassedOn, doc)

    async def _holding(self, ids: set[str]) -> set[str]:
        """Those of the deputations that hold now."""
        docs = await self._store.get_many(Deputation.collection.name, sorted(ids))
        now = self._clock.now()
        return {id for id, doc in docs.items() if from_doc(Deputation, doc).holds(now)}

    def _waits(self, one: PassedOn) -> bool:
        """Whether it still waits unseen for somebody who works here."""
        is_here = self._directory.roles_of(one.deputy_id) is not None
        return is_here and one.opened_at is None and one.gone_at is None
