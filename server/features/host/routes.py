"""Signing in by WeCom over HTTP: the way out, the way back, and proving whose a WeCom id is.

Two cookies besides the session's, both out of the pages' reach: one tells browsers apart while they are
away, so that nobody can be brought into a sign-in that another began; one holds a claim.
"""

import secrets
from typing import Final
from urllib.parse import quote

import msgspec
from aiohttp import web

from realtime.protocol import read_command
from server.auth.devices import device_name
from server.auth.sessions import Sessions
from server.auth.states import LIFETIME_S
from server.errors import Refused, Unauthenticated
from server.features.host import page, words
from server.features.host.claims import AGAIN_MS, CLAIM_MS, CODE_MS
from server.features.host.protocol import AskForCode, ClaimShown, CodeOnItsWay, Prove, Ways
from server.features.host.sign_in import BACK, Began, NotSignedIn, WeComSignIn
from server.features.host.targets import own_path
from server.http.answers import json_object
from server.http.identity import address_of, check_origin, keep_session, keeps_secure
from server.http.keys import COOKIE, SESSIONS, SETTINGS
from server.http.pages import DOORMAN

SERVICE = web.AppKey("wecom_sign_in", WeComSignIn)
WECOM: Final = "/api/v1/auth/wecom"
BROWSER: Final = "yuanxin_browser"
CLAIM: Final = "yuanxin_claim"
CAME: Final = "yuanxin_came"
"""Whom the page was loaded for, for the page itself to read: it may still hold what somebody else left."""
CAME_S: Final = 60
TRIED: Final = "yuanxin_tried"
"""Whoever was sent to WeCom is not sent again within a minute: what goes wrong ends in words, not in a
circle. The page reads and leaves it too."""
TRIED_S: Final = 60
LONGEST_COOKIE: Final = 128


def add_routes(app: web.Application, service: WeComSignIn) -> None:
    app[SERVICE] = service
    app[DOORMAN] = straight_to_wecom
    app.router.add_get("/api/v1/auth/ways", show_ways)
    app.router.add_get(WECOM, leave)
    app.router.add_get(f"{WECOM}/qr", leave_by_picture)
    app.router.add_get(BACK, arrive)
    app.router.add_get(f"{WECOM}/claim", show_claim)
    app.router.add_post(f"{WECOM}/claim/code", send_code)
    app.router.add_post(f"{WECOM}/claim", prove)
    app.router.add_get("/WW_verify_{mark:[A-Za-z0-9]+}.txt", show_mark)


def straight_to_wecom(request: web.Request) -> web.Response | None:
    """A page that is opened inside WeCom by nobody we know would, once loaded, do nothing but leave for
    WeCom: it is spared the loading."""
    target = own_path(str(request.rel_url))
    if (
        not _is_inside_wecom(request)
        or COOKIE in request.cookies
        or TRIED in request.cookies
        or target != str(request.rel_url)
        or not request.app[SERVICE].host.is_there
    ):
        return None
    response = _sent_to(f"{WECOM}?to={quote(target, safe='')}")
    response.set_cookie(
        TRIED, "1", max_age=TRIED_S, path="/", secure=keeps_secure(request), samesite="Lax"
    )
    return response


async def show_ways(request: web.Request) -> web.Response:
    """By what else than the account one may sign in here: no secret, nobody has to be signed in."""
    return _json(Ways(wecom=request.app[SERVICE].host.is_there))


async def leave(request: web.Request) -> web.Response:
    """Send a page inside WeCom to WeCom; `to` is where it wants to be afterwards."""
    return await _leave(request, picture=False)


async def leave_by_picture(request: web.Request) -> web.Response:
    """Send any browser to WeCom's picture."""
    return await _leave(request, picture=True)


async def _leave(request: web.Request, *, picture: bool) -> web.Response:
    # WeCom sends browsers back to the public name, and cookies belong to one name.
    public = request.app[SETTINGS].url
    if (
        request.host != public.partition("://")[2].partition("/")[0]
        and "moved" not in request.query
    ):
        return _sent_to(f"{public}{request.rel_url.update_query(moved='1')}")
    # Two tabs leave with one mark; a mark we did not make is as good as one of ours.
    browser = request.cookies.get(BROWSER, "")
    if not 32 <= len(browser) <= LONGEST_COOKIE:
        browser = secrets.token_urlsafe(32)
    try:
        address = await request.app[SERVICE].leave_for(
            browser,
            own_path(request.query.get("to", "")),
            picture=picture,
            asks=_may_ask(request) and request.query.get("scope") == "privateinfo",
        )
    except NotSignedIn as reason:
        return page.told(reason.words, reason.target)
    response = _sent_to(address)
    _leave_cookie(request, response, BROWSER, browser, LIFETIME_S)
    return response


