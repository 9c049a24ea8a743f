"""An office to test features in: a real store, the real dispatcher and hub, people with connections.

A `Client` is a connection whose wire keeps every event. No sockets and no HTTP: those have tests of
their own; here it is the features' behaviour that counts.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from realtime.application import Identity
from realtime.connection import Connection
from realtime.errors import Closing
from realtime.frames import Frame
from realtime.hub import Hub
from realtime.presence.memory import MemoryPresence
from realtime.publisher import Publisher
from server import schema, stream
from server.acting.acts import Acts
from server.auth import Actor, Role
from server.clock import Clock
from server.directory import Department, Directory, Person, Post, Presence
from server.dispatch import Dispatcher
from server.feature import Feature
from server.integrations.oa.documents import Documents
from server.integrations.wecom import GroupChats
from server.integrations.wecom.group_client import NoGroups
from server.nodes import Leader
from server.nodes.alone import Alone
from server.services import wired
from server.settings import Settings
from server.storage import Doc, Insert, Store
from server.storage.document import to_doc
from server.storage.sqlite import SqliteStore
from server.stream import Streams
from server.work import SystemWork
from tests.clocks import ManualClock

NAMES = {"ann": "安宁", "bob": "鲍博", "cai": "蔡彩", "dan": "单丹", "eve": "叶薇"}


class Refusal(Exception):
    """A command was refused; `code` and `message` as on the wire."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: str = error["code"]
        self.message: str = error["message"]
        self.retry_after_ms: int | None = error.get("retry_after_ms")


class Client:
    """Somebody's page: asks commands and keeps every event told to it, in order."""

    def __init__(self, office: "Office", person_id: str) -> None:
        self.office = office
        self.person_id = person_id
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.closed: Closing | None = None
        identity = Identity(person_id, f"session-{person_id}", "127.0.0.1")
        self.connection = Connection(f"connection-{id(self)}", identity, self)

    # What the hub does with a wire.

    way = None

    def send(self, frame: Frame, *, key: str | None = None, ephemeral: bool = False) -> None:
        name, body = msgspec.json.decode(frame.data[2:])
        self.events.append((name, body))

    def ping(self) -> None:
        """Nobody answers here."""

    def close(self, reason: Closing) -> None:
        self.closed = reason
        self.office.hub.leave(self.connection, reason)

    # What a page does.

    async def connect(self) -> None:
        await self.office.hub.open(self.connection, self.office.channels_of)

    def disconnect(self) -> None:
        self.office.hub.leave(self.connection)

    async def ask(self, name: str, **fields: Any) -> dict[str, Any]:
        """The result of a command. Raises Refusal."""
        return await self.office.ask(self.person_id, name, fields, self.connection)

    def told(self, name: str) -> list[dict[str, Any]]:
        """The events of one name, in the order told."""
        return [body for told, body in self.events if told == name]


class Office:
    """Five people in a department, with whatever features a test is about."""

    def __init__(self, store: SqliteStore, clock: ManualClock, features: Sequence[Feature]) -> None:
        self.store, self.clock, self.features = store, clock, features
        self.hub = Hub(clock)
        self.leader = Alone()
        self.directory = Directory()
        self.streams = Streams(features)
        self.settings = Settings()
        self.system = SystemWork(store, self.hub, clock)
        self.services: dict[type, Any] = {
            Clock: clock,
            CollectorRegistry: CollectorRegistry(),
            Directory: self.directory,
            Publisher: self.hub,
            Store: store,
            SystemWork: self.system,
            Settings: self.settings,
            Streams: self.streams,
            GroupChats: NoGroups(),
            Hub: self.hub,
            Leader: self.leader,
            Presence: MemoryPresence([self.hub]),
        }
        self.roles: dict[str, frozenset[Role]] = {}
        self.dispatcher: Dispatcher

    def open(self) -> None:
        """Wire the features to the services there are now."""
        self.dispatcher = Dispatcher(self.features, self.store, self.hub, self.clock, self.services)

    async def channels_of(self, person_id: str) -> Sequence[str]:
        return list(await self.streams.channels_of(self.store, person_id))

    def actor(self, person_id: str) -> Actor:
        roles = self.roles.get(person_id, frozenset({Role.STAFF}))
        return Actor(person_id, f"session-{person_id}", roles, "127.0.0.1")

    async def ask(
        self, person_id: str, name: str, fields: object, connection: Connection | None = None
    ) -> dict[str, Any]:
        raw = await self.dispatcher.answer(self.actor(person_id), name, fields, connection)
        ack: dict[str, Any] = msgspec.json.decode(bytes(raw))
        if not ack["ok"]:
            raise Refusal(ack["error"])
        result: dict[str, Any] = ack["result"]
        return result

    def overtake(
        self,
        monkeypatch: pytest.MonkeyPatch,
        before_reading: int,
        other: Callable[[], Awaitable[object]],
    ) -> None:
        """Do something else whole before what comes next reads its nth document."""
        get = self.store.get
        readings = 0

        async def overtaken(coll: str, id: str) -> Doc | None:
            nonlocal readings
            readings += 1
            if readings == before_reading:
                await other()
            return await get(coll, id)

        monkeypatch.setattr(self.store, "get", overtaken)

    async def client(self, person_id: str) -> Client:
        """A connected page of a person."""
        client = Client(self, person_id)
        await client.connect()
        return client


@asynccontextmanager
async def open_office(
    folder: Path,
    features: Sequence[Feature],
    services: dict[type, Any] | None = None,
    names: dict[str, str] = NAMES,
) -> AsyncIterator[Office]:
    """An office in `folder`, with `stream` and the features given."""
    clock = ManualClock()
    store = SqliteStore(folder / "office.db", clock=clock)
    await store.open()
    try:
        everything = (*features, stream.feature)
        await schema.declare(store, everything)
        office = Office(store, clock, everything)
        ward = Department(id="ward", name="产科")
        people = [
            Person(id=id, name=name, posts=(Post(department_id="ward", title="护士"),))
            for id, name in names.items()
        ]
        await store.apply(*(Insert(d.collection.name, to_doc(d)) for d in (ward, *people)))
        await office.directory.load(store)
        office.services.update(services or {})
        if Documents in office.services:
            office.services[Acts] = Acts(**wired(Acts, office.services))
        async with AsyncExitStack() as stack:
            for part in (part for feature in everything for part in feature.parts):
                made = await stack.enter_async_context(part(**wired(part, office.services)))
                office.services[type(made)] = made
            office.open()
            yield office
    finally:
        await store.close()
