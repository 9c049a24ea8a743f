"""The SOAP door: one call through zeep and aiohttp, bounded in time, size, number and trust.

zeep builds requests and reads answers by the WSDL; everything between is ours: the answer is read up to a
size, classified by status and headers (zeep would lose them), cleaned (`envelope.py`), and fitted to the
schema before the strict reader sees it (`fitting.py`), or read without zeep where it is told how.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import httpx
import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.proxy import AsyncServiceProxy
from zeep.transports import AsyncTransport

from server.integrations.oa import Blocked, NotUnderstood, OAError, RefusedByOA, Unreachable
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane, OverBudget
from server.integrations.oa.description import gaps
from server.integrations.oa.envelope import Unpacker, fit_for_parsing
from server.integrations.oa.fitting import SOAP_NS, FitToSchema

log = logging.getLogger(__name__)

PARSED_IN_A_THREAD: Final = 16 * 1024
"""Bytes from which an answer is read beside the event loop (20 rows cost some 11 ms of CPU)."""

READ_IN_A_THREAD: Final = 128 * 1024
"""The same with a reader of our own, which takes a millisecond for 20 rows."""

Reader = Callable[[Any], Any]

_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one door bears: seconds for a call, bytes of an answer, calls at once."""

    timeout_s: float = 10.0
    most_bytes: int = 8 * 1024 * 1024
    calls_at_once: int = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """A response in the shape zeep reads, its body read already."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str = "utf-8"


class SoapDoor:
    """Calls operations of one service. `open` reads the WSDL and asks nothing of the service.

    `spare_wsdl` is the description we know, `needs` the operations of it that are called: another
    description is used if it says all of that.
    """

    def __init__(
        self,
        wsdl: str,
        endpoint: str,
        budget: Budget,
        breaker: Breaker,
        *,
        spare_wsdl: str = "",
        needs: Collection[str] = (),
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._wsdl, self._spare_wsdl, self._endpoint = wsdl, spare_wsdl, endpoint
        self._needs = needs
        self._budget, self._breaker = budget, breaker
        self._slots = asyncio.Semaphore(self.limits.calls_at_once)
        self._reading = asyncio.Lock()
        self._transport = _Transport(headers or {}, self.limits, wsdl)
        self._fitter = FitToSchema()
        self.passed_over = ""
        """Why the description that was asked for is not the one in use; empty: it is."""
        self._client: Any = None
        self._service: Any = None
        self._binding: Any = None

    async def open(self) -> None:
        """Raises ValueError for a file that cannot be read or lacks something. A description at an
        address that will not do is passed over: the OA may be down while we start, or answer nonsense."""
        is_remote = self._wsdl.startswith(("http://", "https://"))
        try:
            self._client = await asyncio.to_thread(self._load, self._wsdl)
            _binding(self._client)
            lacking = await asyncio.to_thread(self._gaps)
        except Exception as failed:
            if not is_remote or not self._spare_wsdl:
                raise ValueError(f"the OA's WSDL cannot be read: {_why(failed)}") from failed
            self.passed_over = f"cannot be read ({_why(failed)})"
            lacking = []
        if lacking and not is_remote:
            raise ValueError(f"the OA's WSDL lacks {', '.join(lacking[:5])}")
        if lacking:
            self.passed_over = f"lacks {', '.join(lacking[:5])}"
        if self.passed_over:
            log.warning("the OA's own WSDL %s, using the bundled one", self.passed_over)
            self._client = await asyncio.to_thread(self._load, self._spare_wsdl)
        self._binding = _binding(self._client)
        self._service = AsyncServiceProxy(  # type: ignore[no-untyped-call]
            self._client, self._binding, address=self._endpoint
        )

    def _gaps(self) -> list[str]:
        if not self._spare_wsdl or self._wsdl == self._spare_wsdl:
            return []
        return gaps(_binding(self._load(self._spare_wsdl)), _binding(self._client), self._needs)

    def _load(self, wsdl: str) -> Any:
        settings = zeep.Settings(
            strict=True,
            raw_response=True,
            forbid_dtd=True,
            forbid_entities=True,
            forbid_external=True,
            xml_huge_tree=False,
            force_https=False,
        )
        return zeep.AsyncClient(  # type: ignore[no-untyped-call]
            wsdl, transport=self._transport, settings=settings, plugins=[self._fitter]
        )

    async def close(self) -> None:
        await self._transport.aclose()

    def offers(self, operation: str) -> bool:
        """Whether the description that was read has this operation."""
        return operation in self._binding.all()

    async def call(
        self,
        operation: str,
        *arguments: object,
        lane: Lane,
        changes_something: bool = False,
        reader: Reader | None = None,
    ) -> Any:
        """One call, its result as zeep reads it, or as a reader makes it of the result's element. Raises
        one of the kinds of `OAError`."""
        if self._breaker.wait_s() > 0:
            raise self._breaker.reason()
        try:
            await self._budget.take(lane)
        except OverBudget:
            raise Unreachable("Too many questions wait for the OA.", never_arrived=True) from None
        has_asked = False
        try:
            async with asyncio.timeout(self.limits.timeout_s), self._slots:
                if not self._breaker.allows():
                    raise self._breaker.reason()
                has_asked = True
                result = await self._ask(operation, arguments, reader)
        except (TimeoutError, OAError) as failed:
            met = self._in_words(failed, operation, has_asked, changes_something)
            if has_asked:  # otherwise nothing is known about the OA
                self._breaker.failed(met)
            raise met from None
        except BaseException:
            if has_asked:
                self._breaker.abandoned()
            raise
        self._breaker.succeeded()
        return result

    async def _ask(
        self, operation: str, arguments: tuple[object, ...], reader: Reader | None
    ) -> Any:
        answer = await self._service[operation](*arguments)
        beside = PARSED_IN_A_THREAD if reader is None else READ_IN_A_THREAD
        if len(answer.content) >= beside:
            return await asyncio.to_thread(self._read, operation, answer, reader)
        async with self._reading:
            # Twenty that came together are read a tick each, so that acks go out between them.
            await asyncio.sleep(0)
            return self._read(operation, answer, reader)

    def _in_words(
        self, failed: Exception, operation: str, has_asked: bool, changes_something: bool
    ) -> OAError:
        """Which kind of failure the caller is told."""
        match failed:
            case _ServerFault() if changes_something:
                # It failed somewhere inside, before or after doing what it was asked.
                return NotUnderstood(f"The OA failed inside during {operation}.")
            case _ServerFault():
                return RefusedByOA(failed.sentence)
            case OAError():
                return failed
        return Unreachable(
            f"The OA did not answer within {self.limits.timeout_s:.0f} s.",
            never_arrived=not has_asked,
        )

    def _read(self, operation: str, answer: Answer, reader: Reader | None) -> Any:
        judge(answer)
        went_wrong = Unreachable(f"The OA answered with status {answer.status_code}.")
        try:
            clean = fit_for_parsing(answer.content, answer.headers.get("content-type", ""))
        except Blocked:
            if answer.status_code == 200:
                raise
            # The report of an error, and no login.
            raise went_wrong from None
        if answer.status_code != 200 and b"Fault" not in clean:
            raise went_wrong
        # The headers stay behind: a wrong content type must not make zeep look for attachments.
        fitted = Answer(answer.status_code, {}, clean)
        try:
            described = self._binding.get(operation)
            if reader is not None and (out := _result(clean, described)) is not None:
                return reader(out)
            return self._binding.process_reply(self._client, described, fitted)
        except OAError:
            raise
        except Fault as fault:
            code = " ".join(str(fault.code or "").split())[:60]
            kind = RefusedByOA if code.endswith(("Client", "Sender")) else _ServerFault
            raise kind(f"The OA refused {operation} ({code or 'fault'}).") from None
        except Exception as failed:
            # Whatever zeep or lxml make of a malformed answer (they raise a dozen kinds, some of
            # them plain AttributeErrors) means the same to us. No content in the text: it is
            # personal.
            raise NotUnderstood(
                f"The OA's answer to {operation} is malformed ({type(failed).__name__})."
            ) from None


def _binding(client: Any) -> Any:
    """Of the first port. Raises ValueError when it describes none, as a page does that is XML by chance."""
    for service in client.wsdl.services.values():
        for port in service.ports.values():
            return port.binding
    raise ValueError("it describes no service")


def _why(failed: Exception) -> str:
    """In a word: the text of a failure may hold an address with whatever stands in it."""
    if isinstance(failed, httpx.HTTPStatusError):
        return f"status {failed.response.status_code}"
    return type(failed).__name__


def _result(clean: bytes, described: Any) -> Any | None:
    """The element that holds the result; None for a fault, which is read by its description."""
    body = etree.fromstring(clean, _PARSER).find(f"{{{SOAP_NS}}}Body")
    if body is None or len(body) == 0:
        raise NotUnderstood("The OA's answer has no body.")
    expected = described.output.body
    if body[0].tag == f"{{{SOAP_NS}}}Fault":
        return None
    if body[0].tag != expected.qname.text:
        raise NotUnderstood("The OA answered something else than it was asked.")
    _, out = expected.type.elements[0]
    found = body[0].find(out.qname.text)
    if found is None:
        raise NotUnderstood("The OA's answer lacks its result.")
    return found


class _ServerFault(RefusedByOA):
    """A fault that is not said to be the question's."""


