"""An answer fitted to its description before the strict reader sees it.

zeep's lenient mode is never used: after one element it does not know, it silently reads every later field as
None.
"""

import logging
from dataclasses import dataclass, field
from typing import Any, Final

import zeep

from server.integrations.oa import NotUnderstood

log = logging.getLogger(__name__)

SOAP_NS: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"


@dataclass
class FitToSchema(zeep.Plugin):
    """Before reading: drop elements the schema does not know, put the known ones in its order.

    Later builds of the OA add fields anywhere; what we know of an answer must survive that.
    """

    dropped: set[str] = field(default_factory=set)

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> tuple[Any, Any]:
        body, expected = envelope.find("{*}Body"), operation.output.body
        if body is None or len(body) == 0:
            raise NotUnderstood("The OA's answer has no body.")
        answer = body[0]
        if answer.tag == f"{{{SOAP_NS}}}Fault":
            return envelope, http_headers
        if answer.tag != expected.qname.text:
            raise NotUnderstood("The OA answered something else than it was asked.")
        self._fit(answer, expected.type)
        there = {child.tag for child in answer}
        for _, element in expected.type.elements:
            if element.min_occurs > 0 and element.qname.text not in there:
                raise NotUnderstood("The OA's answer lacks its result.")
        return envelope, http_headers

    def _fit(self, node: Any, kind: Any) -> None:
        for name in [name for name in node.attrib if name != _XSI_NIL]:
            del node.attrib[name]
        if not isinstance(kind, zeep.xsd.ComplexType):
            if len(node):
                text = "".join(node.itertext())
                del node[:]
                node.text = text
            return
        elements = enumerate(element for _, element in kind.elements)
        known = {element.qname.text: (at, element) for at, element in elements}
        kept: list[tuple[int, Any]] = []
        passed_over = False
        for child in node:
            if child.tag in known:
                at, element = known[child.tag]
                self._fit(child, element.type)
                kept.append((at, child))
            elif isinstance(child.tag, str):
                passed_over = True
                self._tell_once(child.tag)
        if passed_over and known and not kept:
            # Nothing at all where something was is not an empty result.
            raise NotUnderstood("The OA's answer holds nothing that its description knows.")
        ordered = [child for _, child in sorted(kept, key=lambda pair: pair[0])]
        if ordered != list(node):
            node[:] = ordered

    def _tell_once(self, tag: str) -> None:
        name = tag[:120]
        if name not in self.dropped and len(self.dropped) < 200:
            self.dropped.add(name)
            log.info("the OA sends an element its description does not know: %s", name)
