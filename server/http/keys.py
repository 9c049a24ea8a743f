"""What the application carries, by typed key, and the name of the cookie."""

from aiohttp import web

from server.auth.sessions import Sessions
from server.dispatch import Dispatcher
from server.settings import Settings

SETTINGS = web.AppKey("settings", Settings)
SESSIONS = web.AppKey("sessions", Sessions)
DISPATCHER = web.AppKey("dispatcher", Dispatcher)

COOKIE = "yuanxin_session"
CLAIM = "Yuanxin-Person"
"""Whom a page shows: the browser's cookie may be another's since, signed in in another of its windows."""
