"""The composition root: what the server is made of, in the order in which it starts.

Everything is made here and handed to whoever needs it; what was started last is stopped first. Adapters
are chosen here and nowhere else.
"""

import contextlib
import gc
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from realtime.errors import Closing
from realtime.gateway import Gateway, GatewayOptions
from realtime.hub import Hub
from realtime.metrics import HubMetrics
from realtime.presence.memory import MemoryPresence
from server import schema, stream
from server.auth.failures import SignInLimits
from server.auth.passwords import Passwords
from server.auth.sessions import Sessions
from server.auth.tickets import Tickets
from server.auth.tickets.memory import MemoryTickets
from server.clock import Clock, SystemClock
from server.directory import Directory, Presence
from server.dispatch import Dispatcher
from server.feature import Feature
from server.features import FEATURES
from server.features.chat.duty import ChatDuty
from server.features.todos.arrivals import Arrivals
from server.features.todos.duty import TodoDuty
from server.http import answers, commands, health, pages
from server.http.keys import CLOCK, DISPATCHER, SESSIONS, SETTINGS
from server.integrations.oa.mirror import Worklist
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from server.notify.notifier import Notifier
from server.oa import start_worklist
from server.settings import Settings
from server.socket import SocketApplication
from server.storage import Store
from server.storage.migrate import migrate, pending
from server.storage.sqlite import SqliteStore
from server.stream import Streams

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "migrations"
PAGES = ROOT / "static" / "dist"
"""The built H5 app."""
