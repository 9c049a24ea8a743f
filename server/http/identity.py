"""Who sends a request: address, origin, session."""

from urllib.parse import unquote

from aiohttp import web

from realtime.origin import device_address, is_allowed
from server.auth import Actor
from server.errors import Forbidden, Unauthenticated
from server.http.keys import CLAIM, COOKIE, SESSIONS, SETTINGS


def address_of(request: web.Request) -> str:
    """The device's address, read as sockets read it."""
    return device_address(request, request.app[SETTINGS].proxies)


def check_origin(request: web.Request, *, may_be_missing: bool) -> None:
    """Raises Forbidden for a page of another site. A browser names the page's origin on every POST;
    programs do not, and have to show a token instead of a cookie."""
    if "Origin" not in request.headers and not may_be_missing:
        raise Forbidden("a request with the cookie alone must come from our own page")
    if not is_allowed(request, frozenset({request.app[SETTINGS].url})):
        raise Forbidden("this page belongs to another site")


async def signed_in(request: web.Request) -> Actor:
    """The actor of a request, by bearer token or cookie. Raises Unauthenticated or Forbidden."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bears = scheme.lower() == "bearer" and bool(token)
    if not bears:
        token = request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthenticated("sign in first")
    check_origin(request, may_be_missing=bears)
    actor = await request.app[SESSIONS].authenticate(token.strip(), address_of(request))
    if request.headers.get(CLAIM) and unquote(request.headers[CLAIM]) != actor.person_id:
        raise Unauthenticated("somebody else has signed in on this device")
    return actor


def keep_session(
    request: web.Request, response: web.StreamResponse, token: str, lifetime_ms: int
) -> None:
    """Leave a session's token with the browser, out of its pages' reach."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=lifetime_ms // 1000,
        path="/",
        secure=keeps_secure(request),
        httponly=True,
        samesite="Lax",
    )


def drop_session(request: web.Request, response: web.StreamResponse) -> None:
    """Take the token from the browser."""
    response.del_cookie(
        COOKIE, path="/", secure=keeps_secure(request), httponly=True, samesite="Lax"
    )


def keeps_secure(request: web.Request) -> bool:
    """Whether cookies may only travel over TLS."""
    return request.app[SETTINGS].url.startswith("https://")
