"""Around every request: refusals become JSON, what is unknown is logged once, headers are set."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from server.dispatch import refusal
from server.errors import Invalid, NotFound, Refused, TooLarge, Unavailable
from server.http.keys import SETTINGS

log = logging.getLogger(__name__)

BODY_LIMIT = 256 * 1024
"""Bytes a JSON body may have."""
BODY_WITHIN_S = 30.0
"""Seconds it may take to come; whoever stops half-way would keep the connection for ever."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self' ws: wss:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Permissions-Policy": "geolocation=(), payment=()",
}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refused_response(refused: Refused) -> web.Response:
    """A refusal over HTTP: the same body as over the socket, with its status."""
    response = web.Response(
        body=bytes(refusal(refused)), status=refused.status, content_type="application/json"
    )
    if refused.retry_after_ms is not None:
        response.headers["Retry-After"] = str(math.ceil(refused.retry_after_ms / 1000))
    return response


@web.middleware
async def answer_refusals(request: web.Request, handler: Answer) -> web.StreamResponse:
    """One place where what a handler raises becomes an answer."""
    try:
        return await handler(request)
    except Refused as refused:
        return refused_response(refused)
    except web.RequestPayloadError:
        return refused_response(
            Invalid("the body ended early or is not encoded as its headers say")
        )
    except web.HTTPRequestEntityTooLarge:
        return refused_response(TooLarge(f"a body has at most {BODY_LIMIT} bytes"))
    except web.HTTPException as raised:
        if request.path.startswith("/api/") and raised.status in (404, 405):
            return refused_response(NotFound("there is nothing at this address"))
        raise
    except Exception as fault:
        if isinstance(fault, ConnectionError) and _has_gone(request):
            raise  # aiohttp takes it as that
        log.exception("request failed", extra={"method": request.method, "route": _route(request)})
        sentence = "something went wrong on our side; it has been logged"
        return refused_response(Unavailable(sentence))


def _has_gone(request: web.Request) -> bool:
    """Whether whoever asked is not there any more."""
    return request.transport is None or request.transport.is_closing()


def _route(request: web.Request) -> str:
    """The pattern rather than the path, which may hold ids."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on every answer, error pages included."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "Yuanxin"  # rather than which versions of what
    if request.app[SETTINGS].url.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")


@asynccontextmanager
async def body_in_time() -> AsyncIterator[None]:
    """Where a body is read. Raises Invalid when it takes too long."""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            yield
    except TimeoutError:
        raise Invalid("the body did not come in time; send it again") from None


async def body_of(request: web.Request) -> bytes:
    """The body. Raises Invalid or TooLarge."""
    async with body_in_time():
        return await request.read()


async def json_object(request: web.Request) -> object:
    """The body as decoded JSON; no body counts as an empty object. Raises Invalid or TooLarge."""
    body = await body_of(request)
    if not body:
        return {}
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Invalid("the body is not JSON") from None
    return decoded
