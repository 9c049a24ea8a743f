"""The person on whose behalf work is done, and the roles a person may hold."""

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a person is allowed beyond the ordinary. The three administrators are kept apart:
    none of them holds another's rights by being administrator."""

    STAFF = "staff"
    LEADER = "leader"
    SECTION_EDITOR = "section_editor"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


class Actor(msgspec.Struct, frozen=True):
    """A signed-in person on a device, or the server itself."""

    person_id: str
    session_id: str = ""
    roles: frozenset[Role] = frozenset({Role.STAFF})
    address: str = ""

    def has(self, role: Role) -> bool:
        return role in self.roles


SYSTEM = Actor(person_id="system", roles=frozenset())
"""The server acting on its own: pollers, imports, clean-up."""
