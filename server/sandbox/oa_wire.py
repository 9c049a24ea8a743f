"""How the stand-in OA reads and writes SOAP: envelopes as XFire makes them.

A value of a data type is a mapping of element names to XML already made; its elements stand in the order
of the alphabet, as they do in the description.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

SERVICE_NS: Final = "webservices.services.weaver.com.cn"
TYPES_NS: Final = "http://webservices.workflow.weaver"
_SOAP_NS: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<soap:Envelope xmlns:soap="{_SOAP_NS}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body>'
)
_TAIL: Final = "</soap:Body></soap:Envelope>"
_ZONE: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
OUT_NIL: Final = '<ns1:out xsi:nil="true"/>'

Value = str | bool | int | None
Parts = Mapping[str, str]
"""Elements of one value, by name, each of them XML already."""


@dataclass(frozen=True, slots=True)
class Question:
    """An operation and its arguments in0, in1 … as elements."""

    operation: str
    arguments: tuple[Any, ...]

    def text(self, at: int) -> str:
        return (self.arguments[at].text or "").strip() if at < len(self.arguments) else ""

    def number(self, at: int) -> int:
        return int(self.text(at))

    def texts(self, at: int) -> list[str]:
        return [(one.text or "").strip() for one in self.arguments[at]]

    def inside(self, at: int, *path: str) -> str:
        """Text of an element within an argument, by the local names on the way to it."""
        return str(self.arguments[at].findtext("/".join(f"{{*}}{name}" for name in path)) or "")


def read_question(body: bytes) -> Question:
    """Raises ValueError for anything that is no question to this service."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        operation = etree.fromstring(body, parser).find(f"{{{_SOAP_NS}}}Body")[0]  # type: ignore[index]
    except (etree.XMLSyntaxError, TypeError, IndexError):
        raise ValueError("the request is not a SOAP envelope") from None
    name = etree.QName(operation)
    if name.namespace != SERVICE_NS:
        raise ValueError(f"no such namespace: {name.namespace}")
    return Question(name.localname, tuple(operation))


def answer(operation: str, out: str) -> str:
    """A whole answer; `out` is XML already."""
    return (
        f'{_HEAD}<ns1:{operation}Response xmlns:ns1="{SERVICE_NS}">{out}'
        f"</ns1:{operation}Response>{_TAIL}"
    )


def fault(reason: str) -> str:
    return (
        f"{_HEAD}<soap:Fault><faultcode>soap:Server</faultcode>"
        f"<faultstring>{escape(reason)}</faultstring></soap:Fault>{_TAIL}"
    )


def out_text(value: object) -> str:
    return f"<ns1:out>{escape(str(value))}</ns1:out>"


def out_texts(values: Sequence[str]) -> str:
    inside = "".join(f"<ns1:string>{escape(value)}</ns1:string>" for value in values)
    return f"<ns1:out>{inside}</ns1:out>"


def out_value(parts: Parts) -> str:
    """One value of a data type."""
    return f'<ns1:out xmlns="{TYPES_NS}">{joined(parts)}</ns1:out>'


def out_values(name: str, values: Iterable[Parts]) -> str:
    """An array; an empty one is an empty element, as the original writes it."""
    inside = array(name, values)
    return f'<ns1:out xmlns="{TYPES_NS}">{inside}</ns1:out>' if inside else "<ns1:out/>"


def array(name: str, values: Iterable[Parts]) -> str:
    return "".join(f"<{name}>{joined(value)}</{name}>" for value in values)


def texts(values: Iterable[str]) -> str:
    """What stands in an ArrayOfString within a data type."""
    return "".join(f"<ns1:string>{_legal(value)}</ns1:string>" for value in values)


def joined(parts: Parts) -> str:
    return "".join(parts[name] for name in sorted(parts))


def element(name: str, inside: str) -> str:
    """One that holds XML."""
    return f"<{name}>{inside}</{name}>"


def scalars(values: Mapping[str, Value]) -> dict[str, str]:
    """Elements that hold a word or a number; None is nil."""
    return {name: _scalar(name, value) for name, value in values.items()}


def local_time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _scalar(name: str, value: Value) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    text = str(value).lower() if isinstance(value, bool) else _legal(str(value))
    return f"<{name}>{text}</{name}>"


def _legal(text: str) -> str:
    """Control characters as some builds write them: as numbers, which no strict reader takes."""
    return _CONTROL.sub(lambda found: f"&#x{ord(found[0]):02x};", escape(text))
