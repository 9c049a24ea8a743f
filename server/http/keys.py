"""What the application and a request carry, by typed key."""

from aiohttp import web

from server.auth import Actor
from server.auth.sessions import Sessions
from server.clock import Clock
from server.dispatch import Dispatcher
from server.settings import Settings

SETTINGS = web.AppKey("settings", Settings)
SESSIONS = web.AppKey("sessions", Sessions)
DISPATCHER = web.AppKey("dispatcher", Dispatcher)
CLOCK = web.AppKey("clock", Clock)

ACTOR = "actor"
"""Where a request keeps its actor once `signed_in` has found it."""

COOKIE = "yuanxin_session"


def kept_actor(request: web.Request) -> Actor | None:
    """The actor found for this request, if it has been looked for."""
    actor: Actor | None = request.get(ACTOR)
    return actor
