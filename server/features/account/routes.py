"""Sign-in, ticket and sign-out over HTTP. Refusals rise to the middleware that answers them."""

import msgspec
from aiohttp import web

from realtime.protocol import read_command
from server.auth.devices import device_name
from server.errors import Invalid, TooLarge, Unauthenticated
from server.features.account.protocol import SignInForm
from server.features.account.sign_in import SignIn
from server.http.answers import body_in_time
from server.http.identity import (
    address_of,
    check_origin,
    drop_session,
    keep_session,
    signed_in,
)

SIGN_IN = web.AppKey("sign_in", SignIn)
LARGEST_FORM = 4_096
NOT_KEPT = {"Cache-Control": "no-store"}


def add_routes(app: web.Application, service: SignIn) -> None:
    app[SIGN_IN] = service
    app.router.add_post("/api/v1/auth/login", sign_in)
    app.router.add_post("/api/v1/auth/ticket", issue_ticket)
    app.router.add_post("/api/v1/auth/logout", sign_out)


async def sign_in(request: web.Request) -> web.Response:
    check_origin(request, may_be_missing=True)
    service = request.app[SIGN_IN]
    form = read_command(SignInForm, await _read_form(request))
    device = device_name(request.headers.get("User-Agent", ""))
    answer = await service.sign_in(form, address_of(request), device)
    response = _answer(answer)
    keep_session(request, response, answer.token, answer.expires_at - service.clock.now())
    return response


async def issue_ticket(request: web.Request) -> web.Response:
    actor = await signed_in(request)
    return _answer(await request.app[SIGN_IN].issue_ticket(actor))


async def sign_out(request: web.Request) -> web.Response:
    service = request.app[SIGN_IN]
    try:
        await service.sign_out(await signed_in(request))
    except Unauthenticated:
        # The session has ended already, as was wanted; the cookie goes, but for no page of others.
        check_origin(request, may_be_missing=True)
    response = _answer({})
    drop_session(request, response)
    return response


async def _read_form(request: web.Request) -> object:
    """The posted object, refused as soon as it is longer than any form could be."""
    if request.content_type != "application/json":
        raise Invalid("post the fields as application/json")
    content = bytearray()
    async with body_in_time():
        async for chunk in request.content.iter_any():
            content += chunk
            if len(content) > LARGEST_FORM:
                raise TooLarge("this is longer than any sign-in")
    try:
        return msgspec.json.decode(content)
    except msgspec.MsgspecError as fault:
        raise Invalid(f"this is not JSON: {fault}") from None
    except RecursionError:
        raise Invalid("this is nested too deeply") from None


def _answer(body: object) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), content_type="application/json", headers=NOT_KEPT
    )
