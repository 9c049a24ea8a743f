"""What the stand-in's company keeps of its departments and members, in SQLite under
`<data_dir>/sandbox/wecom_directory.db`. Filled from the configuration the first time; committed before
any answer. Rows come out as plain mappings.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.sandbox.config import SandboxConfig, SandboxPerson
from server.sandbox.wecom_file import committed, open_file

ROOT: Final = 1
_TABLES: Final = """
create table if not exists parties (
    id integer primary key, name text not null, parentid integer not null, "order" integer not null);
create table if not exists members (
    key text primary key, userid text not null, name text not null, position text not null,
    leads text not null, number text not null, mobile text not null, email text not null,
    status integer not null, in_scope integer not null, licensed integer not null);
create table if not exists memberships (
    key text not null, party integer not null, n integer not null, primary key (key, party));
create index if not exists memberships_by_party on memberships (party, key);
create table if not exists scope (party integer primary key);
create table if not exists tokens (token text primary key, expires_at integer not null);
"""
_MEMBER: Final = (
    "userid, name, position, leads, number, mobile, email, status, in_scope, licensed, key"
)


@dataclass(slots=True)
class NewParty:
    """A department as it is to be kept."""

    id: int
    name: str
    parent_id: int
    order: int


@dataclass(slots=True)
class NewMember:
    """A member as one is to be kept; the first department is the main one."""

    userid: str
    name: str = ""
    parties: list[int] = field(default_factory=list)
    leads: list[int] = field(default_factory=list)
    position: str = ""
    number: str = ""
    mobile: str = ""
    email: str = ""
    status: int = 1
    in_scope: bool = True
    licensed: bool = True

    @classmethod
    def of(cls, row: dict[str, Any]) -> "NewMember":
        """As one is kept now."""
        names = (name for name in cls.__dataclass_fields__)
        return cls(**{name: row[name] for name in names})


class Rolls:
    """One owner; `close` when done. `people` is the members as the rest of the stand-in knows them."""

    def __init__(self, config: SandboxConfig) -> None:
        self._db = open_file(config.state_dir / "wecom_directory.db", _TABLES)
        if self.party(str(ROOT)) is None:
            self._fill(config)
        self.people: dict[str, SandboxPerson] = {}
        self._know(row for row in self.everybody())

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # --- reading

    def party(self, number: str) -> Any:
        """A department's row, or None."""
        if not number.isdecimal() or len(number) > 10:
            return None
        row = self._db.execute("select * from parties where id = ?", (int(number),)).fetchone()
        return None if row is None else dict(row)

    def parties(self) -> list[dict[str, Any]]:
        """All departments, in order of number."""
        return [dict(row) for row in self._db.execute("select * from parties order by id")]

    def below(self, number: str) -> list[int]:
        """A department and those below it."""
        rows = self._db.execute(
            "with recursive below (id) as (values (?) union"
            " select parties.id from parties join below on parties.parentid = below.id)"
            " select id from below",
            (int(number) if number.isdecimal() else 0,),
        )
        return [row["id"] for row in rows]

    def depth(self, number: int) -> int:
        """How far below the root a department lies."""
        depth, row = 0, self.party(str(number))
        while row is not None and row["parentid"] and depth < 100:
            depth, row = depth + 1, self.party(str(row["parentid"]))
        return depth

    def has_sibling(self, party: NewParty) -> bool:
        """Whether another of its name lies below the same department."""
        found = self._db.execute(
            "select 1 from parties where parentid = ? and name = ? and id <> ?",
            (party.parent_id, party.name, party.id),
        )
        return found.fetchone() is not None

    def next_party(self) -> int:
        """A number nobody has had."""
        return int(self._db.execute("select max(id) + 1 from parties").fetchone()[0])

    def member(self, userid: str) -> dict[str, Any] | None:
        """A member's row, however the id was capitalised."""
        found = self._db.execute(
            f"select {_MEMBER} from members where key = ?",  # noqa: S608
            (userid.lower(),),
        )
        row = found.fetchone()
        return None if row is None else self._whole(row)

    def members(self, party: int) -> list[dict[str, Any]]:
        """Who is in a department itself."""
        rows = self._db.execute(
            f"select {_MEMBER} from members"  # noqa: S608
            " join memberships using (key) where party = ? order by key",
            (party,),
        ).fetchall()
        return [self._whole(row) for row in rows]

    def everybody(self) -> list[dict[str, Any]]:
        """All members."""
        rows = self._db.execute(f"select {_MEMBER} from members order by key").fetchall()  # noqa: S608
        return [self._whole(row) for row in rows]

    def memberships(self, after: str, limit: int) -> list[dict[str, Any]]:
        """One row for each department of each member, from a place on."""
        rows = self._db.execute(
            "select userid, party, key || '/' || printf('%010d', party) as place"
            " from memberships join members using (key) where place > ? order by place limit ?",
            (after, limit),
        )
        return [dict(row) for row in rows]

    def holders(self, mobile: str, email: str) -> list[dict[str, Any]]:
        """Who has one of these."""
        rows = self._db.execute(
            "select userid, mobile, email from members"
            " where (mobile <> '' and mobile = ?) or (email <> '' and email = ?)",
            (mobile, email),
        )
        return [dict(row) for row in rows]

    def scope(self) -> list[int]:
        """The departments the app was given."""
        return [row["party"] for row in self._db.execute("select party from scope order by party")]

    def visible(self) -> set[int]:
        """The departments the app sees."""
        return {number for party in self.scope() for number in self.below(str(party))}

    def _whole(self, row: sqlite3.Row) -> dict[str, Any]:
        made = dict(row)
        made["leads"] = json.loads(made["leads"])
        made["in_scope"], made["licensed"] = bool(made["in_scope"]), bool(made["licensed"])
        rows = self._db.execute(
            "select party from memberships where key = ? order by n", (made["key"],)
        )
        made["parties"] = [found["party"] for found in rows]
        return made

    # --- writing

    def store_party(self, party: NewParty) -> None:
        """Keep a department, new or changed."""
        with committed(self._db):
            self._put_party(party)

    def delete_party(self, number: int) -> None:
        """Remove a department."""
        with committed(self._db):
            self._db.execute("delete from parties where id = ?", (number,))
            self._db.execute("delete from scope where party = ?", (number,))

    def store_member(self, member: NewMember) -> None:
        """Keep a member, new or changed."""
        with committed(self._db):
            self._put_member(member)
        row = self.member(member.userid)
        self._know([row] if row else [])

    def delete_members(self, userids: Sequence[str]) -> None:
        """Remove members."""
        keys = [(userid.lower(),) for userid in userids]
        with committed(self._db):
            self._db.executemany("delete from members where key = ?", keys)
            self._db.executemany("delete from memberships where key = ?", keys)
        for (key,) in keys:
            self.people.pop(key, None)

    def set_scope(self, parties: Sequence[int]) -> None:
        """What the app sees from now on."""
        with committed(self._db):
            self._db.execute("delete from scope")
            self._db.executemany("insert into scope values (?)", [(party,) for party in parties])

    # --- tokens of the contacts' secret

    def token(self, now: int, lifetime_s: int) -> tuple[str, int]:
        """The token in force, or a new one, and the seconds it has left."""
        found = self._db.execute("select * from tokens where expires_at > ?", (now,)).fetchone()
        if found is not None:
            return str(found["token"]), max(1, (found["expires_at"] - now) // 1000)
        token = secrets.token_urlsafe(160)
        with committed(self._db):
            until = now + lifetime_s * 1000
            self._db.execute("insert into tokens values (?, ?)", (token, until))
        return token, lifetime_s

    def token_fault(self, token: str, now: int) -> int | None:
        """0 when it is good, 42001 when it was, None when it is none of these."""
        query = "select expires_at from tokens where token = ?"
        row = self._db.execute(query, (token,)).fetchone()
        if row is None:
            return None
        return 0 if row["expires_at"] > now else 42001

    def expire_tokens(self) -> None:
        """Every token given out so far has had its time."""
        with committed(self._db):
            self._db.execute("update tokens set expires_at = 0")

    # --- inside

    def _fill(self, config: SandboxConfig) -> None:
        """The first time: the configuration's departments below one root, and its people in them."""
        names = [person.department for person in config.people if person.department]
        given = {party.key: (party.name, party.parent) for party in config.parties}
        tree = given or {name: (name, "") for name in names}
        numbers = {key: number for number, key in enumerate(tree, start=2)}
        with committed(self._db):
            self._put_party(NewParty(ROOT, "院信医院", 0, 1))
            for place, (key, (name, parent)) in enumerate(tree.items()):
                above = numbers.get(parent, ROOT)
                # A higher order comes first.
                self._put_party(NewParty(numbers[key], name, above, 1_000_000 - place))
            for person in config.people:
                self._put_member(_first(person, numbers))
            self._db.execute("insert into scope values (?)", (ROOT,))

    def _put_party(self, party: NewParty) -> None:
        row = (party.id, party.name, party.parent_id, party.order)
        self._db.execute("insert or replace into parties values (?, ?, ?, ?)", row)

    def _put_member(self, member: NewMember) -> None:
        key = member.userid.lower()
        row = (
            key,
            member.userid,
            member.name,
            member.position,
            json.dumps([party for party in member.leads if party in member.parties]),
            member.number,
            member.mobile,
            member.email,
            member.status,
            int(member.in_scope),
            int(member.licensed),
        )
        self._db.execute(
            "insert or replace into members values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row
        )
        self._db.execute("delete from memberships where key = ?", (key,))
        places = enumerate(dict.fromkeys(member.parties))
        self._db.executemany(
            "insert into memberships values (?, ?, ?)", [(key, party, n) for n, party in places]
        )

    def _know(self, rows: Iterable[dict[str, Any]]) -> None:
        names = {party["id"]: party["name"] for party in self.parties()}
        for row in rows:
            main = row["parties"][0]
            self.people[row["key"]] = SandboxPerson(
                person_id=row["userid"],
                name=row["name"],
                title=row["position"],
                department="" if main == ROOT else names.get(main, ""),
                in_scope=row["in_scope"],
                licensed=row["licensed"],
                mobile=row["mobile"],
                email=row["email"],
            )


def _first(person: SandboxPerson, numbers: dict[str, int]) -> NewMember:
    """Somebody of the configuration, as a member."""
    keys = person.parties or ((person.department,) if person.department else ())
    return NewMember(
        userid=person.person_id,
        name=person.name,
        parties=[numbers[key] for key in keys] or [ROOT],
        leads=[numbers[key] for key in person.leads],
        position=person.title,
        number=person.number,
        mobile=person.mobile,
        email=person.email,
        in_scope=person.in_scope,
        licensed=person.licensed,
    )
