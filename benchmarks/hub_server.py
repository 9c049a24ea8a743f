"""The bare hub under load: our Hub and Gateway, no storage, no login.

Question: how many events per second does the hub deliver, and how many commands does it answer, on one
core? Everybody is in the channel `conversation:all` and in their own; `bcast` tells all, `pm` tells one.
With `--redis` it is one of several nodes (`two_nodes`). With `--tickets` nobody gets in without one of
those that are written to a file, each good for once: the product's own, in memory.

    taskset -c 0 python -m benchmarks.hub_server --port 8080 &
    taskset -c 1 loadclient --ports 8080 --pids $! --mode fanout -n 1000 --window 4
"""

import argparse
import asyncio
import contextlib
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web

from realtime.application import Identity
from realtime.backplane.redis import RedisBackplane
from realtime.channel import conversation_channel, person_channel
from realtime.clock import MachineClock
from realtime.connection import Connection
from realtime.errors import Unauthenticated
from realtime.gateway import Gateway, GatewayOptions
from realtime.hub import Hub
from realtime.limits import ConnectionLimits
from realtime.publisher import Publication
from server.auth.tickets.memory import MemoryTickets
from server.clock import SystemClock

EVERYBODY = conversation_channel("all")
OK = msgspec.Raw(b'{"ok":1}')


class BenchApplication:
    """Whoever comes is whom they say."""

    def __init__(self) -> None:
        self.hub: Hub | None = None

    async def authenticate(self, auth: object, address: str) -> Identity:
        uid = str(auth.get("uid") or auth.get("ticket")) if isinstance(auth, dict) else address
        return Identity(uid, uid, address)

    async def channels_of(self, person_id: str) -> Sequence[str]:
        return (EVERYBODY,)

    def handle(self, connection: Connection, name: str, body: object) -> msgspec.Raw:
        assert self.hub is not None
        assert isinstance(body, dict)
        channel = person_channel(body["to"]) if name == "pm" else EVERYBODY
        # The client wants the very object back: no channel, no position.
        self.hub.publish([Publication(channel, name, msgspec.json.encode(body), 1)])
        return OK


class TicketApplication(BenchApplication):
    """Whoever comes is whom their ticket was issued to."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets = MemoryTickets(SystemClock())

    async def issue(self, file: Path, people: int) -> None:
        """Write down a ticket for each."""
        issued = [await self.tickets.issue(f"u{number}") for number in range(people)]
        file.write_text("".join(f"{ticket}\n" for ticket in issued))

    async def authenticate(self, auth: object, address: str) -> Identity:
        ticket = auth.get("ticket") if isinstance(auth, dict) else None
        uid = await self.tickets.redeem(ticket) if isinstance(ticket, str) else None
        if uid is None:
            raise Unauthenticated("no ticket")
        return Identity(uid, uid, address)


async def application_for(tickets: Sequence[str] | None) -> BenchApplication:
    if tickets is None:
        return BenchApplication()
    application, (file, people) = TicketApplication(), tickets
    await application.issue(Path(file), int(people))
    return application


async def serve(
    host: str, port: int, redis_url: str = "", tickets: Sequence[str] | None = None
) -> None:
    application = await application_for(tickets)
    limits = ConnectionLimits(
        frames_per_second=1e9, frames_burst=1_000_000_000, connections_per_person=1_000
    )
    backplane = RedisBackplane(redis_url, name="bench") if redis_url else None
    application.hub = hub = Hub(MachineClock(), limits=limits, backplane=backplane)
    await hub.start()
    gateway = Gateway(application, hub, GatewayOptions(allowed_origins=None, max_sockets=100_000))
    app = web.Application()
    gateway.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    front = gateway.front(runner)
    await front.open(host, port, backlog=4096)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    print(f"listening on {host}:{port}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await front.close()
        await gateway.close()
        await hub.stop()
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--redis", default="", help="redis://…, when it is one of several nodes")
    parser.add_argument("--tickets", nargs=2, metavar=("FILE", "PEOPLE"), help="ask for tickets")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(options.host, options.port, options.redis, options.tickets))


if __name__ == "__main__":
    main()
