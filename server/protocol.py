"""The protocol as documents and client types, made from the classes that features declare.

`python -m server protocol` writes docs/protocol.md, docs/openapi.json, docs/asyncapi.json and
static/src/wire/protocol.d.ts; a test fails when they are stale.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect as shapes

from realtime.errors import Closing
from realtime.protocol import Command, Event, Result
from server.feature import Feature, Handler, command_of
from server.typescript import declarations


@dataclass(frozen=True, slots=True)
class CommandShape:
    """A command, what it is answered with, and how often one may use it."""

    command: type[Command]
    result: type[Result]
    handler: Handler


def command_shapes(features: Iterable[Feature]) -> list[CommandShape]:
    """All commands in order of their names."""
    found = [
        CommandShape(command_of(handler.function), result_of(handler.function), handler)
        for feature in features
        for handler in feature.commands
    ]
    return sorted(found, key=lambda shape: shape.command.wire_name)


def event_shapes(features: Iterable[Feature]) -> list[type[Event]]:
    """All events in order of their names."""
    return sorted((e for f in features for e in f.events), key=lambda event: event.wire_name)


def result_of(function: Callable[..., Any]) -> type[Result]:
    """The class of a handler's answer, given at once or later."""
    annotation = get_type_hints(function)["return"]
    if get_origin(annotation) is not None:
        annotation = get_args(annotation)[-1]
    result: type[Result] = annotation
    return result


def write_documents(features: Sequence[Feature], root: Path) -> list[Path]:
    """Write all documents below the project's root; answers which."""
    written = []
    for path, text in documents(features).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def documents(features: Sequence[Feature]) -> dict[str, str]:
    """The text of each document by its path from the project's root."""
    commands, events = command_shapes(features), event_shapes(features)
    return {
        "docs/protocol.md": _markdown(commands, events),
        "docs/openapi.json": _json(_openapi(commands)),
        "docs/asyncapi.json": _json(_asyncapi(commands, events)),
        "static/src/wire/protocol.d.ts": declarations(
            [(s.command.wire_name, s.command, s.result) for s in commands],
            [(event.wire_name, event) for event in events],
        ),
    }