async def arrive(request: web.Request) -> web.Response:
    """A browser comes back from WeCom with a code and its state."""
    service = request.app[SERVICE]
    try:
        came = await service.arrive(
            request.cookies.get(BROWSER, ""),
            request.query.get("state", ""),
            request.query.get("code", ""),
            address=address_of(request),
            device=device_name(request.headers.get("User-Agent", "")),
        )
    except NotSignedIn as reason:
        # The page was loaded again: whoever is signed in already goes on.
        if reason.words is words.USED and await _is_signed_in(request):
            return _sent_to(reason.target)
        return page.told(reason.words, reason.target)
    if isinstance(came, Began):
        response = _sent_to(came.target)
        _let_in(request, response, came)
        return response
    response = _sent_to("/bind")
    _leave_cookie(request, response, CLAIM, came.held, CLAIM_MS // 1000)
    return response


async def show_claim(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    claim = await service.claims.read(_held(request))
    way = f"{WECOM}?scope=privateinfo&to={quote(claim.target, safe='')}"
    return _json(
        ClaimShown(
            wecom_user_id=claim.wecom_user_id,
            sends_codes=service.claims.sms.is_there,
            ask=way if _may_ask(request) and not claim.has_shown else "",
            has_shown=claim.has_shown,
        )
    )


async def send_code(request: web.Request) -> web.Response:
    check_origin(request, may_be_missing=False)
    form = read_command(AskForCode, await json_object(request))
    claims = request.app[SERVICE].claims
    await claims.send_code(_held(request), form.account, address_of(request))
    return _json(CodeOnItsWay(expires_in=CODE_MS // 1000, again_in=AGAIN_MS // 1000))


async def prove(request: web.Request) -> web.Response:
    check_origin(request, may_be_missing=False)
    form = read_command(Prove, await json_object(request))
    device = device_name(request.headers.get("User-Agent", ""))
    began, arrived = await request.app[SERVICE].prove(
        _held(request), form, address_of(request), device
    )
    response = _json(arrived)
    _let_in(request, response, began)
    response.del_cookie(CLAIM, path=WECOM)
    return response


async def show_mark(request: web.Request) -> web.StreamResponse:
    """The file by which WeCom sees that the domain is ours; it lies in the data folder."""
    file = request.app[SETTINGS].data_dir / request.path[1:]
    if not file.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(file, headers={"Content-Type": "text/plain; charset=utf-8"})


def _let_in(request: web.Request, response: web.Response, began: Began) -> None:
    lifetime_ms = began.session.expires_at - began.session.created_at
    keep_session(request, response, began.token, lifetime_ms)
    response.del_cookie(TRIED, path="/")
    response.set_cookie(
        CAME,
        quote(began.session.person_id, safe=""),
        max_age=CAME_S,
        path="/",
        secure=keeps_secure(request),
        samesite="Lax",
    )


def _may_ask(request: web.Request) -> bool:
    """Whether this hospital lets members be known by what they show in WeCom, and this is WeCom."""
    return request.app[SETTINGS].wecom_asks_phone and _is_inside_wecom(request)


def _is_inside_wecom(request: web.Request) -> bool:
    return "wxwork" in request.headers.get("User-Agent", "").lower()


def _held(request: web.Request) -> str:
    held = request.cookies.get(CLAIM, "")
    if not 0 < len(held) <= LONGEST_COOKIE:
        raise Unauthenticated("begin with WeCom")
    return held


async def _is_signed_in(request: web.Request) -> bool:
    sessions: Sessions = request.app[SESSIONS]
    try:
        await sessions.authenticate(request.cookies.get(COOKIE, ""))
    except Refused:
        return False
    return True


def _leave_cookie(
    request: web.Request, response: web.Response, name: str, value: str, lifetime_s: int
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=lifetime_s,
        path=WECOM,
        secure=keeps_secure(request),
        httponly=True,
        samesite="Lax",
    )


def _sent_to(address: str) -> web.Response:
    """Written as it is: it is an own path, or made of parts that are encoded already."""
    headers = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=302, headers=headers)


def _json(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
