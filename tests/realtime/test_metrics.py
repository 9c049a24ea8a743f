"""What the operator is shown: numbers, never names."""

from prometheus_client import CollectorRegistry

from realtime.limits import ConnectionLimits
from realtime.metrics import HubMetrics
from tests.realtime.ward import eventually, running_ward


async def test_what_happens_is_counted_and_names_of_clients_never_become_labels() -> None:
    registry = CollectorRegistry()
    async with running_ward(metrics=HubMetrics(registry)) as ward:

        async def fine(_: object, body: object) -> object:
            return body

        def value(metric: str, **labels: str) -> float | None:
            return registry.get_sample_value(f"realtime_{metric}", labels)

        ward.application.handlers["fine"] = fine
        client = await ward.connect("li")
        await client.call("fine")
        await client.call("made-up-by-a-client")
        ward.tell("person:li", 1)
        await client.wait_for("chat.sent")
        assert value("connections") == value("people") == value("sockets") == 1
        assert value("commands_total", name="fine", outcome="ok") == 1
        assert value("commands_total", name="other", outcome="failed") == 1
        assert value("deliveries_total") == 1
        assert value("delivered_bytes_total") == 54
        await client.send("nonsense")
        await eventually(lambda: value("sockets") == 0)
        assert value("closings_total", reason="bad_frame") == 1
        assert value("connections") == value("people") == 0


async def test_the_longest_queue_is_remembered() -> None:
    registry = CollectorRegistry()
    limits = ConnectionLimits(queued_events=20)
    async with running_ward(metrics=HubMetrics(registry), limits=limits) as ward:
        stuck = await ward.connect("li")
        stuck.pause_reading()
        position = 0
        while ward.hub.is_online("li"):
            position += 1
            ward.tell("person:li", position, text="x" * 50_000)
        assert registry.get_sample_value("realtime_queue_high_water") == 20
        assert registry.get_sample_value("realtime_closings_total", {"reason": "too_slow"}) == 1
