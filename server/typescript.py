"""TypeScript declarations of wire shapes, for the H5 app."""

import inspect
import json
from collections.abc import Iterable, Sequence

from msgspec import inspect as shapes

HEAD = "/* Written by `python -m server protocol`; do not edit. */\n"


class Declarations:
    """Interfaces for every struct reached from the shapes it was given, each once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._kinds: dict[str, type] = {}

    def name_of(self, kind: type, *, asked: bool) -> str:
        """The interface's name of a struct; declares it and what it holds. `asked` means that clients
        write it: then a field with a default may be left out."""
        name = kind.__name__
        known = self._kinds.setdefault(name, kind)
        if known is not kind:
            raise ValueError(f"two wire shapes are called {name}; give one another name")
        if name not in self._texts:
            self._texts[name] = ""
            self._texts[name] = self._interface(kind, asked)
        return name

    def _interface(self, kind: type, asked: bool) -> str:
        described = shapes.type_info(kind)
        assert isinstance(described, shapes.StructType)
        lines = []
        if described.tag_field is not None:
            lines.append(f"  {described.tag_field}: {json.dumps(described.tag)}")
        omitting = asked or kind.__struct_config__.omit_defaults  # type: ignore[attr-defined]
        for part in described.fields:
            mark = "?" if omitting and not part.required else ""
            lines.append(f"  {part.encode_name}{mark}: {self._type(part.type, asked)}")
        sentence = " ".join((inspect.getdoc(kind) or "").split())
        return (
            f"/** {sentence} */\nexport interface {kind.__name__} {{\n" + "\n".join(lines) + "\n}\n"
        )

    def _type(self, kind: shapes.Type, asked: bool) -> str:
        match kind:
            case shapes.StrType():
                return "string"
            case shapes.IntType() | shapes.FloatType():
                return "number"
            case shapes.BoolType():
                return "boolean"
            case shapes.NoneType():
                return "null"
            case shapes.ListType(item_type=item) | shapes.VarTupleType(item_type=item):
                inner = self._type(item, asked)
                return f"({inner})[]" if "|" in inner else f"{inner}[]"
            case shapes.DictType(value_type=value):
                return f"Record<string, {self._type(value, asked)}>"
            case shapes.UnionType(types=types):
                return " | ".join(self._type(t, asked) for t in types)
            case shapes.LiteralType(values=values):
                return " | ".join(json.dumps(v) for v in values)
            case shapes.EnumType(cls=enum):
                return " | ".join(json.dumps(member.value) for member in enum)
            case shapes.StructType(cls=struct):
                return self.name_of(struct, asked=asked)
            case shapes.AnyType():
                return "unknown"
        raise TypeError(f"no TypeScript for {kind}")

    def texts(self) -> Iterable[str]:
        """The interfaces in order of their names."""
        return (self._texts[name] for name in sorted(self._texts))


def declarations(
    commands: Sequence[tuple[str, type, type]], events: Sequence[tuple[str, type]]
) -> str:
    """One file: an interface per shape, and the maps `Commands` and `Events` by wire name."""
    made = Declarations()
    asked = [
        f'  "{name}": {{ fields: {made.name_of(command, asked=True)}; '
        f"result: {made.name_of(result, asked=False)} }}"
        for name, command, result in commands
    ]
    told = [f'  "{name}": {made.name_of(event, asked=False)} & Placed' for name, event in events]
    placed = (
        "/** Where an event stands: its channel, and its position there (null: not kept). */\n"
        "export interface Placed {\n  channel: string\n  position: number | null\n}\n"
    )
    return "\n".join(
        [
            HEAD,
            *made.texts(),
            placed,
            "export interface Commands {\n" + "\n".join(asked) + "\n}\n",
            "export interface Events {\n" + "\n".join(told) + "\n}\n",
        ]
    )
