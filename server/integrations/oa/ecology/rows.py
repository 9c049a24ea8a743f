"""A person's lists out of e-cology's rows."""

import logging
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from server.integrations.oa import Item, NotUnderstood
from server.integrations.oa.plain import moment, plain_text, urgency

log = logging.getLogger(__name__)


def items_of(rows: Sequence[Any] | None, source: str, zone: tzinfo) -> tuple[Item, ...]:
    """The documents of a page, each once. Rows may be nil; that none has an id is no empty page."""
    there = [row for row in rows or [] if row is not None]
    found = (_item(row, source, zone) for row in there)
    items = {item.request_id: item for item in found if item is not None}
    if there and not items:
        raise NotUnderstood("The OA answered a list with rows that have no id.")
    if len(items) < len(there):
        log.debug("%d rows are %d documents", len(there), len(items))
    return tuple(items.values())


def _item(row: Any, source: str, zone: tzinfo) -> Item | None:
    request_id = (row.requestId or "").strip()
    if not request_id:
        return None
    base = row.workflowBaseInfo
    return Item(
        item_id=request_id,
        request_id=request_id,
        title=plain_text(row.requestName),
        creator_name=plain_text(row.creatorName),
        received_at=moment(row.receiveTime, zone) or moment(row.createTime, zone),
        urgency=urgency(row.requestLevel),
        node=plain_text(row.currentNodeName) or plain_text(row.status),
        source=source,
        kind=plain_text(base.workflowName) if base is not None else "",
        creator=(row.creatorId or "").strip(),
    )
