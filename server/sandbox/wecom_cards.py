"""What the WeCom stand-in remembers beside messages: cards with buttons, codes, calls back, the menu.

In the same file as the messages, committed before anybody is answered. A response code changes a card once,
within 72 hours; a message may be taken back within 24.
"""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.wecom_file import committed

CODE_LASTS_MS: Final = 72 * 3_600_000
RECALLED_WITHIN_MS: Final = 24 * 3_600_000

_TABLES: Final = """
create table if not exists cards (
    msgid text primary key, task_id text not null unique, buttons text not null);
create table if not exists card_says (
    msgid text not null, userid text not null, says text not null, primary key (msgid, userid));
create table if not exists codes (
    code text primary key, msgid text not null, expires_at integer not null,
    used integer not null default 0);
create table if not exists callbacks (
    number integer primary key, at integer not null, userid text not null, body text not null,
    how text not null, tries text not null default '[]', waiting integer not null default 1);
create index if not exists callbacks_waiting on callbacks (number) where waiting = 1;
create table if not exists said (
    said_id integer primary key, userid text not null, text text not null, at integer not null);
create index if not exists said_by_user on said (userid);
create table if not exists recalled (
    msgid text primary key, at integer not null);
create table if not exists gone (userid text primary key);
create table if not exists menu (only integer primary key, body text not null);
"""


@dataclass(frozen=True, slots=True)
class Calling:
    """A call back that is under way."""

    number: int
    user: str
    body: str
    how: dict[str, Any]


class CodeFault(Exception):
    """A response code that is good for nothing."""


