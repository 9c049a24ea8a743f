"""What the stand-in remembers of groups, in SQLite under `<data_dir>/sandbox/wecom_groups.db`.

Every change is committed before the answer goes out, so that after a kill a judge can count.
"""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.sandbox.wecom_file import committed, open_file

MEMBER_A_MINUTE: Final = 200
MEMBER_A_DAY: Final = 10_000

_TABLES: Final = """
create table if not exists groups (
    chat_id text primary key, name text not null, owner text not null, users text not null);
create table if not exists group_calls (
    call_id integer primary key, kind text not null, chat_id text not null, at integer not null);
create index if not exists group_calls_by_time on group_calls (kind, at);
create table if not exists group_messages (
    message_id integer primary key, chat_id text not null, at integer not null,
    msgtype text not null, content text not null, shown_to text not null, dropped text not null);
create index if not exists group_messages_by_group on group_messages (chat_id, message_id);
create table if not exists group_views (user text not null, at integer not null);
create index if not exists group_views_by_user on group_views (user, at);
create index if not exists group_views_by_time on group_views (at);
"""


@dataclass(frozen=True, slots=True)
class Group:
    """A group; user ids are lower-cased, as WeCom compares them."""

    chat_id: str
    name: str
    owner: str
    users: tuple[str, ...]


class GroupLog:
    """Groups and what was said in them. One owner; `close` when done."""

    def __init__(self, folder: Path) -> None:
        self._db = open_file(folder / "wecom_groups.db", _TABLES)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def fresh_id(self) -> str:
        """An id for a group that was given none."""
        return secrets.token_hex(16)

    def groups(self) -> list[Group]:
        """All there are, in order of making."""
        return [_group(row) for row in self._db.execute("select * from groups order by rowid")]

    def group(self, chat_id: str) -> Group | None:
        row = self._db.execute("select * from groups where chat_id = ?", (chat_id,)).fetchone()
        return None if row is None else _group(row)

    def forget(self, chat_id: str) -> None:
        """Its owner has dissolved it."""
        self._db.execute("delete from groups where chat_id = ?", (chat_id,))

    def put(self, group: Group, kind: str, now: int) -> None:
        """Make or change a group, by a call of a kind."""
        values = (group.chat_id, group.name, group.owner, json.dumps(group.users))
        with committed(self._db):
            self._db.execute(
                "insert into groups values (?, ?, ?, ?) on conflict (chat_id) do update set"
                " name = excluded.name, owner = excluded.owner, users = excluded.users",
                values,
            )
            self._db.execute(
                "insert into group_calls values (null, ?, ?, ?)", (kind, group.chat_id, now)
            )

    def calls_since(self, kind: str, since: int) -> int:
        """How many calls of a kind were taken after a moment."""
        row = self._db.execute(
            "select count(*) from group_calls where kind = ? and at > ?", (kind, since)
        )
        return int(row.fetchone()[0])

    def say(self, group: Group, msgtype: str, content: str, now: int) -> None:
        """Show a message to everybody who is in the group and has room for it."""
        with committed(self._db):
            shown = [user for user in group.users if self._has_room(user, now)]
            dropped = [user for user in group.users if user not in shown]
            told = (group.chat_id, now, msgtype, content, json.dumps(shown), json.dumps(dropped))
            self._db.execute("insert into group_messages values (null, ?, ?, ?, ?, ?, ?)", told)
            self._db.executemany("insert into group_views values (?, ?)", [(u, now) for u in shown])

    def _has_room(self, user: str, now: int) -> bool:
        return all(
            self._views("user = ? and", (user, now - window)) < most
            for window, most in ((60_000, MEMBER_A_MINUTE), (86_400_000, MEMBER_A_DAY))
        )

    def person_times(self, since: int) -> int:
        """Messages times people after a moment."""
        return self._views("", (since,))

    def _views(self, where: str, values: tuple[object, ...]) -> int:
        row = self._db.execute(
            f"select count(*) from group_views where {where} at > ?",  # noqa: S608
            values,
        )
        return int(row.fetchone()[0])

    def messages(self, chat_id: str) -> list[dict[str, Any]]:
        """What a group shows, newest last, and to whom."""
        rows = self._db.execute(
            "select * from group_messages where chat_id = ? order by message_id", (chat_id,)
        )
        return [
            {
                "at": row["at"],
                "msgtype": row["msgtype"],
                "content": row["content"],
                "shown_to": json.loads(row["shown_to"]),
            }
            for row in rows
        ]

    def dropped(self, chat_id: str) -> int:
        """How often somebody was not shown a message of a group, silently."""
        rows = self._db.execute("select dropped from group_messages where chat_id = ?", (chat_id,))
        return sum(len(json.loads(row["dropped"])) for row in rows)


def _group(row: sqlite3.Row) -> Group:
    return Group(row["chat_id"], row["name"], row["owner"], tuple(json.loads(row["users"])))