def judge(answer: Answer) -> None:
    """Raise for what the status and headers already say. 200 and 500 are decided by the body."""
    status = answer.status_code
    if status == 404 and answer.headers.get("errormsg"):
        raise Blocked(
            "The OA's security filter refuses us; web services must be allowed.",
            never_arrived=True,
        )
    if status in (401, 403, 404, 407) or 300 <= status < 400:
        raise Blocked(
            f"The way to the OA's web service is closed (status {status}).", never_arrived=True
        )
    if status in (408, 425, 429) or status > 500:
        raise Unreachable(f"The OA answered with status {status}.")
    if status not in (200, 500):
        raise NotUnderstood(f"The OA answered with status {status}.")


class _Transport(AsyncTransport):
    """zeep's transport with bounded reading, and without its logging of whole messages."""

    def __init__(self, headers: Mapping[str, str], limits: Limits, wsdl: str) -> None:
        # Neither redirects nor proxies of the environment: the address is the operator's choice.
        reading = httpx.Client(timeout=httpx.Timeout(limits.timeout_s), trust_env=False)
        # Only descriptions are read with httpx; a call through it costs three times as much.
        super().__init__(client=reading, wsdl_client=reading)  # type: ignore[no-untyped-call]
        self._limits = limits
        self._origin = _origin(wsdl)
        self._headers = {"User-Agent": "yuanxin", "Accept-Encoding": "identity", **headers}
        self._session: aiohttp.ClientSession | None = None
        self.wsdl_client.headers = dict(self._headers)

    async def aclose(self) -> None:
        self.wsdl_client.close()
        if self._session is not None:
            await self._session.close()

    async def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._limits.timeout_s),
            )
        question = etree.tostring(envelope, encoding="utf-8")
        try:
            async with self._session.post(
                address, data=question, headers=headers, allow_redirects=False
            ) as response:
                packed = response.headers.get("content-encoding", "")
                body = Unpacker(self._limits.most_bytes, packed)
                async for piece in response.content.iter_any():
                    body.feed(piece)
                return Answer(response.status, response.headers, body.body())
        except aiohttp.ClientConnectorError as failed:
            raise Unreachable(
                f"The OA cannot be reached ({type(failed).__name__}).", never_arrived=True
            ) from None
        except aiohttp.ClientError as failed:
            raise Unreachable(f"The OA cannot be reached ({type(failed).__name__}).") from None

    def _load_remote_data(self, url: str) -> bytes:
        # A description may import others: from where it lies itself, and from nowhere else.
        if not self._origin or _origin(url) != self._origin:
            raise ValueError("the WSDL names another place")
        ends_at = time.monotonic() + self._limits.timeout_s
        with self.wsdl_client.stream("GET", url) as response:
            response.raise_for_status()
            body = Unpacker(self._limits.most_bytes, response.headers.get("content-encoding", ""))
            for piece in response.iter_raw():
                body.feed(piece)
                if time.monotonic() > ends_at:
                    raise TimeoutError("the WSDL came too slowly")
            return body.body()


def _origin(url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    return (parts.scheme, parts.netloc) if parts.scheme in ("http", "https") else None
