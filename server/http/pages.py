"""The H5 app's files: hashed ones for ever, the page itself never cached.

A path without a file is one of the app's own addresses and gets the page; a missing hashed file is 404,
so that an old tab does not run the page as a script after an upgrade. Whoever cannot be signed in yet may
be sent elsewhere before anything is loaded (`DOORMAN`).
"""

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

DOORMAN: web.AppKey[Callable[[web.Request], web.Response | None]] = web.AppKey("doorman")
"""Asked before the page is given out: an answer in its place, or none."""

NOT_PAGES = frozenset(("api", "socket.io", "wecom"))
"""First parts of paths that belong to programs: what is missing there is missing."""

FOREVER = "public, max-age=31536000, immutable"
NOT_BUILT = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>院信 Yuanxin</title>
<p>页面尚未构建。请运行 make run。The pages have not been built: run make run.</p></html>"""


def add_routes(app: web.Application, folder: Path) -> None:
    """Serve the built app from `folder`."""

    async def serve(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path.partition("/")[0] in NOT_PAGES:
            raise web.HTTPNotFound
        file = _inside(folder, path)
        if file is not None:
            lasting = path.startswith("assets/")
            return _file(file, FOREVER if lasting else "no-cache")
        if path.startswith("assets/"):
            raise web.HTTPNotFound
        doorman = request.app.get(DOORMAN)
        if doorman is not None and (instead := doorman(request)) is not None:
            return instead
        page = folder / "index.html"
        if not page.is_file():
            return web.Response(text=NOT_BUILT, content_type="text/html", status=503)
        return _file(page, "no-cache")

    app.router.add_get("/{path:.*}", serve)


def _inside(folder: Path, path: str) -> Path | None:
    """The file a path names, if it is one of the folder's own."""
    if not path or "\0" in path:
        return None
    try:
        file = (folder / path).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except OSError:  # longer than any name here, or bytes that are no name
        return None


def _file(file: Path, caching: str) -> web.FileResponse:
    return web.FileResponse(file, headers={"Cache-Control": caching, "Vary": "Accept-Encoding"})
