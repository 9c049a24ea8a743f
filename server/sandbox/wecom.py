"""The WeCom stand-in: `/wecom/cgi-bin/…` as WeCom would answer, and the phones it writes to.

Business errors come with HTTP 200 and an errcode, as WeCom's do. The order in which a call is
looked at is WeCom's too: is the line up, is the token good, is the caller allowed, is the request
right, who of the receivers exists. Beside the interface there are doors for judges and for the
page: what each phone shows, all accepted calls, counts, and the switch for faults.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from server.sandbox.config import SandboxConfig, SandboxPerson
from server.sandbox.faults import Faults
from server.sandbox.wecom_groups import GroupStandIn
from server.sandbox.wecom_message import Bad, Order, read_order
from server.sandbox.wecom_state import WeComState

MODES: Final = (
    "down",  # 502 and a page of HTML
    "slow",  # an answer that comes when the caller has given up; what was asked for happens
    "expired_token",  # every token given out so far is refused with 42001; new ones work
    "rate_limited",  # 45009
    "invalid_user",  # nobody is reachable: 81013
    "invalid_token",  # every token is refused with 40014, new ones too
    "lost_answer",  # what was asked for happens, then the connection breaks
    "reset",  # the connection breaks before anything happens
    "html",  # 200 and a page of HTML
    "busy",  # -1
    "concurrency",  # 45033
    "untrusted_ip",  # 60020
)
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
        self._people = {person.person_id.lower(): person for person in config.people}
        self._parties = _Parties(config.people)
        self.state = WeComState(config.state_dir)
        self.groups = GroupStandIn(config, self._people)
        self.faults = Faults(MODES, config.clock, self._fault_turned)
        self.counts: Counter[str] = Counter()

    def routes(self) -> list[web.RouteDef]:
        """Everything below `/wecom/`."""
        api, with_token = "/wecom/cgi-bin/", self._with_token
        return [
            web.get(f"{api}gettoken", self._guarded(self._get_token)),
            web.post(f"{api}message/send", self._guarded(with_token(self._send))),
            web.get(f"{api}user/get", self._guarded(with_token(self._user))),
            web.get(f"{api}user/simplelist", self._guarded(with_token(self._simple_list))),
            web.get(f"{api}department/list", self._guarded(with_token(self._departments))),
            *(
                web.route(method, api + path, self._guarded(with_token(_answering(handler))))
                for method, path, handler in self.groups.interface()
            ),
            *self.groups.doors(),
            web.get("/wecom/inbox/{userid}", self._inbox),
            web.get("/wecom/calls", self._calls),
            web.get("/wecom/counts", self._show_counts),
            web.get("/wecom/faults", self.faults.show),
            web.post("/wecom/faults", self.faults.turn),
        ]

    def close(self) -> None:
        """Let go of the state."""
        self.faults.set("off")
        self.groups.close()
        self.state.close()

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
                response = _answer(request, bad.code, bad.message)
            return _break_off(request) if mode == "lost_answer" else response

        return guarded

    def _with_token(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            token = request.query.get("access_token", "")
            if not token:
                raise Bad(41001, "access_token missing")
            code = self.state.token_fault(token, self._clock.now())
            if code:
                raise Bad(code, _TOKEN_MESSAGES[code])
            if self.faults.mode in _FAULT_CODES:
                raise Bad(*_FAULT_CODES[self.faults.mode])
            return await handler(request)

        return checked

    def _fault_turned(self, mode: str) -> None:
        if mode == "expired_token":
            self.state.expire_tokens()

    # --- the interface

    async def _get_token(self, request: web.Request) -> web.Response:
        corp_id, secret = request.query.get("corpid"), request.query.get("corpsecret")
        if not corp_id:
            raise Bad(41002, "corpid missing")
        if not secret:
            raise Bad(41004, "corpsecret missing")
        if corp_id != self._config.corp_id:
            raise Bad(40013, "invalid corpid")
        if secret != self._config.secret:
            raise Bad(40001, "invalid credential")
        token, left_s = self.state.token(self._clock.now(), self._config.token_lifetime_s)
        return _answer(request, 0, "ok", access_token=token, expires_in=left_s)

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
            return _answer(request, 81013, message, **{k: v for k, v in lists.items() if v})
        now = self._clock.now()
        quota = len(self._config.people) * PERSON_TIMES_PER_ACCOUNT_AND_DAY
        if self.state.person_times(now - now % DAY_MS) + len(reached) > quota:
            raise Bad(45009, "api freq out of limit")
        refused = [*invalid, *unlicensed]
        done = self.state.deliver(order.body, reached, refused, order.card, now, order.remember_s)
        return _answer(request, 0, "ok", **lists, msgid=done.msgid)

    def _receivers(self, order: Order) -> tuple[list[str], list[str], list[str], list[str]]:
        """Reached, invalid and unlicensed user ids, all lower-cased, and unknown departments."""
        wanted: dict[str, None] = {}
        bad_parties: list[str] = []
        if order.users == ("@all",):
            wanted.update(dict.fromkeys(self._people))
        else:
            wanted.update(dict.fromkeys(user.lower() for user in order.users))
            for party in order.parties:
                members = self._parties.members(party)
                wanted.update(dict.fromkeys(person.person_id.lower() for person in members))
                bad_parties += [] if members else [party]
        everybody_is_gone = self.faults.mode == "invalid_user"
        reached, invalid, unlicensed = [], [], []
        for user in wanted:
            person = self._people.get(user)
            if person is None or not person.in_scope or everybody_is_gone:
                invalid.append(user)
            elif not person.licensed:
                unlicensed.append(user)
            else:
                reached.append(user)
        return reached, invalid, unlicensed, bad_parties

    async def _user(self, request: web.Request) -> web.Response:
        person = self._people.get(request.query.get("userid", "").lower())
        if person is None:
            raise Bad(60111, "userid not found")
        if not person.in_scope:
            raise Bad(60011, "no privilege to access/modify contact/party/agent")
        party = self._parties.of(person)
        return _answer(
            request,
            0,
            "ok",
            userid=person.person_id,
            name=person.name,
            department=[party],
            order=[0],
            position=person.title,
            is_leader_in_dept=[0],
            direct_leader=[],
            main_department=party,
            status=1,
            alias="",
            telephone="",
            extattr={"attrs": []},
        )

    async def _simple_list(self, request: web.Request) -> web.Response:
        party = request.query.get("department_id", "")
        if not self._parties.exists(party):
            raise Bad(60003, "department not found")
        users = [
            {"userid": person.person_id, "name": person.name, "department": [int(party)]}
            for person in self._parties.members(party)
            if person.in_scope
        ]
        return _answer(request, 0, "ok", userlist=users)

    async def _departments(self, request: web.Request) -> web.Response:
        return _answer(request, 0, "ok", department=self._parties.listed())

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


class _Parties:
    """The departments people name, below one root: WeCom knows them by number."""

    def __init__(self, people: Sequence[SandboxPerson]) -> None:
        names = dict.fromkeys(person.department for person in people if person.department)
        self._numbers = {name: number for number, name in enumerate(names, start=2)}
        self._members: dict[int, list[SandboxPerson]] = {1: []}
        for person in people:
            self._members.setdefault(self.of(person), []).append(person)

    def of(self, person: SandboxPerson) -> int:
        return self._numbers.get(person.department, 1)

    def exists(self, number: str) -> bool:
        return number.isdecimal() and int(number) in self._members

    def members(self, number: str) -> list[SandboxPerson]:
        return self._members.get(int(number), []) if number.isdecimal() else []

    def listed(self) -> list[dict[str, object]]:
        root = {"id": 1, "name": "院信医院", "parentid": 0, "order": 1, "department_leader": []}
        return [
            root,
            *(
                {"id": n, "name": name, "parentid": 1, "order": n, "department_leader": []}
                for name, n in self._numbers.items()
            ),
        ]


def _answer(request: web.Request, code: int, message: str, /, **fields: object) -> web.Response:
    """JSON and headers as WeCom sends them."""
    if code:
        message = (
            f"{message}, hint: [{1_700_000_000_000 + abs(code)}], from ip: {request.remote},"
            f" more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
    return web.json_response(
        {"errcode": code, "errmsg": message, **fields},
        headers={"Error-Code": str(code), "Error-Msg": message},
    )


def _answering(handler: Callable[[web.Request], Awaitable[dict[str, object]]]) -> Handler:
    """A handler that gives only the fields of a good answer."""

    async def answered(request: web.Request) -> web.StreamResponse:
        return _answer(request, 0, "ok", **await handler(request))

    return answered


def _break_off(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
