"""Who is acting: actors and roles, password hashes, session tokens and socket tickets.

Sign-in itself, with its sessions and devices, is the feature `account`.
"""

from server.auth.actor import Actor, Role

__all__ = ["Actor", "Role"]
