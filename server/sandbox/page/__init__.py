"""The page at `/`: a phone on the left, an OA desk and the HIS on the right, and the switches for faults.

Plain files without a build: this page must work when everything else is broken. Nothing on it
comes from another host, and its policy says so to the browser.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

_FOLDER: Final = Path(__file__).parent
_SCRIPTS: Final = (
    "page.js",
    "desk.js",
    "document.js",
    "his.js",
    "phone.js",
    "picker.js",
    "wire.js",
    "words.js",
)
_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/sandbox/page.css": ("page.css", "text/css"),
    **{f"/sandbox/{name}": (name, "text/javascript") for name in _SCRIPTS},
}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page_routes() -> list[web.RouteDef]:
    """The page and its files, read once."""
    return [web.get(path, _file(name, kind)) for path, (name, kind) in _FILES.items()]


def _file(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = (_FOLDER / name).read_bytes()

    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=_HEADERS)

    return serve
