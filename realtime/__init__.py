"""The hub: connections, channels, presence, and the wire between nodes.

It knows no feature, no database and no hospital. A product implements `Application`, says what happened
through `Publisher`, and puts a `Hub` and a `Gateway` into its aiohttp application:

    hub = Hub(clock, backplane=backplane)
    gateway = Gateway(application, hub, GatewayOptions())
    gateway.attach(app)
    await hub.start()
    ...
    await gateway.close()
    await hub.stop()

`realtime.testing` has a publisher that remembers and a client, for tests.
"""

from realtime.application import Application, Identity, Reach
from realtime.backplane import Backplane
from realtime.channel import ChannelKind, conversation_channel, kind_of, person_channel
from realtime.clock import Clock, MachineClock
from realtime.connection import Connection
from realtime.errors import Closing, Refused
from realtime.gateway import Gateway, GatewayOptions
from realtime.hub import Hub
from realtime.limits import ConnectionLimits, RateTable, TokenBucket
from realtime.metrics import HubMetrics
from realtime.position import first_gap
from realtime.presence import Presence
from realtime.protocol import Command, Event, Nothing, Result, event_body, read_command
from realtime.publisher import Publication, Publisher

__all__ = [
    "Application", "Backplane", "ChannelKind", "Clock", "Closing", "Command", "Connection",
    "ConnectionLimits", "Event", "Gateway", "GatewayOptions", "Hub", "HubMetrics", "Identity",
    "MachineClock", "Nothing", "Presence", "Publication", "Publisher", "RateTable", "Reach", "Refused",
    "Result", "TokenBucket", "conversation_channel", "event_body", "first_gap", "kind_of",
    "person_channel", "read_command",
]  # fmt: skip
