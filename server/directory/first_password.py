"""Giving somebody a password from the command line: the first one, or a new one when it was forgotten.

Whoever runs this has the server's data folder in hand already. It ends the person's sessions.
"""

from pathlib import Path
from typing import Final

from server.audit import AuditRow
from server.auth import Credential, Session
from server.auth.actor import SYSTEM
from server.auth.passwords import LONGEST, Passwords
from server.clock import Clock
from server.directory.directory import Directory
from server.ids import new_id
from server.nodes.bulletin import sessions_ended
from server.storage import Insert, Op, Patch, Put, Store
from server.storage.document import to_doc

SHORTEST: Final = 8


async def set_password(account: str, password: str, store: Store, clock: Clock) -> int:
    """Set it and say so. 0 when it was done."""
    directory = Directory()
    await directory.load(store)
    person = directory.by_account(account)
    if person is None:
        print(f"没有在职人员使用账号 {account}。")
        return 1
    if not SHORTEST <= len(password) <= LONGEST or password.casefold() == person.id.casefold():
        print(f"密码须为 {SHORTEST} 到 {LONGEST} 个字符，且不同于账号。")
        return 1
    passwords = Passwords(threads=1)
    try:
        hashed = await passwords.hash(password)
    finally:
        passwords.close()
    now = clock.now()
    credential = Credential(id=person.id, password_hash=hashed, changed_at=now)
    row = AuditRow(
        id=new_id(now),
        at=now,
        actor_id=SYSTEM.person_id,
        action="directory.set_password",
        subject=person.id,
    )
    sessions = Session.collection.name
    found = await store.find(sessions, "person", (person.id,), reverse=True, limit=1_000)
    live = [doc["_id"] for doc in found if not doc.get("revoked_at")]
    ops: list[Op] = [
        Put(Credential.collection.name, to_doc(credential), None),
        Insert(AuditRow.collection.name, to_doc(row)),
        *(Patch(sessions, id, {"revoked_at": now}) for id in live),
        sessions_ended(now, person.id, live),
    ]
    await store.apply(*ops)
    print(f"已为 {person.id} {person.name} 设置密码。")
    return 0


def read_password(path: Path) -> str:
    """The first line of a file, so that no password stands in a shell's history. What some editors put
    before it (a byte order mark) is none of it: nobody could type it. Raises OSError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise OSError(f"{path} is not a text in UTF-8") from None
    return text.split("\n", 1)[0].rstrip("\r")
