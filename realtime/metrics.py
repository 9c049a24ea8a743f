"""What an operator sees of the hub, in Prometheus terms.

Numbers only: no person, channel or text ever becomes a label. What is counted for every event and command
is a plain number of the event loop's, made into a metric when somebody asks: a locked counter each cost a
tenth of a delivery.
"""

import asyncio
import contextlib
import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class CommandFigures:
    """How often one command ended how, and how long that took."""

    __slots__ = ("_counts", "outcomes", "total_s")

    def __init__(self) -> None:
        self._counts = [0] * (len(_LATENCIES) + 1)
        self.outcomes: dict[str, int] = {}
        self.total_s = 0.0

    def add(self, outcome: str, seconds: float) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self._counts[bisect_left(_LATENCIES, seconds)] += 1
        self.total_s += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulated counts, as Prometheus wants them."""
        bounds = [*map(floatToGoString, _LATENCIES), "+Inf"]
        return [
            (bound, float(n)) for bound, n in zip(bounds, accumulate(self._counts), strict=True)
        ]


class HubMetrics(Collector):
    """Counters of one hub, in the registry it is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.connections = 0
        self.people = 0
        self.sockets = 0
        self.publications = 0
        self.deliveries = 0
        self.delivered_bytes = 0
        self.gaps_read = 0
        self.comparisons = 0
        self._commands: dict[str, CommandFigures] = {}
        self._closings: dict[str, int] = {}
        registry.register(self)
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

    def handled(self, name: str, outcome: str, seconds: float) -> None:
        """A command was answered. Names come from clients: only those that once worked become a label."""
        figures = self._commands.get(name)
        if figures is None:
            label = name if outcome == "ok" else "other"
            figures = self._commands.setdefault(label, CommandFigures())
        figures.add(outcome, seconds)

    def closed(self, reason: str) -> None:
        """A socket has ended. Thousands may at once."""
        self._closings[reason] = self._closings.get(reason, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """What was counted as plain numbers."""
        for name, sentence, value in (
            ("connections", "Open connections", self.connections),
            ("people", "People with an open connection", self.people),
            ("sockets", "Sockets, signed in or not", self.sockets),
        ):
            yield GaugeMetricFamily(f"realtime_{name}", sentence, value=value)
        for name, sentence, value in (
            ("publications", "Events published", self.publications),
            ("deliveries", "Events put on their way to a connection", self.deliveries),
            ("delivered_bytes", "Bytes of those events", self.delivered_bytes),
            ("gaps_read", "Events read from storage that did not come", self.gaps_read),
            ("comparisons", "Times all channels were compared with storage", self.comparisons),
        ):
            yield CounterMetricFamily(f"realtime_{name}", sentence, value=value)
        closings = CounterMetricFamily("realtime_closings", "Connections ended", labels=("reason",))
        for reason, count in self._closings.items():
            closings.add_metric((reason,), count)
        yield closings
        commands = CounterMetricFamily(
            "realtime_commands", "Commands handled", labels=("name", "outcome")
        )
        for name, figures in self._commands.items():
            for outcome, count in figures.outcomes.items():
                commands.add_metric((name, outcome), count)
        yield commands
        seconds = HistogramMetricFamily(
            "realtime_command_seconds", "From a command's arrival to its ack", labels=("name",)
        )
        for name, figures in self._commands.items():
            seconds.add_metric((name,), figures.buckets(), figures.total_s)
        yield seconds

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
