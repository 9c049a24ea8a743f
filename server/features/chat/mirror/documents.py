"""How far a group has been told to WeCom, and what WeCom was told of it."""

import hashlib
from typing import ClassVar, Final

import msgspec

from server.clock import Millis
from server.features.chat.mirror.protocol import Mirroring, Trouble
from server.integrations.wecom import CallKind
from server.storage import Collection, Index
from server.storage.document import Document

MOST_MIRRORS: Final = 1_000
"""Groups that are shown in WeCom at one time: WeCom makes no more in a day."""


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call that was begun: WeCom may have its bytes, until its outcome is written here."""

    id: str
    kind: CallKind
    request: str
    upto: int = 0
    """Where the log has been read to once a message was taken."""
    seq: int = 0
    """The message whose text it holds."""
    adding: tuple[str, ...] = ()
    removing: tuple[str, ...] = ()
    name: str = ""
    owner: str = ""


class Mirror(Document, frozen=True):
    """One group's, under the conversation's id. What the owner wishes, how far the log was read and told,
    and what stands in the way."""

    collection: ClassVar[Collection] = Collection(
        "chat_mirrors", indexes=(Index("on", ("is_on",)),)
    )

    is_on: bool
    with_messages: bool = False
    from_seq: int = 0
    """Messages after this number are told."""
    position: int = 0
    """The log was read to here, and all there is to tell of it was told."""
    title: str = ""
    owner_id: str = ""
    """Name and owner of the group at that position."""
    unsaid: tuple[int, ...] = ()
    """Messages that were recalled before they were told."""
    passed_over: int = 0
    """Messages not told, about which WeCom's group has to hear yet."""
    is_made: bool = False
    made_before: int = 0
    """How many groups WeCom had for this one and has lost."""
    is_greeted: bool = False
    told_name: str = ""
    told_owner: str = ""
    call: Call | None = None
    failures: int = 0
    due_at: Millis = Millis(0)
    trouble: Trouble = ""
    code: int = 0
    trouble_at: Millis = Millis(0)
    left_out: int = 0

    @property
    def chat_id(self) -> str:
        """The group's id in WeCom: always the same, so that making it twice makes one."""
        named = f"{self.id}/{self.made_before}".encode()
        return "yx" + hashlib.sha256(named).hexdigest()[:30]

    def shown(self) -> Mirroring:
        """As members see it."""
        hinders = self.is_on and self.trouble != ""
        return Mirroring(
            is_on=self.is_on,
            with_messages=self.with_messages,
            is_made=self.is_made,
            trouble=self.trouble if hinders else "",
            code=self.code if hinders else 0,
            since=self.trouble_at if hinders else Millis(0),
            left_out=self.left_out if self.is_on else 0,
        )


class Roll(Document, frozen=True):
    """Who is in a group that is shown in WeCom, under the conversation's id."""

    collection: ClassVar[Collection] = Collection("chat_mirror_rolls")

    people: tuple[str, ...] = ()
    """The members at the mirror's position."""
    users: tuple[str, ...] = ()
    """Whom WeCom was told to have in its group."""
    left_out: tuple[str, ...] = ()
    """Users WeCom does not know, or the app may not reach."""
    left_out_at: Millis = Millis(0)
