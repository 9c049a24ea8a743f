"""Files of an OA, fetched from the one address that the settings name.

Only the number of the file goes into it, and it is digits; nothing an OA writes is ever an address to us.
No redirects, no proxies of the environment, bounded in size, time and number. A page where a file should
be is the login or a filter, and not handed on.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

import httpx

from server.integrations.oa import Blocked, NotUnderstood, RefusedByOA, Unreachable
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane, OverBudget
from server.integrations.oa.documents import Download
from server.integrations.oa.markup import file_name

FILES_AT_ONCE: Final = 6
WHOLE_FILE_S: Final = 120.0
"""How long a file may take in all; whoever reads it slowly is cut off then."""

PLACE: Final = "{id}"

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
# What was passed over is not tried in other ways: with many comments there are more than anybody can count.
_PAGE = re.compile(
    rb"\s*+(?:<!--.*?-->\s*+)*+<(?:!doctype\s+html|html|head|body|script|meta)\b", re.I | re.S
)
_EXTENDED = re.compile(r"filename\*\s*=\s*([\w-]*)'[^']*'([^;]+)", re.IGNORECASE)
_PLAIN = re.compile(r"filename\s*=\s*(?:\"([^\"]*)\"|([^;]+))", re.IGNORECASE)


class Files:
    """Fetches files by their number. Without an address there are none."""

    def __init__(
        self,
        template: str,
        headers: Mapping[str, str],
        budget: Budget,
        breaker: Breaker,
        timeout_s: float,
    ) -> None:
        self._template = template
        self._budget, self._breaker = budget, breaker
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(FILES_AT_ONCE)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_s), trust_env=False, follow_redirects=False
        )
        self._client.headers = httpx.Headers(
            {"User-Agent": "yuanxin", "Accept-Encoding": "identity", **headers}
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def fetch(self, number: str, most_bytes: int) -> Download:
        """The file, its first bytes seen already. Raises a kind of `OAError`."""
        if not self._template:
            raise RefusedByOA("The settings do not say where files of the OA lie.")
        if _NUMBER.fullmatch(number) is None:
            raise RefusedByOA("The OA's number of this file is not a number.")
        if self._breaker.wait_s() > 0:
            raise self._breaker.reason()
        try:
            await self._budget.take(Lane.INTERACTIVE)
        except OverBudget:
            raise Unreachable("Too many questions wait for the OA.") from None
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._begin(number, most_bytes, stack)
        except TimeoutError:
            await stack.aclose()
            raise Unreachable(f"No file came within {self._timeout_s:.0f} s.") from None
        except httpx.HTTPError as failed:
            await stack.aclose()
            raise Unreachable(f"The file cannot be reached ({type(failed).__name__}).") from None
        except BaseException:
            await stack.aclose()
            raise

    async def _begin(self, number: str, most_bytes: int, stack: AsyncExitStack) -> Download:
        await stack.enter_async_context(self._slots)
        response = await stack.enter_async_context(
            self._client.stream("GET", self._template.replace(PLACE, number))
        )
        size = _judge(response, most_bytes)
        pieces = response.aiter_raw()
        first = await anext(pieces, b"")
        if not first:
            raise RefusedByOA("There is no such file in the OA, or it is empty.")
        if _PAGE.match(first[:2_000]) and not _is_attached(response):
            raise Blocked("A web page came instead of a file, as the OA's login or filter does.")
        return Download(
            name=_name(response),
            content_type=response.headers.get("content-type", "").split(";")[0].strip().lower(),
            size=size,
            pieces=_Pieces(first, pieces, most_bytes, stack),
        )


class _Pieces:
    """A file's bytes; gives back what was begun for it at the end, at any failure, and when closed."""

    def __init__(
        self, first: bytes, rest: AsyncIterator[bytes], most_bytes: int, begun: AsyncExitStack
    ) -> None:
        self._first, self._rest = first, rest
        self._left = most_bytes
        self._begun = begun
        self._ends_at = asyncio.get_running_loop().time() + WHOLE_FILE_S

    def __aiter__(self) -> "_Pieces":
        return self

    async def __anext__(self) -> bytes:
        try:
            piece, self._first = self._first, b""
            if not piece:
                async with asyncio.timeout_at(self._ends_at):
                    piece = await anext(self._rest)
            self._left -= len(piece)
            if self._left < 0:
                raise RefusedByOA("The file is larger than is fetched.")
        except TimeoutError:
            await self.aclose()
            raise Unreachable("The file came too slowly.") from None
        except httpx.HTTPError as failed:
            await self.aclose()
            raise Unreachable(f"The file broke off ({type(failed).__name__}).") from None
        except BaseException:
            await self.aclose()
            raise
        return piece

    async def aclose(self) -> None:
        await self._begun.aclose()


def _judge(response: httpx.Response, most_bytes: int) -> int | None:
    """The size, where it is told; raises for what status and headers say already."""
    status = response.status_code
    if 300 <= status < 400 or status in (401, 403, 407) or response.headers.get("errormsg"):
        raise Blocked(f"The way to the OA's files is closed (status {status}).")
    if status in (404, 410):
        raise RefusedByOA("There is no such file in the OA.")
    if status != 200:
        raise Unreachable(f"The OA's files answered with status {status}.")
    if response.headers.get("content-encoding", "identity") not in ("", "identity"):
        raise NotUnderstood("The file is packed in a way we did not ask for.")
    told = response.headers.get("content-length", "")
    size = int(told) if told.isascii() and told.isdecimal() and len(told) < 16 else None
    if size is not None and size > most_bytes:
        raise RefusedByOA("The file is larger than is fetched.")
    return size


def _is_attached(response: httpx.Response) -> bool:
    told: str = response.headers.get("content-disposition", "")
    return told.lower().startswith("attachment")


def _name(response: httpx.Response) -> str:
    """Out of a header that may be UTF-8 or GBK as it is, or percent-encoded."""
    raw_headers = {name.lower(): value for name, value in response.headers.raw}
    told = raw_headers.get(b"content-disposition", b"")[:1_000].decode("latin-1")
    if (found := _EXTENDED.search(told)) is not None:
        try:
            return file_name(unquote(found[2].strip(), encoding=found[1] or "utf-8"))
        except LookupError:
            return ""
    if (found := _PLAIN.search(told)) is None:
        return ""
    raw = unquote_to_bytes((found[1] or found[2] or "").encode("latin-1"))
    for encoding in ("utf-8", "gb18030"):
        try:
            return file_name(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return ""
