"""What people do in a forum, in one line each."""

import secrets
from typing import Any

from server.audit import AuditRow
from server.storage.document import from_doc
from tests.features.office import Client, Office

SECRET = "张三的病历号"


async def save_board(eve: Client, **changed: Any) -> str:
    """A board for ann and bob with cai as moderator, unless something else is said."""
    fields: dict[str, Any] = {
        "title": "产科交流区",
        "audience": {"person_ids": ["ann", "bob"]},
        "moderators": ["cai"],
        **changed,
    }
    if "board_id" not in fields:
        fields.setdefault("client_id", secrets.token_hex(8))
    saved = await eve.ask("forum.save_board", **fields)
    board_id: str = saved["board_id"]
    return board_id


async def post(client: Client, board_id: str, text: str = "食堂的粥不错", **more: Any) -> str:
    """Write a post, as slowly as one may; its id."""
    client.office.clock.advance(10)
    fields = {"client_id": secrets.token_hex(8), "text": text, **more}
    written = await client.ask("forum.post", board_id=board_id, **fields)
    post_id: str = written["post_id"]
    return post_id


async def comment(client: Client, post_id: str, text: str = "同意", **more: Any) -> str:
    """Write a comment, as slowly as one may; its id."""
    client.office.clock.advance(2)
    fields = {"client_id": secrets.token_hex(8), "text": text, **more}
    written = await client.ask("forum.comment", post_id=post_id, **fields)
    comment_id: str = written["comment"]["comment_id"]
    return comment_id


async def watch(client: Client, board_id: str) -> None:
    """Look at a board."""
    await client.ask("stream.watch", channel=f"forum:{board_id}")


async def audited(office: Office, action: str) -> list[AuditRow]:
    """The audit rows of an action, oldest first."""
    rows = [from_doc(AuditRow, doc) for doc in await office.store.scan("audit")]
    return sorted((row for row in rows if row.action == action), key=lambda row: row.at)