class CardState:
    """Over the connection of `WeComState`, which owns and closes it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._db.executescript(_TABLES)

    # --- cards

    def is_taken(self, task_id: str) -> bool:
        """Whether a card with this task id was sent before."""
        row = self._db.execute("select 1 from cards where task_id = ?", (task_id,)).fetchone()
        return row is not None

    def sent(self, msgid: str, task_id: str, buttons: list[dict[str, Any]], now: int) -> str:
        """Remember a card; its first code. A repeat gives the code of the first time."""
        known = self._db.execute("select code from codes where msgid = ?", (msgid,)).fetchone()
        if known is not None:
            return str(known["code"])
        with committed(self._db):
            self._db.execute(
                "insert into cards values (?, ?, ?)",
                (msgid, task_id, json.dumps(buttons, ensure_ascii=False)),
            )
        return self.new_code(msgid, now)

    def new_code(self, msgid: str, now: int) -> str:
        """One more code for a card."""
        code = secrets.token_urlsafe(32)
        with committed(self._db):
            self._db.execute(
                "insert into codes values (?, ?, ?, 0)", (code, msgid, now + CODE_LASTS_MS)
            )
        return code

    def card(self, msgid: str) -> tuple[str, list[dict[str, Any]]] | None:
        """Task id and buttons of a card."""
        row = self._db.execute("select * from cards where msgid = ?", (msgid,)).fetchone()
        return None if row is None else (row["task_id"], json.loads(row["buttons"]))

    def says(self, msgid: str, userid: str) -> str:
        """What stands in place of the buttons on this phone; empty while they may be pressed."""
        row = self._db.execute(
            "select says from card_says where msgid = ? and userid = ?", (msgid, userid.lower())
        ).fetchone()
        return "" if row is None else str(row["says"])

    def change(self, code: str, userids: list[str], says: str, now: int) -> list[str]:
        """Spend a code; the users who have no such card. Raises CodeFault."""
        row = self._db.execute("select * from codes where code = ?", (code,)).fetchone()
        if row is None or row["used"] or row["expires_at"] <= now:
            raise CodeFault
        holders = {
            each["userid"]
            for each in self._db.execute(
                "select userid from inbox where msgid = ?", (row["msgid"],)
            )
        }
        with committed(self._db):
            self._db.execute("update codes set used = 1 where code = ?", (code,))
            self._db.executemany(
                "insert or replace into card_says values (?, ?, ?)",
                [(row["msgid"], u.lower(), says) for u in userids if u.lower() in holders],
            )
        return [user for user in userids if user.lower() not in holders]

    def recall(self, msgid: str, now: int) -> bool:
        """Take a message from all phones; False when there is none, or it is too old."""
        row = self._db.execute(
            "select min(received_at) as at from inbox where msgid = ?", (msgid,)
        ).fetchone()
        if row["at"] is None or now - row["at"] > RECALLED_WITHIN_MS:
            return False
        with committed(self._db):
            self._db.execute("delete from inbox where msgid = ?", (msgid,))
            self._db.execute("insert or replace into recalled values (?, ?)", (msgid, now))
        return True

    # --- the person at the phone

    def said(self, userid: str, text: str, now: int) -> None:
        """Somebody typed."""
        with committed(self._db):
            self._db.execute("insert into said values (null, ?, ?, ?)", (userid.lower(), text, now))

    def replied(self, userid: str, text: str, now: int) -> None:
        """The answer to a callback said something itself."""
        with committed(self._db):
            self._db.execute(
                "insert into inbox values (null, ?, null, 'text', '', ?, '', '', ?, ?)",
                (userid.lower(), text, now, f"reply-{secrets.token_hex(8)}"),
            )

    def typed(self, userid: str) -> list[dict[str, Any]]:
        """What somebody typed, oldest first."""
        rows = self._db.execute(
            "select text, at from said where userid = ? order by said_id", (userid.lower(),)
        )
        return [{"said": row["text"], "received_at": row["at"]} for row in rows]

    def has_gone(self, userid: str) -> bool:
        """Whether this person has left the app."""
        row = self._db.execute("select 1 from gone where userid = ?", (userid.lower(),)).fetchone()
        return row is not None

    def goes(self, userid: str, *, gone: bool) -> None:
        """Somebody leaves the app, or comes back."""
        statement = "insert or replace into gone" if gone else "delete from gone where userid ="
        with committed(self._db):
            self._db.execute(f"{statement} {'values (?)' if gone else '?'}", (userid.lower(),))

    # --- calls back

    def call(self, userid: str, body: str, how: dict[str, Any], now: int) -> int:
        """Keep a call that is to be made; its number."""
        with committed(self._db):
            row = self._db.execute(
                "insert into callbacks (at, userid, body, how) values (?, ?, ?, ?)",
                (now, userid, body, json.dumps(how)),
            )
        return int(row.lastrowid or 0)

    def calls_waiting(self, limit: int) -> list[Calling]:
        """Calls that are still to be made, in order."""
        rows = self._db.execute(
            "select * from callbacks where waiting = 1 order by number limit ?", (limit,)
        )
        return [
            Calling(row["number"], row["userid"], row["body"], json.loads(row["how"]))
            for row in rows
        ]

    def tried(self, number: int, status: int, now: int) -> None:
        """One try of a call was answered so (0: not at all)."""
        row = self._db.execute("select tries from callbacks where number = ?", (number,)).fetchone()
        tries = [*json.loads(row["tries"]), {"status": status, "at": now}]
        with committed(self._db):
            self._db.execute(
                "update callbacks set tries = ? where number = ?", (json.dumps(tries), number)
            )

    def called(self, number: int) -> None:
        """No further try."""
        with committed(self._db):
            self._db.execute("update callbacks set waiting = 0 where number = ?", (number,))

    def callbacks(self, limit: int = 500) -> list[dict[str, Any]]:
        """The newest calls back with their tries, oldest first."""
        rows = self._db.execute("select * from callbacks order by number desc limit ?", (limit,))
        return [
            {
                "number": row["number"],
                "at": row["at"],
                "userid": row["userid"],
                "body": row["body"],
                "tries": json.loads(row["tries"]),
                "waiting": bool(row["waiting"]),
            }
            for row in reversed(rows.fetchall())
        ]

    # --- the menu

    def menu(self) -> dict[str, Any] | None:
        """The app's menu."""
        row = self._db.execute("select body from menu").fetchone()
        return None if row is None else dict(json.loads(row["body"]))

    def set_menu(self, body: dict[str, Any] | None) -> None:
        """Another menu, or none."""
        with committed(self._db):
            self._db.execute("delete from menu")
            if body is not None:
                text = json.dumps(body, ensure_ascii=False)
                self._db.execute("insert into menu values (1, ?)", (text,))
