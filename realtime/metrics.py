"""What an operator sees of the hub, in Prometheus terms.

Numbers only: no person, channel or text ever becomes a label.
"""

import asyncio
import contextlib
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HubMetrics:
    """Counters of one hub, in the registry it is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.connections = Gauge("realtime_connections", "Open connections", registry=registry)
        self.people = Gauge("realtime_people", "People with an open connection", registry=registry)
        self.sockets = Gauge("realtime_sockets", "Sockets, signed in or not", registry=registry)
        self.commands = Counter(
            "realtime_commands", "Commands handled", ("name", "outcome"), registry=registry
        )
        self.command_seconds = Histogram(
            "realtime_command_seconds",
            "From a command's arrival to its ack",
            ("name",),
            buckets=_LATENCIES,
            registry=registry,
        )
        self.publications = Counter("realtime_publications", "Events published", registry=registry)
        self.deliveries = Counter(
            "realtime_deliveries", "Events put on their way to a connection", registry=registry
        )
        self.delivered_bytes = Counter(
            "realtime_delivered_bytes", "Bytes of those events", registry=registry
        )
        self.closings = Counter(
            "realtime_closings", "Connections ended", ("reason",), registry=registry
        )
        self.refused_connects = Counter(
            "realtime_refused_connects", "Connections refused", ("code",), registry=registry
        )
        self.queue_high_water = Gauge(
            "realtime_queue_high_water",
            "Most frames that ever waited for one reader",
            registry=registry,
        )
        self.loop_lag = Histogram(
            "realtime_loop_lag_seconds",
            "How late the event loop wakes up",
            buckets=_LATENCIES,
            registry=registry,
        )

    def queued(self, frames: int) -> None:
        """A connection has ended, and so many frames were waiting for it at the worst."""
        if frames > self._high_water:
            self._high_water = frames
            self.queue_high_water.set(frames)

    _high_water = 0

    async def watch_loop(self, every_s: float = 0.5) -> None:
        """Measure the loop's lag until cancelled; whoever starts this task owns it."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                due = time.monotonic() + every_s
                await asyncio.sleep(every_s)
                self.loop_lag.observe(max(0.0, time.monotonic() - due))