def _json(document: object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _sentence(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split())


def _closing_lines() -> Iterator[str]:
    yield "\n## The end of a connection"
    yield ""
    yield "Before the server ends a connection it tells the event `closing` with `{reason, reconnect,"
    yield "retry_after_ms?}`, where that is still possible. With `retry_after_ms` a client is asked to wait"
    yield "so long before it connects again: a node that is stopped gives each of its clients another"
    yield "moment, so that the others are not overrun. A client that does not know this event may come back"
    yield "as it likes. What was not acked is sent again on the next connection, under the same client id."
    yield ""
    yield "| reason | reconnect |"
    yield "|---|---|"
    for closing in Closing:
        yield f"| `{closing.reason}` | {'yes' if closing.reconnect else 'no: sign in again'} |"


def _markdown(commands: list[CommandShape], events: list[type[Event]]) -> str:
    return "\n".join(_lines(commands, events)) + "\n"


def _lines(commands: list[CommandShape], events: list[type[Event]]) -> Iterator[str]:
    yield "# Protocol"
    yield ""
    yield "Written by `python -m server protocol`; do not edit."
    yield ""
    yield "A command is a Socket.IO event with one object and an ack, or a POST to"
    yield "`/api/v1/commands/<name>`. The answer is `{ok: true, result}` or `{ok: false, error: {code,"
    yield "message, retry_after_ms?}}`. Unknown fields are refused. Times are milliseconds UTC."
    yield "What lies inside of others is described once, under [Shapes](#shapes)."
    yield "\n## Commands"
    for shape in commands:
        rate = shape.handler.rate
        yield f"\n### `{shape.command.wire_name}`\n"
        yield f"{_sentence(shape.command)} ({rate.burst} at once, then {rate.per_second:g}/s.)"
        yield from _table(shape.command, "field", asked=True)
        yield f"\nResult: {_sentence(shape.result)}"
        yield from _table(shape.result, "result", asked=False)
    yield from _closing_lines()
    yield "\n## Events"
    yield "\nEach event object also carries `channel` and `position` (null: not kept)."
    for event in events:
        yield f"\n### `{event.wire_name}`\n"
        yield _sentence(event)
        yield from _table(event, "field", asked=False)
    asked = _inside(shape.command for shape in commands)
    told = _inside([*(shape.result for shape in commands), *events])
    yield "\n## Shapes"
    for name, kind in sorted({**told, **asked}.items()):
        yield f"\n### {name}\n"
        yield _sentence(kind)
        yield from _table(kind, "field", asked=name in asked)


def _inside(kinds: Iterable[type]) -> dict[str, type]:
    """The shapes that lie inside of others, however deep, by name."""
    found: dict[str, type] = {}
    waiting = [part.type for kind in kinds for part in _struct(kind).fields]
    while waiting:
        match waiting.pop():
            case shapes.ListType(item_type=inner) | shapes.VarTupleType(item_type=inner):
                waiting.append(inner)
            case shapes.DictType(value_type=inner):
                waiting.append(inner)
            case shapes.UnionType(types=types):
                waiting.extend(types)
            case shapes.StructType(cls=struct) if struct.__name__ not in found:
                found[struct.__name__] = struct
                waiting.extend(part.type for part in _struct(struct).fields)
    return found


def _struct(kind: type) -> shapes.StructType:
    described = shapes.type_info(kind)
    assert isinstance(described, shapes.StructType)
    return described


def _table(kind: type, heading: str, *, asked: bool) -> Iterator[str]:
    """The fields of a shape. What is told is told whole, unless the shape leaves out defaults."""
    described = _struct(kind)
    rows = []
    if described.tag_field is not None:
        rows.append(f"| `{described.tag_field}` | `{described.tag}` |  |")
    omitting = asked or kind.__struct_config__.omit_defaults  # type: ignore[attr-defined]
    for part in described.fields:
        mark = "optional" if omitting and not part.required else ""
        rows.append(f"| `{part.encode_name}` | {_type_name(part.type)} | {mark} |")
    if rows:
        yield f"\n| {heading} | type | |"
        yield "|---|---|---|"
        yield from rows


def _type_name(kind: shapes.Type) -> str:
    """A type in a few words, with its bounds."""
    match kind:
        case shapes.StrType(min_length=low, max_length=high):
            return f"string{_bounds(low, high)}"
        case shapes.IntType(ge=low, le=high):
            return f"integer{_bounds(low, high)}"
        case shapes.BoolType():
            return "boolean"
        case shapes.FloatType():
            return "number"
        case shapes.NoneType():
            return "null"
        case (
            shapes.ListType(item_type=item, max_length=high)
            | shapes.VarTupleType(item_type=item, max_length=high)
        ):
            return f"list of {_type_name(item)}{_bounds(None, high)}"
        case shapes.DictType(value_type=value):
            return f"object of {_type_name(value)}"
        case shapes.UnionType(types=types):
            return " or ".join(_type_name(t) for t in types)
        case shapes.LiteralType(values=values):
            return " or ".join(f"`{v}`" for v in values)
        case shapes.EnumType(cls=enum):
            return " or ".join(f"`{member.value}`" for member in enum)
        case shapes.StructType(cls=struct):
            return f"[{struct.__name__}](#{struct.__name__.lower()})"
    return "any"


def _bounds(low: int | None, high: int | None) -> str:
    if low is None and high is None:
        return ""
    return f" ({'' if low is None else low}…{'' if high is None else high})"


def _schemas(kinds: Iterable[type]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    schemas, components = msgspec.json.schema_components(
        list(kinds), ref_template="#/components/schemas/{name}"
    )
    return list(schemas), dict(components)


def _openapi(commands: list[CommandShape]) -> dict[str, Any]:
    kinds = [kind for shape in commands for kind in (shape.command, shape.result)]
    schemas, components = _schemas(kinds)
    error = {
        "type": "object",
        "required": ["ok", "error"],
        "properties": {
            "ok": {"const": False},
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "retry_after_ms": {"type": "integer"},
                },
            },
        },
    }
    paths = {}
    for i, shape in enumerate(commands):
        success = {
            "type": "object",
            "required": ["ok", "result"],
            "properties": {"ok": {"const": True}, "result": schemas[2 * i + 1]},
        }
        paths[f"/api/v1/commands/{shape.command.wire_name}"] = {
            "post": {
                "operationId": shape.command.wire_name,
                "summary": _sentence(shape.command),
                "requestBody": {"content": {"application/json": {"schema": schemas[2 * i]}}},
                "responses": {
                    "200": _json_response("Done.", success),
                    "default": _json_response("Refused.", error),
                },
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yuanxin commands", "version": "1"},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _json_response(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _asyncapi(commands: list[CommandShape], events: list[type[Event]]) -> dict[str, Any]:
    kinds: list[type] = [shape.command for shape in commands]
    schemas, components = _schemas([*kinds, *events])
    names = [shape.command.wire_name for shape in commands] + [e.wire_name for e in events]
    messages = {
        name: {"name": name, "payload": schema} for name, schema in zip(names, schemas, strict=True)
    }
    references = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    asked = {"action": "receive", "channel": {"$ref": "#/channels/socket"}}
    told = {"action": "send", "channel": {"$ref": "#/channels/socket"}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Yuanxin socket", "version": "1"},
        "channels": {"socket": {"address": "/socket.io/", "messages": references}},
        "operations": {
            **{shape.command.wire_name: asked for shape in commands},
            **{event.wire_name: told for event in events},
        },
        "components": {"schemas": components, "messages": messages},
    }
