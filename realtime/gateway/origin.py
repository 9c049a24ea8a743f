"""Who is at the other end of a request: the page's origin, and the device's address."""

from aiohttp import web


def is_allowed(request: web.Request, origins: frozenset[str] | None) -> bool:
    """Whether a page may use the socket. None allows every page.

    A request without an Origin comes from no page; its ticket is its right. A page served under the
    name it now calls is ours, whatever name that is.
    """
    origin = request.headers.get("Origin")
    if origin is None or origins is None or origin in origins:
        return True
    scheme, separator, host = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and host == request.host


def cors_headers(request: web.Request) -> dict[str, str]:
    """What lets an allowed page of another origin read the answer. Cookies are never asked for."""
    origin = request.headers.get("Origin")
    if origin is None:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def device_address(request: web.Request, trusted_proxies: frozenset[str]) -> str:
    """The address a request comes from; a proxy's word is taken only from a trusted proxy."""
    address = request.remote or ""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    while address in trusted_proxies and hops and hops[-1]:
        address = hops.pop()
    return address
