"""Who is acting: actors and roles, password hashes, session tokens and socket tickets.

Sign-in itself, with its sessions and devices, is the feature `account`.
"""

from server.auth.actor import Actor, Role
from server.auth.documents import Credential, Session
from server.storage.document import Document

DOCUMENTS: tuple[type[Document], ...] = (Session, Credential)

__all__ = ["DOCUMENTS", "Actor", "Credential", "Role", "Session"]
