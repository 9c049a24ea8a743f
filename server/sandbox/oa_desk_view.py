"""A document as the desk's page shows it whole: its form, its way, who holds it, and its log."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.sandbox.oa_documents import Document
from server.sandbox.oa_forms import FieldSpec, Office, shown
from server.sandbox.oa_kinds import workflow_named


def account(user: int) -> str:
    """Whom the OA's number means at the desk."""
    return f"s{user:04d}"


def accounts(users: Iterable[int]) -> list[str]:
    return [account(user) for user in users]


def whole(document: Document, office: Office) -> dict[str, Any]:
    """What is shown beside the line of the list."""
    kind = workflow_named(document.kind)
    holders = dict.fromkeys((*document.pending, *document.forwarded, *document.copies_to_submit))
    return {
        "holders": [
            {
                "person_id": account(user),
                "name": office.name_of(user),
                "offers": document.offered_to(user),
            }
            for user in holders
            if document.waits_for(user)
        ],
        "steps": [
            {
                "name": step.name,
                "mode": step.mode,
                "people": [office.name_of(user) for user in step.people],
                "is_now": document.node_name == step.name and not document.is_archived,
            }
            for step in document.way
        ],
        "fields": [_field(field, document.values, office) for field in kind.fields],
        "tables": [
            {
                "title": table.title,
                "columns": [column.label for column in table.columns],
                "rows": [
                    [shown(column, row.get(column.name, ""), office) for column in table.columns]
                    for row in rows
                ],
            }
            for table, rows in zip(kind.tables, document.rows, strict=False)
        ],
        "log": [_entry(document, entry, office) for entry in reversed(document.log)],
    }


def _field(field: FieldSpec, values: Mapping[str, str], office: Office) -> dict[str, Any]:
    value = values.get(field.name, "")
    files = [office.file_of_document(int(one)) for one in value.split(",") if one.isdigit()]
    return {
        "label": field.label,
        "shown": shown(field, value, office),
        "is_hidden": not field.view,
        "files": [{"name": one.name, "file_id": one.file_id} for one in files if one is not None]
        if field.kind == "files"
        else [],
    }


def _entry(document: Document, entry: Mapping[str, Any], office: Office) -> dict[str, Any]:
    return {
        "name": office.name_of(entry["user"]),
        "act": entry["act"],
        "remark": entry["remark"],
        "at": entry["at"],
        "node": document.name_of_node(entry["node"]),
        "received": [office.name_of(user) for user in entry.get("received", ())],
    }
