"""The WeCom stand-in: `/wecom/cgi-bin/…` as WeCom would answer, and the phones it writes to.

Business errors come with HTTP 200 and an errcode, as WeCom's do. The order in which a call is
looked at is WeCom's too: is the line up, is the token good, is the caller allowed, is the request
right, who of the receivers exists. Beside the interface there are doors for judges and for the
page: what each phone shows, all accepted calls, counts, and the switch for faults.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from aiohttp import web

from server.sandbox.config import SandboxConfig
from server.sandbox.faults import Faults
from server.sandbox.wecom_actions import Actions, answer, caller_of
from server.sandbox.wecom_body import Bad
from server.sandbox.wecom_directory import Act, WeComDirectory
from server.sandbox.wecom_groups import GroupStandIn
from server.sandbox.wecom_host import WeComHouse
from server.sandbox.wecom_message import Order, read_order
from server.sandbox.wecom_state import WeComState

MODES: Final = (
    "down",  # 502 and a page of HTML
    "slow",  # an answer that comes when the caller has given up; what was asked for happens
    "expired_token",  # every token given out so far is refused with 42001; new ones work
    "rate_limited",  # 45009
    "invalid_user",  # nobody is reachable: 81013
    "worn_token",  # a token is dead (42001) after 200 calls, long before its time
    "invalid_token",  # every token is refused with 40014, new ones too
    "lost_answer",  # what was asked for happens, then the connection breaks
    "reset",  # the connection breaks before anything happens
    "html",  # 200 and a page of HTML
    "busy",  # -1
    "concurrency",  # 45033
    "untrusted_ip",  # 60020
)
WORN_AFTER: Final = 200
PERSON_TIMES_PER_ACCOUNT_AND_DAY: Final = 200
DAY_MS: Final = 86_400_000
_HTML: Final = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_FAULT_CODES: Final = {
    "invalid_token": (40014, "invalid access_token"),
    "rate_limited": (45009, "api freq out of limit"),
    "busy": (-1, "system busy"),
    "concurrency": (45033, "api concurrent out of limit"),
    "untrusted_ip": (60020, "not allow to access from your ip"),
}
_TOKEN_MESSAGES: Final = {40014: "invalid access_token", 42001: "access_token expired"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WeComStandIn:
    """One company with one app. `routes` go into the sandbox's application."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._clock = config.clock
        self.directory = WeComDirectory(config)
        self._people = self.directory.people
        self._house = WeComHouse(config, self._people)
        self.state = WeComState(config.state_dir)
        if config.menu is not None and self.state.cards.menu() is None:
            self.state.cards.set_menu(dict(config.menu))
        self.caller = caller_of(config, self.state.cards)
        self._actions = Actions(config, self._people, self.state, self.caller)
        self.directory.changed = self._actions.contact_changed
        self.groups = GroupStandIn(config, self._people)
        self.faults = Faults(MODES, config.clock, self._fault_turned)
        self.counts: Counter[str] = Counter()
        self._used: Counter[str] = Counter()

    def routes(self) -> list[web.RouteDef]:
        """Everything below `/wecom/`."""
        api, with_token = "/wecom/cgi-bin/", self._with_token
        return [
            web.get(f"{api}gettoken", self._guarded(self._get_token)),
            web.post(f"{api}message/send", self._guarded(with_token(self._send))),
            *self._directory_routes(api),
            *(
                web.route(method, f"{api}{path}", self._guarded(with_token(handler)))
                for method, path, handler in self._actions.interface()
            ),
            *self._actions.doors(),
            web.get(f"{api}auth/getuserinfo", self._guarded(with_token(self._user_info))),
            web.post(f"{api}auth/getuserdetail", self._guarded(with_token(self._user_detail))),
            web.get(f"{api}get_jsapi_ticket", self._guarded(with_token(self._company_ticket))),
            web.get(f"{api}ticket/get", self._guarded(with_token(self._app_ticket))),
            *self._house.routes(),
            web.get(f"{api}agent/get", self._guarded(with_token(self._agent))),
            *(
                web.route(method, api + path, self._guarded(with_token(_with_fields(handler))))
                for method, path, handler in self.groups.interface()
            ),
            *self.groups.doors(),
            web.get("/wecom/inbox/{userid}", self._inbox),
            web.get("/wecom/calls", self._calls),
            web.get("/wecom/counts", self._show_counts),
            web.get("/wecom/faults", self.faults.show),
            web.post("/wecom/faults", self.faults.turn),
        ]

    def _directory_routes(self, api: str) -> Iterator[web.RouteDef]:
        directory = self.directory
        for acts, app, contacts in (
            (directory.for_the_app(), True, False),
            (directory.for_both(), True, True),
            (directory.for_the_contacts(), False, True),
        ):
            for method, path, act in acts:
                checked = self._with_token(_answering(act), app=app, contacts=contacts)
                yield web.route(method, f"{api}{path}", self._guarded(checked))
        yield from directory.doors()

    def close(self) -> None:
        """Let go of the state."""
        self.faults.set("off")
        self.groups.close()
        self.state.close()
        self.directory.close()

    # --- what every call of the interface goes through

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            self.counts[request.path.removeprefix("/wecom/cgi-bin/")] += 1
            # Read before anything is delayed: the caller may be gone by then.
            await request.read()
            mode = self.faults.mode
            if mode == "down":
                return web.Response(status=502, text=_HTML, content_type="text/html")
            if mode == "html":
                return web.Response(text=_HTML, content_type="text/html")
            if mode == "reset":
                return _break_off(request)
            if mode == "slow":
                await self.faults.slowness(self._config.slow_s)
            try:
                response = await handler(request)
            except Bad as bad:
                self.counts[f"errcode {bad.code}"] += 1
                response = answer(request, bad.code, bad.message)
            return _break_off(request) if mode == "lost_answer" else response

        return guarded

    def _with_token(self, handler: Handler, *, app: bool = True, contacts: bool = False) -> Handler:
        """For a token of the app's secret, of the contacts' interface's, or of either."""

        async def checked(request: web.Request) -> web.StreamResponse:
            token = request.query.get("access_token", "")
            if not token:
                raise Bad(41001, "access_token missing")
            of_contacts = self.directory.token_fault(token, self._clock.now())
            code = self._token_fault(token) if of_contacts is None else of_contacts
            if code:
                raise Bad(code, _TOKEN_MESSAGES[code])
            if self.faults.mode in _FAULT_CODES:
                raise Bad(*_FAULT_CODES[self.faults.mode])
            if not (app if of_contacts is None else contacts):
                raise Bad(48002, "api forbidden")
            return await handler(request)

        return checked

    def _token_fault(self, token: str) -> int:
        code = self.state.token_fault(token, self._clock.now())
        if not code and self._is_worn(token):
            self.state.expire_tokens()
            code = 42001
        return code

    def _is_worn(self, token: str) -> bool:
        """Whether this token has been used once too often; counts the use."""
        most = WORN_AFTER if self.faults.mode == "worn_token" else self._config.token_calls
        self._used[token] += 1
        return 0 < most < self._used[token]

    def _fault_turned(self, mode: str) -> None:
        if mode == "expired_token":
            self.state.expire_tokens()
            self.directory.expire_tokens()

    # --- the interface

    async def _get_token(self, request: web.Request) -> web.Response:
        corp_id, secret = request.query.get("corpid"), request.query.get("corpsecret")
        if not corp_id:
            raise Bad(41002, "corpid missing")
        if not secret:
            raise Bad(41004, "corpsecret missing")
        if corp_id != self._config.corp_id:
            raise Bad(40013, "invalid corpid")
        if secret not in (self._config.secret, self._config.sync_secret):
            raise Bad(40001, "invalid credential")
        keeper = self.state if secret == self._config.secret else self.directory
        token, left_s = keeper.token(self._clock.now(), self._config.token_lifetime_s)
        return answer(request, 0, "ok", access_token=token, expires_in=left_s)

    async def _send(self, request: web.Request) -> web.Response:
        order = read_order(await request.read(), self._config.agent_id)
        reached, invalid, unlicensed, bad_parties = self._receivers(order)
        lists = {
            "invaliduser": "|".join(invalid),
            "invalidparty": "|".join(bad_parties),
            "invalidtag": "|".join(order.tags),
            "unlicenseduser": "|".join(unlicensed),
        }
        if not reached:
            self.counts["errcode 81013"] += 1
            message = "user & party & tag all invalid"
            return answer(request, 81013, message, **{k: v for k, v in lists.items() if v})
        now = self._clock.now()
        if order.buttons and not self.caller.is_set_up:
            raise Bad(43012, "need to set a callback url first")
        cards = self.state.cards
        if (
            order.buttons
            and cards.is_taken(order.task_id)
            and not self.state.known(order.body, now)
        ):
            raise Bad(42014, "task_id is taken")
        quota = len(self._config.people) * PERSON_TIMES_PER_ACCOUNT_AND_DAY
        if self.state.person_times(now - now % DAY_MS) + len(reached) > quota:
            raise Bad(45009, "api freq out of limit")
        refused = [*invalid, *unlicensed]
        done = self.state.deliver(order.body, reached, refused, order.card, now, order.remember_s)
        if order.buttons:
            code = cards.sent(done.msgid, order.task_id, list(order.buttons), now)
            return answer(request, 0, "ok", **lists, msgid=done.msgid, response_code=code)
        return answer(request, 0, "ok", **lists, msgid=done.msgid)

    def _receivers(self, order: Order) -> tuple[list[str], list[str], list[str], list[str]]:
        """Reached, invalid and unlicensed user ids, all lower-cased, and unknown departments."""
        wanted: dict[str, None] = {}
        bad_parties: list[str] = []
        if order.users == ("@all",):
            wanted.update(dict.fromkeys(self._people))
        else:
            wanted.update(dict.fromkeys(user.lower() for user in order.users))
            for party in order.parties:
                members = self.directory.members_of(party)
                wanted.update(dict.fromkeys(person.person_id.lower() for person in members))
                bad_parties += [] if members else [party]
        everybody_is_gone = self.faults.mode == "invalid_user"
        reached, invalid, unlicensed = [], [], []
        for user in wanted:
            person = self._people.get(user)
            gone = everybody_is_gone or self.state.cards.has_gone(user)
            if person is None or not person.in_scope or gone:
                invalid.append(user)
            elif not person.licensed:
                unlicensed.append(user)
            else:
                reached.append(user)
        return reached, invalid, unlicensed, bad_parties

    async def _agent(self, request: web.Request) -> web.Response:
        if request.query.get("agentid") != str(self._config.agent_id):
            raise Bad(40056, "invalid agentid")
        users = [{"userid": p.person_id} for p in self._people.values() if p.in_scope]
        return answer(
            request,
            0,
            "ok",
            agentid=self._config.agent_id,
            name="院信",
            close=0,
            allow_userinfos={"user": users},
            allow_partys={"partyid": []},
            allow_tags={"tagid": []},
        )

    async def _user_info(self, request: web.Request) -> web.Response:
        return answer(request, 0, "ok", **self._house.user_info(request.query))

    async def _user_detail(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except ValueError:
            raise Bad(47001, "data format error") from None
        return answer(request, 0, "ok", **self._house.user_detail(body))

    async def _company_ticket(self, request: web.Request) -> web.Response:
        return answer(request, 0, "ok", **self._house.ticket("company"))

    async def _app_ticket(self, request: web.Request) -> web.Response:
        if request.query.get("type") != "agent_config":
            raise Bad(40035, "invalid parameter")
        return answer(request, 0, "ok", **self._house.ticket("app"))

    # --- doors for judges and for the page

    async def _inbox(self, request: web.Request) -> web.Response:
        return web.json_response(self.state.inbox(request.match_info["userid"]))

    async def _calls(self, request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        if not after.isdecimal():
            return web.json_response({"error": "after must be the number of a call."}, status=400)
        return web.json_response(self.state.calls(int(after)))

    async def _show_counts(self, request: web.Request) -> web.Response:
        accepted, repeated = self.state.accepted()
        return web.json_response(
            {
                "calls": dict(self.counts),
                "accepted": accepted,
                "repeated": repeated,
                "dropped": self.state.dropped(),
            }
        )


def _answering(act: Act) -> Handler:
    async def answered(request: web.Request) -> web.Response:
        return answer(request, 0, "ok", **act(request.query, await request.read()))

    return answered


def _with_fields(handler: Callable[[web.Request], Awaitable[dict[str, object]]]) -> Handler:
    """A handler that gives only the fields of a good answer."""

    async def answered(request: web.Request) -> web.StreamResponse:
        return answer(request, 0, "ok", **await handler(request))

    return answered


def _break_off(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
