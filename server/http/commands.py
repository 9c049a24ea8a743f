"""Every command also by POST, for programs that hold no socket."""

import msgspec
from aiohttp import web

from server.http.answers import json_object
from server.http.identity import signed_in
from server.http.keys import DISPATCHER


async def run_command(request: web.Request) -> web.Response:
    """`POST /api/v1/commands/<name>` with the fields as body; the answer has the shape of an ack."""
    actor = await signed_in(request)
    body = await json_object(request)
    result = await request.app[DISPATCHER].run(actor, request.match_info["name"], body)
    return ok(result)


def ok(result: object) -> web.Response:
    """A success in the shape of an ack."""
    body = b'{"ok":true,"result":' + msgspec.json.encode(result) + b"}"
    return web.Response(body=body, content_type="application/json")


def add_routes(app: web.Application) -> None:
    app.router.add_post("/api/v1/commands/{name}", run_command)
