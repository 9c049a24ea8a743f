"""The company's contacts in WeCom (通讯录): who is in which department there, asked and changed bit by bit.

A port of its own beside `WeCom`, which sends. Adapter: `contacts_client.py`. Nothing here decides anything;
`server.directory` compares and plans.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

ROOT: Final = 1
"""The department that is the company itself."""

NO_SUCH_PARTY: Final = 60003
NO_SUCH_USER: Final = frozenset({60111, 46004, 40003})
"""Nobody has the id, or nobody can."""
OUT_OF_SCOPE: Final = 60011
USER_EXISTS: Final = 60102
MOBILE_EXISTS: Final = 60104
EMAIL_EXISTS: Final = 60106
NO_CONTACT: Final = 60129
PARTY_EXISTS: Final = 60008
PARTY_HAS_MEMBERS: Final = 60005
PARTY_HAS_PARTIES: Final = 60006


@dataclass(frozen=True, slots=True)
class PartyRow:
    """Where a department hangs; a higher `order` comes first."""

    id: int
    parent_id: int
    order: int = 0


@dataclass(frozen=True, slots=True)
class Party:
    """A department."""

    id: int
    name: str
    parent_id: int
    order: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody, as far as the app may see. WeCom gives new apps no phone number: `mobile` is mostly empty."""

    user_id: str
    name: str
    party_ids: tuple[int, ...] = ()
    main_party: int = 0
    title: str = ""
    leads: frozenset[int] = frozenset()
    number: str = ""
    mobile: str = ""
    is_disabled: bool = False
    """Shut out of WeCom by its administrators, for now."""
    has_left: bool = False


@dataclass(frozen=True, slots=True)
class IdPage:
    """Some of the company's user ids; `cursor` asks for more, empty at the end."""

    user_ids: Sequence[str]
    cursor: str


class Contacts(Protocol):
    """What a sync asks of WeCom.

    Every call is one request and raises `WeComError`. `RefusedByWeCom` with `OUT_OF_SCOPE` says that the
    thing may well be there and the app must not see it. An answer that is not whole is `Retry`, never an
    empty list. Writes may have happened although the call raised `Retry`.
    """

    @property
    def may_write(self) -> bool:
        """Whether the secret of the contacts' own interface (通讯录同步) is there: all writing needs it,
        and `user_ids`, which knows people outside the app's scope too."""
        ...

    async def party_rows(self) -> list[PartyRow]:
        """The departments in sight."""
        ...

    async def party(self, party_id: int) -> Party | None:
        """A department; None when there is none."""
        ...

    async def members(self, party_id: int) -> list[Member]:
        """Who is in a department itself, not below it."""
        ...

    async def member(self, user_id: str) -> Member | None:
        """Somebody; None when WeCom does not know the id (or, without a word, must not show it)."""
        ...

    async def user_ids(self, cursor: str) -> IdPage:
        """Everybody's id, a page at a time, from "" on."""
        ...

    async def create_party(self, name: str, parent_id: int, order: int) -> int:
        """A new department's id."""
        ...

    async def update_party(self, party: Party) -> None: ...

    async def delete_party(self, party_id: int) -> None:
        """Gone already is no error."""
        ...

    async def create_member(self, member: Member, *, email: str) -> None: ...

    async def update_member(self, member: Member) -> None:
        """Name, title and departments; phone numbers and everything else stay."""
        ...

    async def delete_member(self, user_id: str) -> None:
        """Gone already is no error."""
        ...
