"""Contacts over WeCom's HTTP interface, with two clients: the app's, which sees names within its scope, and
that of the contacts' own secret, which new installations may only ask for ids, and which alone may write.
"""

from typing import Any, Final

from server.integrations.wecom import RefusedByWeCom, Retry
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.contacts import (
    NO_SUCH_PARTY,
    NO_SUCH_USER,
    IdPage,
    Member,
    Party,
    PartyRow,
)

DISABLED: Final = 2
LEFT: Final = 5
"""The status of a member who has left the company but is still listed."""
PAGE: Final = 1_000


class WeComContacts:
    """Keeps the promise of `Contacts`. `number_field` is the member's further field (扩展属性) that holds
    the staff number."""

    def __init__(
        self, app: WeComClient, sync: WeComClient | None = None, *, number_field: str = "工号"
    ) -> None:
        self._app = app
        self._sync = sync
        self._number_field = number_field

    @property
    def may_write(self) -> bool:
        return self._sync is not None

    @property
    def _writing(self) -> WeComClient:
        if self._sync is None:
            raise RefusedByWeCom("the secret of the contacts' interface is not set")
        return self._sync

    async def party_rows(self) -> list[PartyRow]:
        answer = await self._app.get("department/simplelist")
        return [
            PartyRow(_number(row, "id"), _number(row, "parentid"), _number(row, "order"))
            for row in _rows(answer, "department_id")
        ]

    async def party(self, party_id: int) -> Party | None:
        try:
            answer = await self._app.get("department/get", params={"id": party_id})
        except RefusedByWeCom as refused:
            if refused.code == NO_SUCH_PARTY:
                return None
            raise
        row = answer.get("department")
        if not isinstance(row, dict) or _number(row, "id") != party_id:
            raise Retry("WeCom's answer does not name the department")
        return Party(party_id, _text(row, "name"), _number(row, "parentid"), _number(row, "order"))

    async def members(self, party_id: int) -> list[Member]:
        answer = await self._app.get("user/list", params={"department_id": party_id})
        return [self._member(row) for row in _rows(answer, "userlist")]

    async def member(self, user_id: str) -> Member | None:
        try:
            return self._member(await self._app.get("user/get", params={"userid": user_id}))
        except RefusedByWeCom as refused:
            if refused.code in NO_SUCH_USER:
                return None
            raise

    async def user_ids(self, cursor: str) -> IdPage:
        asked = {"cursor": cursor, "limit": PAGE} if cursor else {"limit": PAGE}
        answer = await self._writing.post("user/list_id", data=asked)
        ids = [_text(row, "userid") for row in _rows(answer, "dept_user")]
        following = answer.get("next_cursor", "")
        if not isinstance(following, str) or "" in ids:
            raise Retry("WeCom's answer is not a page of ids")
        return IdPage(ids, following)

    # Writing

    async def create_party(self, name: str, parent_id: int, order: int) -> int:
        given = {"name": name, "parentid": parent_id, "order": order}
        return _number(await self._writing.post("department/create", data=given), "id")

    async def update_party(self, party: Party) -> None:
        given = {"id": party.id, "name": party.name, "parentid": party.parent_id}
        await self._writing.post("department/update", data={**given, "order": party.order})

    async def delete_party(self, party_id: int) -> None:
        await self._gone(self._writing.get("department/delete", params={"id": party_id}))

    async def create_member(self, member: Member, *, email: str) -> None:
        contact = {"mobile": member.mobile, "email": email}
        given: dict[str, Any] = {name: value for name, value in contact.items() if value}
        if member.number:
            attribute = {
                "type": 0,
                "name": self._number_field,
                "text": {"value": member.number},
            }
            given["extattr"] = {"attrs": [attribute]}
        await self._writing.post("user/create", data=_written(member) | given)

    async def update_member(self, member: Member) -> None:
        await self._writing.post("user/update", data=_written(member))

    async def delete_member(self, user_id: str) -> None:
        await self._gone(self._writing.get("user/delete", params={"userid": user_id}))

    async def _gone(self, deleting: Any) -> None:
        try:
            await deleting
        except RefusedByWeCom as refused:
            if refused.code not in {NO_SUCH_PARTY, *NO_SUCH_USER}:
                raise

    def _member(self, row: dict[str, Any]) -> Member:
        user_id = _text(row, "userid")
        parties = row.get("department")
        if not user_id or not isinstance(parties, list) or not all(map(_is_id, parties)):
            raise Retry("WeCom's answer names nobody")
        leading = row.get("is_leader_in_dept")
        flags = leading if isinstance(leading, list) else []
        return Member(
            user_id=user_id,
            name=_text(row, "name"),
            party_ids=tuple(parties),
            main_party=_number(row, "main_department"),
            title=_text(row, "position"),
            leads=frozenset(p for p, flag in zip(parties, flags, strict=False) if flag == 1),
            number=self._number_of(row),
            mobile=_text(row, "mobile"),
            is_disabled=_number(row, "status") == DISABLED,
            has_left=_number(row, "status") == LEFT,
        )

    def _number_of(self, row: dict[str, Any]) -> str:
        further = row.get("extattr")
        attributes = further.get("attrs") if isinstance(further, dict) else None
        for attribute in attributes if isinstance(attributes, list) else []:
            if isinstance(attribute, dict) and attribute.get("name") == self._number_field:
                text = attribute.get("text")
                value = text.get("value") if isinstance(text, dict) else attribute.get("value")
                return str(value or "").strip()
        return ""


def _written(member: Member) -> dict[str, Any]:
    """What of a member is written both the first time and later."""
    return {
        "userid": member.user_id,
        "name": member.name,
        "department": list(member.party_ids),
        "main_department": member.main_party,
        "position": member.title,
        "is_leader_in_dept": [int(party in member.leads) for party in member.party_ids],
    }


def _rows(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Retry(f"WeCom's answer has no {name}")
    return rows


def _number(row: dict[str, Any], name: str) -> int:
    value = row.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Retry(f"WeCom's answer has no number as {name}")
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""
