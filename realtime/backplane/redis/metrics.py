"""What an operator sees of the line between nodes. Plain numbers, made into metrics when somebody asks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class LineMetrics(Collector):
    """Figures of one node's plug, in the registry it is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.connected = 0
        self.nodes = 0
        self.connects = 0
        self.envelopes_sent = 0
        self.envelopes_heard = 0
        self.envelopes_refused = 0
        self.publications_sent = 0
        self.publications_heard = 0
        self.publications_dropped = 0
        self.doubts = 0
        if registry is not None:
            registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield GaugeMetricFamily(
            "realtime_line_connected", "1 while other nodes can be heard", value=self.connected
        )
        yield GaugeMetricFamily("realtime_line_nodes", "Other nodes on the line", value=self.nodes)
        for name, sentence, value in (
            ("connects", "Times the line was connected", self.connects),
            ("envelopes_sent", "Envelopes sent to other nodes", self.envelopes_sent),
            ("envelopes_heard", "Envelopes of other nodes", self.envelopes_heard),
            ("envelopes_refused", "Envelopes that could not be read", self.envelopes_refused),
            ("publications_sent", "Events told to other nodes", self.publications_sent),
            ("publications_heard", "Events told by other nodes", self.publications_heard),
            ("publications_dropped", "Events nobody elsewhere was told", self.publications_dropped),
            ("doubts", "Times something may have been missed", self.doubts),
        ):
            yield CounterMetricFamily(f"realtime_line_{name}", sentence, value=value)
