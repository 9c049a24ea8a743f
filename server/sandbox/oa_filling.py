"""What a form that is sent to the stand-in OA makes of a document.

A field counts only with a name, a value, and both marked as seen and as edited; nothing can be emptied.
Attachments come as `http:` and a name, with an address from which the OA fetches them itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import aiohttp

from server.sandbox.oa_documents import Document
from server.sandbox.oa_files import OAFiles
from server.sandbox.oa_forms import FieldSpec
from server.sandbox.oa_kinds import workflow_named

LARGEST_FILE: Final = 20 * 1024 * 1024
FETCH_S: Final = 10.0

Fetch = Callable[[str, str], Awaitable[str]]
"""An attachment by its name and address becomes the id of a document."""


class NotFetched(Exception):
    """An attachment was not to be had at its address."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that was sent: heads as they are, values that count, rows by the place of their table."""

    title: str
    urgency: int
    creator: int
    message_type: str
    workflow_id: str
    values: Mapping[str, str]
    rows: tuple[tuple[Mapping[str, str], ...], ...]


async def read_form(info: Any, fetch: Fetch) -> Sent:
    """Raises NotFetched."""
    level, creator = _text(info, "requestLevel"), _text(info, "creatorId")
    main = info.findall("{*}workflowMainTableInfo/{*}requestRecords/{*}WorkflowRequestTableRecord")
    tables = info.findall("{*}workflowDetailTableInfos/{*}WorkflowDetailTableInfo")
    rows = []
    for table in tables:
        records = table.findall("{*}workflowRequestTableRecords/{*}WorkflowRequestTableRecord")
        rows.append(tuple([await _values(record, fetch) for record in records]))
    return Sent(
        title=_text(info, "requestName"),
        urgency=int(level) if level in ("0", "1", "2") else 0,
        creator=int(creator) if creator.isascii() and creator.isdigit() else 0,
        message_type=_text(info, "messageType"),
        workflow_id=_text(info, "workflowBaseInfo/{*}workflowId"),
        values=await _values(main[0], fetch) if main else {},
        rows=tuple(rows),
    )


def filled(document: Document, sent: Sent | None) -> Document:
    """The document with what was sent: heads unconditionally, and rows by their place."""
    if sent is None:
        return document
    kind = workflow_named(document.kind)
    known = {field.name for field in kind.fields}
    rows = list(document.rows)
    for number, new in enumerate(sent.rows[: len(kind.tables)]):
        old = rows[number] if number < len(rows) else ()
        rows += [()] * (number + 1 - len(rows))
        rows[number] = _replaced(old, new, kind.tables[number].columns) if new else old
    return replace(
        document,
        title=sent.title,
        urgency=sent.urgency,
        creator=sent.creator,
        message_type=sent.message_type,
        values=document.values | {n: v for n, v in sent.values.items() if n in known},
        rows=tuple(rows),
    )


def lacks(document: Document, step: int) -> bool:
    """Whether something that has to be filled in at this step is empty."""
    kind = workflow_named(document.kind)
    tables = zip(kind.tables, document.rows, strict=False)
    return _lacks(kind.fields, document.values, step) or any(
        _lacks(table.columns, row, step) for table, rows in tables for row in rows
    )


def fetching(files: OAFiles, http: Callable[[], aiohttp.ClientSession]) -> Fetch:
    """Keeps what it fetches. One try, without following anywhere else."""

    async def fetch(name: str, address: str) -> str:
        try:
            async with (
                asyncio.timeout(FETCH_S),
                http().get(address, allow_redirects=False) as answer,
            ):
                content = await answer.content.read(LARGEST_FILE + 1)
                while len(content) <= LARGEST_FILE and (more := await answer.content.readany()):
                    content += more
        except (aiohttp.ClientError, TimeoutError, ValueError) as failed:
            raise NotFetched(str(failed)) from None
        if answer.status != 200 or len(content) > LARGEST_FILE:
            raise NotFetched(f"{address} answered {answer.status}")
        return str((await files.keep(name, content)).document_id)

    return fetch


async def _values(record: Any, fetch: Fetch) -> dict[str, str]:
    values: dict[str, str] = {}
    for field in record.iter("{*}WorkflowRequestTableField"):
        name, value = _text(field, "fieldName"), _text(field, "fieldValue")
        counts = all(_text(field, mark) in ("true", "1") for mark in ("view", "edit"))
        if not name or not value.strip() or not counts:
            continue
        kind = _text(field, "fieldType")
        if kind.startswith("http:"):
            for called, address in zip(kind.split("|"), value.split("|"), strict=False):
                made = await fetch(called.removeprefix("http:"), address)
                values[name] = f"{values[name]},{made}" if name in values else made
        else:
            values[name] = value
    return values


def _replaced(
    old: tuple[Mapping[str, str], ...],
    new: tuple[Mapping[str, str], ...],
    columns: tuple[FieldSpec, ...],
) -> tuple[Mapping[str, str], ...]:
    """As many rows as were sent, each upon the one at its place."""
    known = {column.name for column in columns}
    under = [*old, *([{}] * len(new))]
    return tuple(
        {**before, **{name: value for name, value in row.items() if name in known}}
        for before, row in zip(under, new, strict=False)
    )


def _lacks(fields: tuple[FieldSpec, ...], values: Mapping[str, str], step: int) -> bool:
    return any(step in field.must and not values.get(field.name, "").strip() for field in fields)


def _text(inside: Any, name: str) -> str:
    return str(inside.findtext(f"{{*}}{name}") or "")
