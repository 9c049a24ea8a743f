"""Opinions and steps out of e-cology's log.

The log comes newest first or not; its numbers rise. Steps are only what log and present node tell: entries
at the same node one after the other are one step, and whoever was given the document on the way to the
present node and has no entry there since holds it.
"""

import re
from collections.abc import Sequence
from datetime import tzinfo
from itertools import groupby
from typing import Any, Final

from server.clock import Millis
from server.integrations.oa.documents import Opinion, Step
from server.integrations.oa.ecology.forms import inside
from server.integrations.oa.markup import files_in, harmless_html
from server.integrations.oa.plain import moment, plain_text

OPINIONS_AT_ONCE: Final = 20
MOST_OPINIONS: Final = 400
"""How far a log is followed back; beyond it stays in the OA."""

_NAMES = re.compile(r"[,，、;；\n]")
_NOBODY: Final = frozenset(("", "0", "-1"))
_PASSED_ON: Final = ("转发", "传阅", "抄送", "forward")
"""Words in an entry's kind by which somebody shows a document to others and keeps it."""


def opinions_of(entries: Sequence[Any], zone: tzinfo) -> tuple[Opinion, ...]:
    """Entries of the log, newest first, each once."""
    found = {one.id: one for one in (_opinion(entry, zone) for entry in entries) if one.id}
    return tuple(sorted(found.values(), key=_age, reverse=True))


def entries_of(array: Any) -> list[Any]:
    """The log of an opened document."""
    return inside(array, "WorkflowRequestLog")


def _age(one: Opinion) -> tuple[int, int]:
    return (int(one.id) if one.id.isdecimal() else 0, one.at or 0)


def _opinion(entry: Any, zone: tzinfo) -> Opinion:
    behalf = plain_text(entry.agentor)
    return Opinion(
        id=(entry.id or "").strip(),
        node_id=(entry.nodeId or "").strip(),
        node=plain_text(entry.nodeName),
        oa_user=(entry.operatorId or "").strip(),
        person_name=plain_text(entry.operatorName),
        department=plain_text(entry.operatorDept),
        at=moment(f"{entry.operateDate or ''} {entry.operateTime or ''}", zone),
        action=plain_text(entry.operateType),
        html=harmless_html(entry.remark),
        received_by=_names(entry.receivedPersons),
        on_behalf_of="" if behalf in _NOBODY else behalf,
        # What the OA made of its files, never what somebody wrote: any number can be written.
        attachments=files_in(entry.annexDocHtmls, entry.signDocHtmls),
    )


def _names(told: str | None) -> tuple[str, ...]:
    names = (plain_text(one) for one in _NAMES.split(told or ""))
    return tuple(dict.fromkeys(name for name in names if name))


def place_before(opinions: Sequence[Opinion], asked: int) -> str:
    """Where the log goes on, as its oldest known entry and how many are known; empty at its end."""
    if len(opinions) < asked or not opinions[-1].id.isdecimal():
        return ""
    return f"{opinions[-1].id}.{asked}"


def steps_of(opinions: Sequence[Opinion], node_id: str, node: str) -> tuple[Step, ...]:
    """The way so far, oldest step first, the present one last."""
    oldest_first = list(reversed(opinions))
    groups = [list(group) for _, group in groupby(oldest_first, key=lambda one: one.node_id)]
    here: list[Opinion] = []
    if groups and groups[-1][0].node_id == node_id:
        here = groups.pop()
    steps: list[Step] = []
    since: Millis | None = None
    for group in groups:
        steps.append(_done(group, since))
        since = group[-1].at
    if node_id:
        before = groups[-1][-1].received_by if groups else ()
        steps.append(_current(here, before, since, node_id, node))
    return tuple(steps)


def _done(group: list[Opinion], since: Millis | None) -> Step:
    return Step(
        node_id=group[0].node_id,
        node=next((one.node for one in group if one.node), ""),
        state="done",
        since=since,
        until=group[-1].at,
        acted=_actors(group),
    )


def _current(
    here: list[Opinion], before: tuple[str, ...], since: Millis | None, node_id: str, node: str
) -> Step:
    given = [*before, *(name for one in here for name in one.received_by)]
    acted = _actors([one for one in here if not _is_passing_on(one)])
    holders = tuple(name for name in dict.fromkeys(given) if name not in acted)
    return Step(node_id, node, "current", since, acted=acted, holders=holders)


def _actors(group: list[Opinion]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.person_name for one in group if one.person_name))


def _is_passing_on(one: Opinion) -> bool:
    return any(word in one.action.lower() for word in _PASSED_ON)
