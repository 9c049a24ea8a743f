"""The company's contacts in the WeCom stand-in: departments and members, as strict about them as WeCom is.

Two secrets have different rights, as at WeCom: the app's reads what lies in its visible scope, that of the
contacts' interface (通讯录同步) lists ids and writes. Judges and the page change things at `/wecom/directory`
without either. What is done is on disk before the answer.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

from aiohttp import web

from server.sandbox.config import SandboxConfig, SandboxPerson
from server.sandbox.wecom_body import Bad, read_object
from server.sandbox.wecom_rolls import Rolls
from server.sandbox.wecom_writing import ContactsWriting

MOST_IDS: Final = 10_000

Act = Callable[[Mapping[str, str], bytes], dict[str, Any]]
Changed = Callable[[str, str], object]
REFUSALS: Final = {
    "busy": (-1, "system busy"),
    "invalid": (40003, "invalid userid"),
    "absent": (46004, "user not exist"),
    "refused": (40058, "invalid parameter"),
}
BREAKS: Final = ("empty", "cut", "unknown", *REFUSALS)
"""How a call may go wrong in the middle of a reading: no rows, half of the rows, nobody known, or a code."""


class WeComDirectory:
    """`people` follows what is changed here: it is what the rest of the stand-in knows of people. `changed`
    is called after each change, with WeCom's word for it and the id."""

    def __init__(self, config: SandboxConfig) -> None:
        self._rolls = Rolls(config)
        self._writing = ContactsWriting(self._rolls, lambda *change: self.changed(*change))
        self.people: MutableMapping[str, SandboxPerson] = self._rolls.people
        self.changed: Changed = lambda change, id: None
        self._breaking: dict[str, tuple[int, int, str]] = {}

    def close(self) -> None:
        """Let go of the state."""
        self._rolls.close()

    def token(self, now: int, lifetime_s: int) -> tuple[str, int]:
        """The token of the contacts' secret, and the seconds it has left."""
        return self._rolls.token(now, lifetime_s)

    def token_fault(self, token: str, now: int) -> int | None:
        """0 when it is a good one of the contacts' secret, 42001 when it was one; None for any other."""
        return self._rolls.token_fault(token, now)

    def expire_tokens(self) -> None:
        """Every token given out so far has had its time."""
        self._rolls.expire_tokens()

    def members_of(self, party: str) -> list[SandboxPerson]:
        """Who is in a department, for messages."""
        number = self._rolls.party(party)
        rows = [] if number is None else self._rolls.members(number["id"])
        return [self.people[row["key"]] for row in rows]

    def for_the_app(self) -> Iterator[tuple[str, str, Act]]:
        """What the app's secret may ask: method, path, act."""
        yield "GET", "user/get", self._user
        yield "GET", "user/list", self._user_list
        yield "GET", "user/simplelist", self._simple_list
        yield "GET", "department/list", self._departments
        yield "GET", "department/get", self._department

    def for_both(self) -> Iterator[tuple[str, str, Act]]:
        """What both may ask."""
        yield "GET", "department/simplelist", self._party_rows

    def for_the_contacts(self) -> Iterator[tuple[str, str, Act]]:
        """What only the contacts' secret may do."""
        yield "POST", "user/list_id", self._ids
        yield from self._writing.acts()

    def doors(self) -> list[web.RouteDef]:
        """For judges and the page."""
        return [
            web.get("/wecom/directory", self._show),
            web.post("/wecom/directory", self._change),
        ]

    # --- reading

    def _user(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        broken, row = self._breaks("user/get"), self._rolls.member(query.get("userid", ""))
        if row is None or broken == "unknown":
            raise Bad(60111, "userid not found")
        if not self._sees(row):
            raise Bad(60011, "no privilege to access/modify contact/party/agent")
        return self._shown(row)

    def _user_list(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        return {"userlist": [self._shown(row) for row in self._listed("user/list", query)]}

    def _simple_list(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        party = self._rolls.party(query.get("department_id", ""))
        rows = self._listed("user/simplelist", query)
        return {
            "userlist": [
                {"userid": row["userid"], "name": row["name"], "department": [party["id"]]}
                for row in rows
            ]
        }

    def _listed(self, endpoint: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        party = self._rolls.party(query.get("department_id", ""))
        if party is None:
            raise Bad(60003, "department not found")
        if party["id"] not in self._rolls.visible():
            raise Bad(60011, "no privilege to access/modify contact/party/agent")
        rows = [row for row in self._rolls.members(party["id"]) if self._sees(row)]
        broken = self._breaks(endpoint)
        return [] if broken == "empty" else rows[: len(rows) // 2] if broken == "cut" else rows

    def _departments(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        below = set(self._rolls.below(query["id"])) if query.get("id") else None
        rows = [row for row in self._visible_parties() if below is None or row["id"] in below]
        return {"department": [_party(row) for row in rows]}

    def _department(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        row = self._rolls.party(query.get("id", ""))
        if row is None or self._breaks("department/get") == "unknown":
            raise Bad(60003, "department not found")
        if row["id"] not in self._rolls.visible():
            raise Bad(60011, "no privilege to access/modify contact/party/agent")
        return {"department": _party(row)}

    def _party_rows(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        rows = [] if self._breaks("department/simplelist") else self._visible_parties()
        return {
            "department_id": [
                {"id": row["id"], "parentid": row["parentid"], "order": row["order"]}
                for row in rows
            ]
        }

    def _visible_parties(self) -> list[dict[str, Any]]:
        visible = self._rolls.visible()
        return [row for row in self._rolls.parties() if row["id"] in visible]

    def _ids(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        asked = read_object(body)
        limit, cursor = asked.get("limit", MOST_IDS), asked.get("cursor", "")
        if not isinstance(limit, int) or not 1 <= limit <= MOST_IDS:
            raise Bad(40058, "limit must be 1 to 10000")
        try:
            after = base64.b64decode(cursor, validate=True).decode() if cursor else ""
        except (binascii.Error, ValueError, TypeError):
            raise Bad(40058, "invalid cursor") from None
        broken = self._breaks("user/list_id")
        rows = [] if broken == "empty" else self._rolls.memberships(after, limit)
        more = len(rows) == limit and broken != "cut"
        following = base64.b64encode(rows[-1]["place"].encode()).decode() if more else ""
        listed = [{"userid": row["userid"], "department": row["party"]} for row in rows]
        return {"next_cursor": following, "dept_user": listed}

    def _sees(self, row: Mapping[str, Any]) -> bool:
        return bool(row["in_scope"]) and bool(set(row["parties"]) & self._rolls.visible())

    def _shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A member as new apps get one: without phone, mail and picture, departments as far as in sight."""
        parties = [party for party in row["parties"] if party in self._rolls.visible()]
        number = [{"name": "工号", "type": 0, "text": {"value": row["number"]}}]
        return {
            "userid": row["userid"],
            "name": row["name"],
            "department": parties,
            "order": [0] * len(parties),
            "position": row["position"],
            "is_leader_in_dept": [int(party in row["leads"]) for party in parties],
            "direct_leader": [],
            "main_department": row["parties"][0],
            "status": row["status"],
            "alias": "",
            "telephone": "",
            "extattr": {"attrs": number if row["number"] else []},
        }

    # --- doors

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "parties": self._rolls.parties(),
                "members": self._rolls.everybody(),
                "scope": self._rolls.scope(),
            }
        )

    async def _change(self, request: web.Request) -> web.Response:
        """POST /wecom/directory {"do": "create_user", …}: as the interface's call of that name, or `scope`
        (`parties` the app sees), or `break` (`endpoint`, after how many calls, how, how often)."""
        body = await request.read()
        try:
            given = read_object(body)
            answer = self._doing(str(given.pop("do", "")), given)
        except Bad as bad:
            return web.json_response({"error": f"{bad.message}.", "errcode": bad.code}, status=400)
        return web.json_response(answer)

    def _doing(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(given).encode()
        writing = {path.replace("/", "_"): act for _, path, act in self.for_the_contacts()}
        by_word = {
            "create_user": "user_create",
            "update_user": "user_update",
            "delete_user": "user_delete",
            "create_party": "department_create",
            "update_party": "department_update",
            "delete_party": "department_delete",
        }
        if what in by_word:
            query = {name: str(value) for name, value in given.items() if name in ("userid", "id")}
            return writing[by_word[what]](query, body)
        if what == "scope":
            self._writing.check_parties(given.get("parties"))
            self._rolls.set_scope(given["parties"])
            return {}
        if what == "break" and given.get("how") in BREAKS:
            counts = int(given.get("after", 0)), int(given.get("times", 1)), given["how"]
            self._breaking[str(given.get("endpoint", ""))] = counts
            return {}
        raise Bad(40058, f"do must be one of {', '.join([*by_word, 'scope', 'break'])}")

    def _breaks(self, endpoint: str) -> str:
        """How this call is to go wrong; empty for well. Raises Bad for one that is to fail."""
        after, times, how = self._breaking.get(endpoint, (0, 0, ""))
        if after:
            self._breaking[endpoint] = (after - 1, times, how)
            return ""
        if not times:
            return ""
        self._breaking[endpoint] = (0, times - 1, how)
        if how in REFUSALS:
            raise Bad(*REFUSALS[how])
        return how


def _party(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "name_en": "",
        "department_leader": [],
        "parentid": row["parentid"],
        "order": row["order"],
    }
