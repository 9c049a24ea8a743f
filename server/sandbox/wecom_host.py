"""The WeCom stand-in as the house pages live in: signing in, the QR picture, and tickets for scripts.

A browser is somebody's WeCom when it carries the cookie that a phone here leaves in it (`…/phones/<id>/open`
is a tap on a card); any other is shown what WeCom shows outside of its own. Codes are good once and for
five minutes, for the app they were made for; addresses to go back to have to lie on the app's trusted
domain. What cannot be is told on a page with WeCom's number for it, as WeCom does.
"""

import hashlib
import re
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from aiohttp import web

from server.sandbox.config import SandboxConfig, SandboxPerson
from server.sandbox.qr_picture import picture
from server.sandbox.wecom_body import Bad

PHONE: Final = "sandbox_phone"
CODE_MS: Final = 300_000
TICKET_MS: Final = 7_200_000
USER_TICKET_MS: Final = 1_800_000
HOUR_MS: Final = 3_600_000
TICKETS_AN_HOUR: Final[Mapping[str, int]] = {"company": 400, "app": 100}
MOST_CODES: Final = 10_000
SCOPES: Final = ("snsapi_base", "snsapi_privateinfo")
_STATE: Final = re.compile(r"[A-Za-z0-9]{0,128}", re.ASCII)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PAGE: Final = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<link rel="icon" href="data:,">
<style>body {{ font: 16px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 22em; margin: 8vh auto;
padding: 0 20px; text-align: center; color: #16202a; background: #fff }}
svg {{ width: 220px; height: 220px; border: 1px solid #e6eaee; border-radius: 12px; padding: 16px }}
input, button, a.button {{ font: inherit; padding: 10px 14px; border-radius: 10px;
border: 1px solid #c9d1d8; margin: 4px; color: inherit; text-decoration: none; display: inline-block }}
button, a.button.first {{ background: #2b6fe0; border-color: #2b6fe0; color: #fff }}
p.small {{ color: #566370; font-size: 14px }}</style>{body}</html>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotGo(Exception):
    """The address a browser was sent to is not one that WeCom would follow."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class _Code:
    """For whom a code was made, until when, and whether private facts were agreed to."""

    user: str
    until: int
    agreed: bool


@dataclass(frozen=True, slots=True)
class _Agreed:
    """Whose facts a user ticket opens, and until when."""

    person: SandboxPerson
    until: int


@dataclass(slots=True)
class _Ticket:
    value: str = ""
    until: int = 0


class WeComHouse:
    """Of one company with one app."""

    def __init__(self, config: SandboxConfig, people: Mapping[str, SandboxPerson]) -> None:
        self._config = config
        self._clock = config.clock
        self._people = people
        self._codes: dict[str, _Code] = {}
        self._biz_mails = {person.person_id: person.biz_mail for person in config.people}
        self._agreements: dict[str, _Agreed] = {}
        self._tickets = {whose: _Ticket() for whose in TICKETS_AN_HOUR}
        self._asked: dict[str, deque[int]] = {whose: deque() for whose in TICKETS_AN_HOUR}

    def routes(self) -> list[web.RouteDef]:
        """What browsers are sent to."""
        return [
            web.get("/wecom/phones/{userid}/open", self._open),
            web.get("/wecom/connect/oauth2/authorize", _shown(self._authorize)),
            web.get("/wecom/connect/oauth2/agreed", _shown(self._agreed)),
            web.get("/wecom/wwlogin/sso/login", _shown(self._show_picture)),
            web.get("/wecom/wwlogin/sso/confirm", _shown(self._confirm)),
        ]

    # --- the interface, for whoever has a token

    def user_info(self, query: Mapping[str, str]) -> dict[str, str]:
        """auth/getuserinfo"""
        given = query.get("code", "")
        if not given:
            raise Bad(41008, "missing code")
        code = self._codes.pop(given, None)
        if code is None or code.until <= self._clock.now():
            raise Bad(40029, "invalid code")
        person = self._people.get(code.user.lower())
        if person is None:
            digest = hashlib.sha256(code.user.encode()).hexdigest()
            return {"openid": f"o{digest[:27]}"}
        ticket = {"user_ticket": self._agreement(person)} if code.agreed else {}
        return {"userid": person.person_id, **ticket}

    def _agreement(self, person: SandboxPerson) -> str:
        if len(self._agreements) >= MOST_CODES:
            self._agreements.clear()
        ticket = secrets.token_urlsafe(96)
        self._agreements[ticket] = _Agreed(person, self._clock.now() + USER_TICKET_MS)
        return ticket

    def user_detail(self, body: object) -> dict[str, str]:
        """auth/getuserdetail: what the member agreed to show, for half an hour."""
        ticket = body.get("user_ticket") if isinstance(body, dict) else None
        if not isinstance(ticket, str) or ticket not in self._agreements:
            raise Bad(84015, "invalid user ticket")
        agreed = self._agreements[ticket]
        if agreed.until <= self._clock.now():
            raise Bad(84014, "user ticket expired")
        person = agreed.person
        return {
            "userid": person.person_id,
            "gender": "0",
            "avatar": "",
            "qr_code": "",
            "mobile": person.mobile,
            "email": person.email,
            "biz_mail": self._biz_mails.get(person.person_id, ""),
            "address": "",
        }

    def ticket(self, whose: str) -> dict[str, object]:
        """get_jsapi_ticket and ticket/get: the same while it is good, and not too often."""
        now, asked = self._clock.now(), self._asked[whose]
        while asked and asked[0] <= now - HOUR_MS:
            asked.popleft()
        if len(asked) >= TICKETS_AN_HOUR[whose]:
            raise Bad(45009, "api freq out of limit")
        asked.append(now)
        ticket = self._tickets[whose]
        if ticket.until <= now:
            ticket.value, ticket.until = secrets.token_urlsafe(64), now + TICKET_MS
        return {"ticket": ticket.value, "expires_in": max(1, (ticket.until - now) // 1000)}

    # --- a phone

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """A tap on a card. A WeCom opens the address itself; any other browser is sent through signing in
        first, as the page would send itself if it knew that it were in WeCom."""
        url = request.query.get("url", "")
        if urlsplit(url).scheme not in ("http", "https"):
            raise web.HTTPBadRequest(text="url must be the address of a card")
        ours = self._config.public_url.rstrip("/")
        if not _is_wecom(request) and url.startswith(f"{ours}/"):
            url = f"{ours}/api/v1/auth/wecom?to={quote(url.removeprefix(ours), safe='')}"
        response = web.Response(status=302, headers={"Location": url})
        response.set_cookie(
            PHONE, request.match_info["userid"], path="/wecom", httponly=True, samesite="Lax"
        )
        return response

    # --- signing in inside WeCom

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        self._check_way_back(query)
        if query.get("response_type") != "code" or query.get("scope") not in SCOPES:
            raise CannotGo(40035, "response_type 或 scope 参数错误")
        # Without the app's id nobody is asked: WeCom goes on as for snsapi_base.
        asks = query["scope"] == "snsapi_privateinfo" and bool(query.get("agentid"))
        user = request.cookies.get(PHONE, "")
        if not user:
            return _page("请在企业微信客户端打开链接", "<p>请在企业微信客户端打开链接</p>")
        person = self._people.get(user.lower())
        if person is not None and not person.in_scope:
            raise CannotGo(60011, "您没有权限使用该应用")
        if asks and person is not None:
            agree = "/wecom/connect/oauth2/agreed?" + urlencode({**query})
            refuse = _with(query["redirect_uri"], state=query.get("state", ""))
            return _page(
                "授权",
                "<p>院信 申请获取您的手机号、邮箱、头像</p>"
                f'<p><a class="button first" href="{escape(agree)}">同意</a>'
                f'<a class="button" href="{escape(refuse)}">拒绝</a></p>',
            )
        return self._sent_back(query, user, agreed=False)

    async def _agreed(self, request: web.Request) -> web.StreamResponse:
        self._check_way_back(request.query)
        user = request.cookies.get(PHONE, "")
        if not user:
            raise CannotGo(40035, "请在企业微信客户端打开链接")
        return self._sent_back(request.query, user, agreed=True)

    # --- signing in by a picture

    async def _show_picture(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if query.get("login_type") != "CorpApp":
            raise CannotGo(40035, "login_type 参数错误")
        self._check_way_back(query, needs_app=True)
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in query.items()
        )
        drawn = picture(query.get("state", "") + query["redirect_uri"])
        return _page(
            "企业微信登录",
            f"<h1>企业微信扫码登录</h1>{drawn}<p>院信</p>"
            f'<form action="/wecom/wwlogin/sso/confirm">{hidden}<p><label>在 '
            '<input name="userid" size="6" value="s0001" aria-label="工号"> 的手机上</label>'
            '<button type="submit">确认登录</button></p></form>'
            '<p class="small">沙盒：没有真手机，在这里代替扫码和确认。</p>',
        )

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        self._check_way_back(request.query, needs_app=True)
        return self._sent_back(request.query, request.query.get("userid", ""), agreed=False)

    # --- what all ways have in common

    def _check_way_back(self, query: Mapping[str, str], *, needs_app: bool = False) -> None:
        if query.get("appid") != self._config.corp_id:
            raise CannotGo(40013, "appid 参数错误")
        app = query.get("agentid", "")
        if app != str(self._config.agent_id) and (app or needs_app):
            raise CannotGo(40056, "agentid 参数错误")
        if not _STATE.fullmatch(query.get("state", "")):
            raise CannotGo(40035, "state 参数错误")
        back, trusted = urlsplit(query.get("redirect_uri", "")), urlsplit(self._config.public_url)
        if back.scheme not in ("http", "https") or back.netloc != trusted.netloc:
            raise CannotGo(50001, "redirect_uri 与配置的授权完成回调域名不一致")

    def _sent_back(self, query: Mapping[str, str], user: str, *, agreed: bool) -> web.Response:
        now = self._clock.now()
        self._codes = {c: kept for c, kept in self._codes.items() if kept.until > now}
        if len(self._codes) >= MOST_CODES:
            raise CannotGo(45009, "接口调用超过限制")
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(user, now + CODE_MS, agreed)
        address = _with(query["redirect_uri"], code=code, state=query.get("state", ""))
        return web.Response(status=302, headers={"Location": address, **_HEADERS})


def _is_wecom(request: web.Request) -> bool:
    return "wxwork" in request.headers.get("User-Agent", "").lower()


def _with(address: str, **fields: str) -> str:
    parts = urlsplit(address)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *fields.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _page(title: str, body: str) -> web.Response:
    text = _PAGE.format(title=escape(title), body=body)
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


def _shown(handler: Handler) -> Handler:
    """What cannot be is told on a page."""

    async def shown(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except CannotGo as wrong:
            body = f"<h1>{wrong.code}</h1><p>{escape(wrong.text)}</p>"
            response = _page("出错了", body)
            response.headers["Error-Code"] = str(wrong.code)
            return response

    return shown
