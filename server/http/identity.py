"""Who sends a request: address, origin, session."""

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from server.auth import Actor
from server.errors import Forbidden, Unauthenticated
from server.http.keys import COOKIE, SESSIONS, SETTINGS


def address_of(request: web.Request) -> str:
    """The client's address: the peer's, or what a trusted proxy says of it."""
    peer = request.remote or ""
    trusted = request.app[SETTINGS].proxies
    # Each proxy appends whom it heard; walk back from the nearest while they are ours.
    hops = [h.strip() for h in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
    while peer in trusted and hops and hops[-1]:
        peer = hops.pop()
    return peer if _is_address(peer) else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_origin(request: web.Request, *, may_be_missing: bool) -> None:
    """Raises Forbidden for a page of another site. A browser names the page's origin on every POST;
    programs do not, and have to show a token instead of a cookie."""
    origin = request.headers.get("Origin")
    if origin is None:
        if may_be_missing:
            return
        raise Forbidden("a request with the cookie alone must come from our own page")
    if not _is_ours(request, origin):
        raise Forbidden("this page belongs to another site")


def _is_ours(request: web.Request, origin: str) -> bool:
    """Whether an origin is the public one, or the name under which this request came."""
    try:
        given = urlsplit(origin)
    except ValueError:
        return False
    if given.scheme not in ("http", "https") or not given.netloc:
        return False
    ours = urlsplit(request.app[SETTINGS].url)
    return (given.scheme, given.netloc) == (
        ours.scheme,
        ours.netloc,
    ) or given.netloc == request.host


async def signed_in(request: web.Request) -> Actor:
    """The actor of a request, by bearer token or cookie. Raises Unauthenticated or Forbidden."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bears = scheme.lower() == "bearer" and bool(token)
    if not bears:
        token = request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthenticated("sign in first")
    check_origin(request, may_be_missing=bears)
    return await request.app[SESSIONS].authenticate(token.strip(), address_of(request))
