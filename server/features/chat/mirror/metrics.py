"""What an operator sees of groups in WeCom, in Prometheus terms."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class MirrorMetrics:
    """Calls by kind and by what came of them: `taken`, or the word of the trouble."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter(
            "groups_wecom_calls",
            "Calls about groups in WeCom, by kind and outcome",
            ("kind", "outcome"),
            registry=registry,
        )
        self.held = Gauge(
            "groups_wecom_held",
            "1 while calls about groups fail or are held back",
            registry=registry,
        )
