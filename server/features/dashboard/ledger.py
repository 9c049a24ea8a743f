"""The sums that a batch of changed facts changes: what each said before is taken off, what it says now
is added; of readings the last one of an hour stays."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from server.features.dashboard.documents import DaySums, Fact, Reading, sums_id
from server.features.dashboard.facts import counter_key, slot_of
from server.integrations.his import GAUGE
from server.storage.document import from_doc
from server.work import UnitOfWork

Place = tuple[str, int, str]
"""A day, an hour of it, and a department."""


async def post_changes(
    work: UnitOfWork, before: Mapping[str, Fact], after: Mapping[str, Fact]
) -> set[str]:
    """Write the sums that change when facts become what they are in `after`; whose they are."""
    facts = [*before.values(), *after.values()]
    ids = {sums_id(place[0], place[2]) for place in _places(facts)}
    ledger = Ledger(await work.get_many(DaySums, sorted(ids)))
    for sign, some in ((-1, before), (1, after)):
        for fact in some.values():
            ledger.count(fact, sign)
    for place in set(_places(facts, kind=GAUGE)):
        ledger.read(place, await _last_reading(work, place, ledger.reading(place), after))
    for sums in ledger.changed():
        work.put(sums)
    return {sums.department_id for sums in ledger.changed()}


def _places(facts: Iterable[Fact], kind: str | None = None) -> Iterable[Place]:
    for fact in facts:
        said = fact.effective
        if said is not None and kind in (None, said.kind):
            yield fact.day, fact.hour, said.department_id


async def _last_reading(
    work: UnitOfWork, place: Place, held: Reading | None, after: Mapping[str, Fact]
) -> Reading | None:
    """The last reading of an hour, once facts are what they are in `after`.

    Stored ones are asked for only when the one that counted so far has left. They are read past the
    unit of work: what it has read of the same facts before must stay its precondition.
    """
    day, hour, department_id = place
    slot = slot_of(department_id, day, hour)
    found = [_reading(fact) for fact in after.values() if fact.slot == slot]
    if held is not None:
        holder = after.get(held.order.partition(":")[2])
        if holder is None:
            found.append(held)
        elif holder.slot != slot:
            docs = await work.store.find(
                Fact.collection.name, "slot", (slot,), reverse=True, limit=len(after) + 1
            )
            stored = (from_doc(Fact, doc) for doc in docs)
            found += [_reading(fact) for fact in stored if fact.id not in after]
    return max(found, key=lambda reading: reading.order, default=None)


def _reading(fact: Fact) -> Reading:
    assert fact.effective is not None
    assert fact.effective.value is not None
    assert fact.order is not None
    return Reading(order=fact.order, value=fact.effective.value)


class Ledger:
    """Sums as they become. What was read stays as it is until it is written."""

    def __init__(self, found: Mapping[str, DaySums]) -> None:
        self._before = found
        self._sums: dict[str, DaySums] = {}

    def count(self, fact: Fact, sign: int) -> None:
        """Add what a fact counts, or take it off."""
        said = fact.effective
        if said is None or said.kind == GAUGE:
            return
        by_hour = self._of(fact.day, said.department_id).counts.setdefault(
            counter_key(said), [0] * 24
        )
        by_hour[fact.hour] += sign * said.count

    def reading(self, place: Place) -> Reading | None:
        """The reading that counts for an hour."""
        day, hour, department_id = place
        return self._of(day, department_id).readings.get(str(hour))

    def read(self, place: Place, reading: Reading | None) -> None:
        """Let another one count, or none."""
        day, hour, department_id = place
        readings = self._of(day, department_id).readings
        if reading is None:
            readings.pop(str(hour), None)
        else:
            readings[str(hour)] = reading

    def changed(self) -> list[DaySums]:
        """The sums that are not what they were."""
        return [sums for id, sums in self._sums.items() if sums != self._before.get(id)]

    def _of(self, day: str, department_id: str) -> DaySums:
        id = sums_id(day, department_id)
        if id not in self._sums:
            found = self._before.get(id) or DaySums(id=id, day=day, department_id=department_id)
            self._sums[id] = replace(
                found,
                counts={key: list(hours) for key, hours in found.counts.items()},
                readings=dict(found.readings),
            )
        return self._sums[id]
