"""Whether a service's own description (WSDL) says all that we use of the one we know.

Later builds add operations, and fields anywhere in a type; that is welcome. What must be there, under the
same name and read as the same kind of thing, is every operation that is called, its parameters in their
order, and every field of what goes out and comes back.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from zeep import xsd


def gaps(known: Any, live: Any, operations: Iterable[str]) -> list[str]:
    """What the live binding lacks of the known one, as paths; empty when it will do."""
    return [gap for operation in operations for gap in _in_operation(known, live, operation)]


def _in_operation(known: Any, live: Any, name: str) -> Iterator[str]:
    if name not in live.all():
        yield name
        return
    ours, theirs = known.get(name), live.get(name)
    asked, wanted = _names(ours.input.body.type), _names(theirs.input.body.type)
    if wanted[: len(asked)] != asked:
        yield f"{name}: its parameters"
    elif any(_is_needed(element) for _, element in theirs.input.body.type.elements[len(asked) :]):
        yield f"{name}: wants more parameters"
    else:
        yield from _in_type(ours.input.body.type, theirs.input.body.type, name, set(), sent=True)
    yield from _in_type(ours.output.body.type, theirs.output.body.type, name, set(), sent=False)


def _in_type(ours: Any, theirs: Any, path: str, seen: set[str], *, sent: bool) -> Iterator[str]:
    if not isinstance(ours, xsd.ComplexType):
        if not _is_read_alike(ours, theirs):
            yield f"{path} is another kind of value"
        return
    if not isinstance(theirs, xsd.ComplexType):
        yield f"{path} is no longer a structure"
        return
    name = str(ours.qname or ours.name)
    if name in seen:
        return
    seen.add(name)
    there = {element.qname.text: element for _, element in theirs.elements}
    for label, element in ours.elements:
        match = there.pop(element.qname.text, None)
        if match is None:
            yield f"{path}/{label}"
        elif match.accepts_multiple != element.accepts_multiple:
            yield f"{path}/{label} comes in another number"
        else:
            yield from _in_type(element.type, match.type, f"{path}/{label}", seen, sent=sent)
    if sent:
        yield from (f"{path}/{one.name} is wanted" for one in there.values() if _is_needed(one))


def _is_read_alike(ours: Any, theirs: Any) -> bool:
    """An int may have become a long, and the other way round; text stays text."""
    return isinstance(theirs, type(ours)) or isinstance(ours, type(theirs))


def _is_needed(element: Any) -> bool:
    return bool(element.min_occurs > 0 and not element.nillable and element.default is None)


def _names(kind: Any) -> list[str]:
    return [element.qname.text for _, element in kind.elements]
