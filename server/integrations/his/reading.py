"""A batch as sent, read event by event: what is wrong with one is told under its name."""

from typing import Any

import msgspec

from realtime.protocol import check_depth
from server.errors import Invalid
from server.integrations.his import (
    EVENTS_PER_BATCH,
    GAUGE,
    TYPED_KINDS,
    EventId,
    HisEvent,
    RefusedEvent,
)


def read_batch(body: bytes) -> tuple[list[HisEvent], list[RefusedEvent]]:
    """The events that can be understood, and those that cannot. Raises Invalid for a body that is no
    batch, or an event in it that has no usable id."""
    events: list[HisEvent] = []
    refused: list[RefusedEvent] = []
    for place, item in enumerate(_items(body)):
        try:
            event = msgspec.convert(item, HisEvent)
        except msgspec.ValidationError as fault:
            refused.append(RefusedEvent(event_id=_id_of(item, place), reason=str(fault)))
            continue
        reason = _contradiction(event)
        if reason is None:
            events.append(event)
        else:
            refused.append(RefusedEvent(event_id=event.event_id, reason=reason))
    return events, refused


def _items(body: bytes) -> list[Any]:
    try:
        batch = msgspec.json.decode(body)
        if not isinstance(batch, dict):
            raise Invalid('send one object: {"events": […]}')
        check_depth(batch)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Invalid("the body is not JSON") from None
    if set(batch) != {"events"} or not isinstance(batch["events"], list):
        raise Invalid('send one object with a list and nothing else: {"events": […]}')
    items: list[Any] = batch["events"]
    if len(items) > EVENTS_PER_BATCH:
        raise Invalid(f"a batch has at most {EVENTS_PER_BATCH} events; send several")
    return items


def _id_of(item: Any, place: int) -> str:
    id = item.get("event_id") if isinstance(item, dict) else None
    try:
        return msgspec.convert(id, EventId)
    except msgspec.ValidationError:
        raise Invalid(
            f"events[{place}] has no event_id of 1 to 64 printable ASCII characters"
        ) from None


def _contradiction(event: HisEvent) -> str | None:
    """What is wrong with an event whose fields are right one by one."""
    if event.cancels is not None and event.corrects is not None:
        return "one event corrects or cancels, not both"
    if event.fact == event.event_id and (event.cancels or event.corrects):
        return "an event cannot name itself"
    if event.cancels is not None:
        return None
    if event.kind == GAUGE:
        if event.value is None:
            return f"{GAUGE} is a reading and needs a value"
        return None if event.type is None else f"{GAUGE} has no type"
    if event.value is not None:
        return f"{event.kind} is counted by count and has no value"
    if event.kind in TYPED_KINDS:
        return f"{event.kind} needs a type" if event.type is None else None
    return None if event.type is None else f"{event.kind} has no type"
