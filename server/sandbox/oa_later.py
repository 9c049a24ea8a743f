"""A later build of the OA's service, made from the description of the first one.

Its types have fields in their middle which the first one has not, and there are more operations. Both the
description and the answers are made from what stands here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from server.sandbox.oa_wire import Value, scalars

Build = Callable[[str], Mapping[str, str]]
"""The elements that a build adds to a value of this type."""

# By type: the new fields with their XML type and what they say.
_FIELDS: Final[dict[str, dict[str, tuple[str, Value]]]] = {
    "WorkflowRequestInfo": {
        "beagenter": ("string", None),
        "isremark": ("int", 0),
        "messagecontent": ("string", "无"),
        "requestMark": ("string", "流程编号"),
    },
    "WorkflowRequestTableField": {
        "fieldDescription": ("string", "字段说明"),
        "isLinked": ("boolean", False),
    },
    "WorkflowRequestLog": {"logType": ("string", "0"), "operatorJob": ("string", None)},
}

# New operations: the types of their parameters, and of the answer.
_OPERATIONS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "getUserId": (("string", "string"), "string"),
    "getRequestStatus": (("int", "int"), "string"),
    "getWorkflowUnreadCount": (("int",), "int"),
}

_MORE: Final = {
    name: scalars({field: said for field, (_, said) in fields.items()})
    for name, fields in _FIELDS.items()
}


def first_build(type_name: str) -> Mapping[str, str]:
    return {}


def later_build(type_name: str) -> Mapping[str, str]:
    return _MORE.get(type_name, {})


def is_later_operation(operation: str) -> bool:
    return operation in _OPERATIONS


def later_description(first: str) -> str:
    """The WSDL of the later build, out of that of the first."""
    text = first
    for name, fields in _FIELDS.items():
        text = _with_fields(text, name, fields)
    for operation, (parameters, out) in _OPERATIONS.items():
        text = _with_operation(text, operation, parameters, out)
    return text


def _with_fields(text: str, type_name: str, fields: Mapping[str, tuple[str, Value]]) -> str:
    found = re.search(
        rf'(<xsd:complexType name="{type_name}">\s*<xsd:sequence>\s*)(.*?)(</xsd:sequence>)',
        text,
        re.DOTALL,
    )
    assert found is not None
    elements = re.findall(r"<xsd:element [^>]*/>", found[2])
    elements += [_element(name, kind, 0) for name, (kind, _) in fields.items()]
    elements.sort(key=_name_of)
    return text[: found.start(2)] + "\n".join(elements) + "\n" + text[found.start(3) :]


def _with_operation(text: str, name: str, parameters: tuple[str, ...], out: str) -> str:
    """As an operation that is there already, in each of the five places."""
    asked = "".join(_element(f"in{n}", kind, 1) for n, kind in enumerate(parameters))
    types = _wrapper(name, asked) + _wrapper(f"{name}Response", _element("out", out, 1))
    text = text.replace(
        '<xsd:element name="deleteRequest">', f'{types}<xsd:element name="deleteRequest">', 1
    )
    for pattern in (
        r'<wsdl:message name="deleteRequest(Request|Response)">.*?</wsdl:message>\s*',
        r'<wsdl:operation name="deleteRequest">.*?</wsdl:operation>\s*',
    ):
        text = re.sub(
            pattern,
            lambda like: like[0].replace("deleteRequest", name) + like[0],
            text,
            flags=re.DOTALL,
        )
    return text


def _wrapper(name: str, inside: str) -> str:
    return (
        f'<xsd:element name="{name}"><xsd:complexType><xsd:sequence>{inside}'
        "</xsd:sequence></xsd:complexType></xsd:element>"
    )


def _element(name: str, kind: str, least: int) -> str:
    nillable = ' nillable="true"' if kind == "string" else ""
    return f'<xsd:element minOccurs="{least}" name="{name}"{nillable} type="xsd:{kind}"/>'


def _name_of(element: str) -> str:
    found = re.search(r' name="([^"]*)"', element)
    return found[1] if found is not None else ""
