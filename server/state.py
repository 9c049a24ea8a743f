"""How a node is doing: the store's figures, and what `/readyz` asks."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from server.acting.acts import Acts
from server.clock import Clock
from server.directory.wecom_sync import DirectorySync
from server.http import health
from server.http.health import Check
from server.integrations.oa.mirror import Worklist
from server.nodes import Leader
from server.notify.notifier import Notifier
from server.settings import Settings
from server.storage import Store


class StoreMetrics(Collector):
    """The store's own figures, read when somebody asks for the metrics."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        state = self._store.health()
        for name, sentence, value in (
            ("storage_ready", "1 while changes can be stored", state.ready),
            ("storage_waiting", "Operations waiting for the disk", state.waiting),
            ("storage_last_batch", "Submissions in the last commit", state.last_batch),
            ("storage_last_commit_ms", "Milliseconds of the last commit", state.last_commit_ms),
            ("storage_commits", "Commits since the start", state.commits),
            ("storage_reads", "Reads since the start", state.reads),
        ):
            yield GaugeMetricFamily(name, sentence, value=float(value))


class NodeMetrics(Collector):
    """This node among the others."""

    def __init__(self, leader: Leader) -> None:
        self._leader = leader

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "nodes_alive", "Nodes of this store, as this one sees them", value=self._leader.nodes
        )
        leads = float(self._leader.leads)
        yield GaugeMetricFamily(
            "node_leads", "1 on the node that does what is done once", value=leads
        )


class ActMetrics(Collector):
    """What became of acts on documents, as far as this node learnt it."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "oa_acts", "Acts on documents, by what they came to", labels=("via", "action", "state")
        )
        for labels, count in sorted(self._acts.ended.items()):
            family.add_metric(labels, count)
        yield family


class SyncMetrics(Collector):
    """Bringing together the directory and WeCom's contacts, as far as this node did it."""

    def __init__(self, sync: DirectorySync) -> None:
        self._sync = sync

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "directory_sync_runs",
            "Runs, by what began them and how they ended",
            labels=("trigger", "result"),
        )
        for labels, count in sorted(self._sync.runs.items()):
            family.add_metric(labels, count)
        yield family


class OAMetrics(Collector):
    """How the OA is read, and what its webhook is worth."""

    def __init__(self, worklist: Worklist, clock: Clock) -> None:
        self._worklist, self._clock = worklist, clock

    def collect(self) -> Iterator[Metric]:
        state = self._worklist.health()
        heard_s = 0.0 if state.hinted_at is None else (self._clock.now() - state.hinted_at) / 1000
        for name, sentence, count in (
            ("oa_calls", "Calls to the OA since the start", state.calls),
            ("oa_hints", "People named by the OA's webhook", state.hints_heard),
            ("oa_changes_not_hinted", "Changes it did not tell of", state.changes_not_hinted),
        ):
            yield CounterMetricFamily(name, sentence, value=float(count))
        for name, sentence, value in (
            ("oa_reachable", "1 while the OA answers", float(state.reachable)),
            ("oa_people_on_screen", "People whose page is on a screen of this node", state.visible),
            ("oa_people", "People with an OA account", state.people),
            ("oa_people_not_read", "Those not read yet since the start", state.not_read),
            ("oa_hints_waiting", "People named who are not read yet", state.hints_waiting),
            ("oa_webhook_heard", "1 if the webhook was heard", float(state.hinted_at is not None)),
            ("oa_webhook_silent_seconds", "Since the webhook was heard", heard_s),
            ("oa_webhook_relied_on", "1 while pages rely on it", float(state.relies_on_hints)),
        ):
            yield GaugeMetricFamily(name, sentence, value=float(value))


def storage_check(store: Store) -> health.Ask:
    async def ask() -> Check:
        state = store.health()
        return Check(state.ready, state.detail)

    return ask


def oa_check(worklist: Worklist, settings: Settings) -> health.Ask:
    async def ask() -> Check:
        if not settings.oa_endpoint:
            return Check(False, "not configured")
        state = worklist.health()
        return Check(state.reachable, state.reason)

    return ask


def wecom_check(notifier: Notifier, settings: Settings) -> health.Ask:
    async def ask() -> Check:
        if not settings.wecom_api_base:
            return Check(False, "not configured")
        return Check(not notifier.trouble, notifier.trouble)

    return ask
