"""What an operator sees of the notices, in Prometheus terms. Numbers only, no people."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class NoticeMetrics:
    """Counters and gauges of one notifier, in the registry it is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()

        def gauge(name: str, sentence: str) -> Gauge:
            return Gauge(name, sentence, registry=registry)

        self.configured = gauge("notices_configured", "1 when there is a WeCom to send to")
        self.owed = gauge("notices_owed_subjects", "Subjects that are being looked at")
        self.waiting = gauge("notices_waiting", "Notices queued or being sent (up to 10,000)")
        self.oldest = gauge("notices_oldest_seconds", "Age of the notice that waits longest")
        self.in_flight = gauge("notices_in_flight", "Calls to WeCom under way")
        self.held = gauge("notices_held", "1 while calls are held back (breaker, pause, alarm)")
        self.alarm = gauge("notices_misconfigured", "1 while WeCom refuses us: call somebody")
        self.ended = Counter(
            "notices_ended",
            "Notices that ended, by how: sent, refused, dead or settled",
            ("state",),
            registry=registry,
        )
        self.retries = Counter(
            "notices_retries", "Calls that have to be repeated", registry=registry
        )
        self.throttled = Counter(
            "notices_throttled", "Notices put off by a person's limit", registry=registry
        )
        self.looks = Counter("notices_looks", "Looks at owed subjects", registry=registry)
        self.faults = Counter(
            "notices_faults", "Steps that failed and were logged", ("step",), registry=registry
        )
        self.presses = Counter(
            "notices_presses",
            "Buttons pressed on cards, by what followed: said (there was an answer), put_off (asked again "
            "later), given_up, or stranger (not this person's card)",
            ("outcome",),
            registry=registry,
        )
        for state in ("sent", "refused", "dead", "settled"):
            self.ended.labels(state)
        for outcome in ("said", "put_off", "given_up", "stranger"):
            self.presses.labels(outcome)
