"""Writing to the contacts of the WeCom stand-in: what WeCom takes of departments and members, and by which
number it refuses the rest."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from server.sandbox.wecom_body import Bad, read_object
from server.sandbox.wecom_rolls import ROOT, NewMember, NewParty, Rolls

MOST_PARTIES: Final = 100
MOST_DELETED: Final = 200
DEEPEST: Final = 15
_USER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)
_MOBILE: Final = re.compile(r"\+?[0-9-]{5,20}", re.ASCII)
_BAD_IN_NAMES: Final = re.compile(r'[\\:*?"<>|]')

Act = Callable[[Mapping[str, str], bytes], dict[str, Any]]


class ContactsWriting:
    """The calls that change something; `changed` hears of each, by WeCom's word and the id."""

    def __init__(self, rolls: Rolls, changed: Callable[[str, str], object]) -> None:
        self._rolls = rolls
        self._changed = changed

    def acts(self) -> Iterator[tuple[str, str, Act]]:
        """Method, path, act."""
        yield "POST", "user/create", self._create_user
        yield "POST", "user/update", self._update_user
        yield "GET", "user/delete", self._delete_user
        yield "POST", "user/batchdelete", self._delete_users
        yield "POST", "department/create", self._create_party
        yield "POST", "department/update", self._update_party
        yield "GET", "department/delete", self._delete_party

    def _create_user(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        given = read_object(body)
        userid = given.get("userid")
        if not isinstance(userid, str) or not _USER.fullmatch(userid):
            raise Bad(40003, "invalid userid")
        if self._rolls.member(userid) is not None:
            raise Bad(60102, "userid existed")
        self._store_member(NewMember(userid=userid), given)
        self._changed("create_user", userid)
        return {}

    def _update_user(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        given = read_object(body)
        row = self._rolls.member(str(given.get("userid", "")))
        if row is None:
            raise Bad(60111, "userid not found")
        self._store_member(NewMember.of(row), given)
        self._changed("update_user", row["userid"])
        return {}

    def _store_member(self, member: NewMember, given: Mapping[str, Any]) -> None:
        """Take over what is given, if all of it may be."""
        member.name = given.get("name", member.name)
        _check_text(member.name, 60112)
        member.parties = given.get("department", member.parties) or [ROOT]
        self.check_parties(member.parties)
        main = given.get("main_department", member.parties[0])
        if main not in member.parties:
            raise Bad(60003, "main_department is none of the departments")
        member.parties.sort(key=lambda party: party != main)
        flags = given.get("is_leader_in_dept")
        if isinstance(flags, list):
            led = zip(given.get("department", member.parties), flags, strict=False)
            member.leads = [party for party, flag in led if flag]
        member.position = str(given.get("position", member.position))[:128]
        member.status = int(given.get("status", member.status))
        member.in_scope = bool(given.get("in_scope", member.in_scope))
        member.mobile = str(given.get("mobile", member.mobile))
        member.email = str(given.get("email", member.email))
        member.number = _number_of(given.get("extattr")) or member.number
        self._check_contact(member, is_new=member.userid.lower() not in self._rolls.people)
        self._rolls.store_member(member)

    def check_parties(self, parties: Any) -> None:
        """Raises Bad unless they are numbers of departments that there are."""
        if not isinstance(parties, list) or len(parties) > MOST_PARTIES:
            raise Bad(40058, "invalid department")
        if any(self._rolls.party(str(party)) is None for party in parties):
            raise Bad(60003, "department not found")

    def _check_contact(self, member: NewMember, *, is_new: bool) -> None:
        if is_new and not member.mobile and not member.email:
            raise Bad(60129, "mobile and email are both empty")
        if member.mobile and not _MOBILE.fullmatch(member.mobile):
            raise Bad(60103, "invalid mobile")
        for holder in self._rolls.holders(member.mobile, member.email):
            if holder["userid"].lower() != member.userid.lower():
                same_mobile = member.mobile and holder["mobile"] == member.mobile
                raise Bad(60104, "mobile existed") if same_mobile else Bad(60106, "email existed")

    def _delete_user(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        row = self._rolls.member(query.get("userid", ""))
        if row is None:
            raise Bad(60111, "userid not found")
        self._rolls.delete_members([row["userid"]])
        self._changed("delete_user", row["userid"])
        return {}

    def _delete_users(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        ids = read_object(body).get("useridlist")
        if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_DELETED:
            raise Bad(40031, "invalid userid list")
        rows = [self._rolls.member(str(id)) for id in ids]
        if any(row is None for row in rows):
            raise Bad(60111, "userid not found")
        userids = [row["userid"] for row in rows if row is not None]
        self._rolls.delete_members(userids)
        for userid in userids:
            self._changed("delete_user", userid)
        return {}

    def _create_party(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        given = read_object(body)
        number = given.get("id")
        if number is not None and (not isinstance(number, int) or number <= ROOT):
            raise Bad(60123, "invalid department id")
        if number is not None and self._rolls.party(str(number)) is not None:
            raise Bad(60008, "department existed")
        party = NewParty(number or self._rolls.next_party(), "", 0, 0)
        self._store_party(party, given)
        self._changed("create_party", str(party.id))
        return {"id": party.id}

    def _update_party(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        given = read_object(body)
        row = self._rolls.party(str(given.get("id", "")))
        if row is None:
            raise Bad(60003, "department not found")
        self._store_party(NewParty(row["id"], row["name"], row["parentid"], row["order"]), given)
        self._changed("update_party", str(row["id"]))
        return {}

    def _store_party(self, party: NewParty, given: Mapping[str, Any]) -> None:
        party.name = given.get("name", party.name)
        _check_text(party.name, 60009)
        if _BAD_IN_NAMES.search(party.name):
            raise Bad(60009, "invalid department name")
        party.parent_id = given.get("parentid", party.parent_id)
        if party.id != ROOT and self._rolls.party(str(party.parent_id)) is None:
            raise Bad(60004, "parent department not found")
        if party.parent_id in self._rolls.below(str(party.id)):
            raise Bad(60004, "a department cannot lie below itself")
        if self._rolls.depth(party.parent_id) >= DEEPEST:
            raise Bad(60002, "departments are too deep")
        order = given.get("order", party.order)
        if not isinstance(order, int) or not 0 <= order < 2**32:
            raise Bad(40058, "invalid order")
        party.order = order
        if self._rolls.has_sibling(party):
            raise Bad(60008, "department name existed")
        self._rolls.store_party(party)

    def _delete_party(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        row = self._rolls.party(query.get("id", ""))
        if row is None:
            raise Bad(60003, "department not found")
        if row["id"] == ROOT:
            raise Bad(60007, "the root cannot be deleted")
        if self._rolls.members(row["id"]):
            raise Bad(60005, "department has members")
        if len(self._rolls.below(str(row["id"]))) > 1:
            raise Bad(60006, "department has departments")
        self._rolls.delete_party(row["id"])
        self._changed("delete_party", str(row["id"]))
        return {}


def _number_of(further: Any) -> str:
    attributes = further.get("attrs") if isinstance(further, dict) else None
    for attribute in attributes if isinstance(attributes, list) else []:
        if attribute.get("name") == "工号":
            return str(attribute.get("text", {}).get("value", attribute.get("value", "")))
    return ""


def _check_text(name: object, code: int) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= 64:
        raise Bad(code, "invalid name")
