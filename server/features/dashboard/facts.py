"""What a fact is, given the events that name it: the same whatever order they came in, and how often.

Each event moves a fact upwards only: the original is set once, the correction with the highest order
stays, a cancellation stays. So merging may be done in any order and again.
"""

from msgspec.structs import replace

from server.days import HospitalDays
from server.features.dashboard.documents import Correction, Fact, Values, order_of
from server.integrations.his import GAUGE, HisEvent


def merged(fact: Fact | None, event: HisEvent, days: HospitalDays) -> Fact:
    """The fact with one more of its events."""
    known = fact or Fact(id=event.fact, at=event.at)
    if event.cancels is not None:
        return _placed(replace(known, cancelled=True))
    if event.corrects is not None:
        return _placed(replace(known, correction=_latest(known.correction, event)))
    day, hour = days.slot(event.at)
    said = Values(
        kind=event.kind,
        department_id=event.department_id,
        type=event.type,
        value=event.value,
        count=event.count,
    )
    return _placed(replace(known, at=event.at, original=said, day=day, hour=hour))


def _latest(correction: Correction | None, event: HisEvent) -> Correction:
    order = order_of(event.at, event.event_id)
    if correction is not None and correction.order > order:
        return correction
    return Correction(
        kind=event.kind,
        department_id=event.department_id,
        type=event.type,
        value=event.value,
        count=event.count,
        order=order,
    )


def _placed(fact: Fact) -> Fact:
    """With its place among the readings, if it is one that counts."""
    said = fact.effective
    if said is None or said.kind != GAUGE:
        return replace(fact, slot=None, order=None)
    slot = slot_of(said.department_id, fact.day, fact.hour)
    return replace(fact, slot=slot, order=order_of(fact.at, fact.id))


def slot_of(department_id: str, day: str, hour: int) -> str:
    """A department's hour."""
    return f"{day}:{hour:02d}:{department_id}"


def counter_key(said: Values) -> str:
    """Under which name a count is added up."""
    return said.kind if said.type is None else f"{said.kind}:{said.type}"
