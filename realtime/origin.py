"""Who is at the other end of a request: the page's origin, and the device's address.

One reading for sockets and for whatever else the product serves: two would disagree some day, and then
one of them would believe a stranger.
"""

import ipaddress
from typing import Protocol

from multidict import MultiMapping


class Asked(Protocol):
    """A request, as far as it matters here: aiohttp's, or the head of one that was not given to it."""

    @property
    def headers(self) -> MultiMapping[str]: ...

    @property
    def host(self) -> str: ...

    @property
    def remote(self) -> str | None:
        """The peer's address."""
        ...


def is_allowed(request: Asked, pages: frozenset[str] | None) -> bool:
    """Whether the page a request comes from is one of ours, given the addresses where those are served;
    None allows every page.

    A request without an Origin comes from no page; its ticket is its right. A page served under the
    name it now calls is ours, whatever name that is.
    """
    origin = request.headers.get("Origin")
    if origin is None or pages is None or origin in map(_origin_of, pages):
        return True
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and bool(host) and host == request.host


def _origin_of(page: str) -> str:
    """`https://name:port` of an address, without a path."""
    return "/".join(page.split("/", 3)[:3])


def cors_headers(request: Asked) -> dict[str, str]:
    """What lets an allowed page of another origin read the answer. Cookies are never asked for."""
    origin = request.headers.get("Origin")
    if origin is None:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def device_address(request: Asked, trusted_proxies: frozenset[str]) -> str:
    """The address a request comes from: the peer's, or what a trusted proxy says of it; empty when that
    is no address."""
    address = request.remote or ""
    # Each proxy appends whom it heard, some as a line of their own; walk back while they are ours.
    lines = request.headers.getall("X-Forwarded-For", [])
    hops = [hop.strip() for hop in ",".join(lines).split(",")]
    while address in trusted_proxies and hops and hops[-1]:
        address = hops.pop()
    return address if _is_address(address) else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
