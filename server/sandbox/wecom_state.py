"""What the WeCom stand-in remembers, in SQLite under `<data_dir>/sandbox/wecom.db`.

Every change is committed before the answer goes out, so a phone here holds exactly what a caller
may believe to have sent; after a kill the judge opens the file again and counts. Calls are short
and synchronous: nothing else runs between the check for a duplicate and the commit.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.sandbox.wecom_cards import CardState
from server.sandbox.wecom_file import committed, open_file

PER_MINUTE: Final = 30
PER_HOUR: Final = 1_000

_TABLES: Final = """
create table if not exists tokens (
    token text primary key, issued_at integer not null, expires_at integer not null);
create table if not exists calls (
    call_id integer primary key, at integer not null, body text not null, msgid text not null,
    repeated integer not null, delivered text not null, dropped text not null,
    refused text not null);
create table if not exists inbox (
    card_id integer primary key, userid text not null, notice_id text, msgtype text not null,
    title text not null, description text not null, url text not null, button text not null,
    received_at integer not null, msgid text not null);
create index if not exists inbox_by_user on inbox (userid, received_at);
create index if not exists inbox_by_time on inbox (received_at);
create table if not exists recent (
    digest text primary key, msgid text not null, until integer not null);
create table if not exists dropped (
    userid text not null, at integer not null, msgid text not null);
create index if not exists dropped_by_user on dropped (userid);
"""


@dataclass(frozen=True, slots=True)
class Card:
    """What a phone shows of a message."""

    msgtype: str
    title: str
    description: str
    url: str
    button: str = ""
    notice_id: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a call that WeCom accepted."""

    msgid: str
    repeated: bool


class WeComState:
    """Tokens, calls and phones. One owner; `close` when done."""

    def __init__(self, folder: Path) -> None:
        self._db = open_file(folder / "wecom.db", _TABLES)
        self._day, self._today = -1, 0
        self.cards = CardState(self._db)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # --- tokens

    def token(self, now: int, lifetime_s: int) -> tuple[str, int]:
        """The token in force, or a new one, and the seconds it has left."""
        row = self._db.execute(
            "select token, expires_at from tokens where expires_at > ? order by issued_at desc",
            (now,),
        ).fetchone()
        if row is not None:
            return str(row["token"]), max(1, (row["expires_at"] - now) // 1000)
        token = secrets.token_urlsafe(160)
        with committed(self._db):
            self._db.execute(
                "insert into tokens values (?, ?, ?)", (token, now, now + lifetime_s * 1000)
            )
        return token, lifetime_s

    def token_fault(self, token: str, now: int) -> int:
        """0 when the token is good, else WeCom's errcode."""
        row = self._db.execute("select expires_at from tokens where token = ?", (token,)).fetchone()
        if row is None:
            return 40014
        return 0 if row["expires_at"] > now else 42001

    def expire_tokens(self) -> None:
        """Every token given out so far has had its time."""
        with committed(self._db):
            self._db.execute("update tokens set expires_at = 0")

    # --- messages

    def deliver(
        self,
        request: dict[str, Any],
        users: Sequence[str],
        refused: Sequence[str],
        card: Card,
        now: int,
        remember_s: int,
    ) -> Delivery:
        """Put the card on the phones; all of it is on disk when this returns.

        `remember_s` is the window of the duplicate check, 0 when it was not asked for.
        """
        digest = _digest(request)
        with committed(self._db):
            known = self.known(request, now)
            repeated = bool(remember_s and known)
            msgid = known if repeated else secrets.token_urlsafe(32)
            reached = [] if repeated else [user for user in users if self._has_room(user, now)]
            surplus = [] if repeated else [user for user in users if user not in reached]
            shown = (card.notice_id, card.msgtype, card.title, card.description, card.url)
            self._db.executemany(
                "insert into inbox values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(user, *shown, card.button, now, msgid) for user in reached],
            )
            self._db.executemany(
                "insert into dropped values (?, ?, ?)", [(user, now, msgid) for user in surplus]
            )
            outcome = [json.dumps(names) for names in (reached, surplus, list(refused))]
            self._db.execute(
                "insert into calls values (null, ?, ?, ?, ?, ?, ?, ?)",
                (now, json.dumps(request, ensure_ascii=False), msgid, int(repeated), *outcome),
            )
            if remember_s and not repeated:
                self._db.execute(
                    "insert or replace into recent values (?, ?, ?)",
                    (digest, msgid, now + remember_s * 1000),
                )
        self._today += len(reached)
        return Delivery(msgid, repeated)

    def known(self, request: dict[str, Any], now: int) -> str:
        """The msgid of the same request within its window; empty when there is none."""
        row = self._db.execute(
            "select msgid from recent where digest = ? and until > ?", (_digest(request), now)
        ).fetchone()
        return "" if row is None else str(row["msgid"])

    def inbox(self, userid: str) -> list[dict[str, Any]]:
        """What that phone shows, newest last."""
        rows = self._db.execute(
            "select notice_id, msgtype, title, description, url, button, received_at, msgid"
            " from inbox where userid = ? order by card_id",
            (userid.lower(),),
        )
        return [self._with_buttons(dict(row), userid) for row in rows]

    def _with_buttons(self, shown: dict[str, Any], userid: str) -> dict[str, Any]:
        card = self.cards.card(shown["msgid"]) if shown["msgtype"] == "template_card" else None
        if card is not None:
            shown["task_id"], shown["buttons"] = card
            shown["says"] = self.cards.says(shown["msgid"], userid)
        return shown

    def calls(self, after: int = 0, limit: int = 100_000) -> list[dict[str, Any]]:
        """Every accepted send, repeats included, oldest first."""
        rows = self._db.execute(
            "select * from calls where call_id > ? order by call_id limit ?", (after, limit)
        )
        return [
            {
                "call_id": row["call_id"],
                "at": row["at"],
                "request": json.loads(row["body"]),
                "msgid": row["msgid"],
                "repeated": bool(row["repeated"]),
                "delivered": json.loads(row["delivered"]),
                "dropped": json.loads(row["dropped"]),
                "refused": json.loads(row["refused"]),
            }
            for row in rows
        ]

    def accepted(self) -> tuple[int, int]:
        """How many sends were accepted so far, and how many of them were repeats."""
        row = self._db.execute("select count(*), coalesce(sum(repeated), 0) from calls").fetchone()
        return int(row[0]), int(row[1])

    def dropped(self) -> dict[str, int]:
        """Cards that were dropped without telling the sender, by person."""
        rows = self._db.execute("select userid, count(*) as n from dropped group by userid")
        return {row["userid"]: row["n"] for row in rows}

    def person_times(self, day: int) -> int:
        """Cards delivered since the day began; counted once, then kept up."""
        if self._day != day:
            row = self._db.execute("select count(*) from inbox where received_at >= ?", (day,))
            self._day, self._today = day, int(row.fetchone()[0])
        return self._today

    def _has_room(self, userid: str, now: int) -> bool:
        for window_s, most in ((60, PER_MINUTE), (3_600, PER_HOUR)):
            row = self._db.execute(
                "select count(*) from inbox where userid = ? and received_at > ?",
                (userid, now - window_s * 1000),
            )
            if row.fetchone()[0] >= most:
                return False
        return True


def _digest(request: dict[str, Any]) -> str:
    text = json.dumps(request, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
