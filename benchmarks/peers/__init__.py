"""Whom the hub is compared with. Each is a server of its own process that does what `hub_server` does.

Node's Socket.IO is the measure, as most teams would take it. `ws` is Node without the framework, stock
python-socketio what one gets in Python, with either event loop. `limit` is no product: it is the least
a server can do, written in C, and so shows how much the client can ask at most.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.load import program
from benchmarks.machine import package_versions
from benchmarks.peers import node

STOCK_PACKAGES = ("python-socketio", "python-engineio", "aiohttp")


@dataclass(frozen=True)
class Peer:
    """A server to compare: what starts it on a port, and what it is made of."""

    name: str
    title: str
    command: Callable[[int], Sequence[str]]
    versions: Callable[[], str]
    in_node: bool = False
    once: bool = False
    """Asked in the first round only: worth knowing, not worth the time."""


def _python(module: str, *more: str) -> Callable[[int], Sequence[str]]:
    return lambda port: (sys.executable, "-m", f"benchmarks.{module}", "--port", str(port), *more)


def _script(name: str) -> Callable[[int], Sequence[str]]:
    return lambda port: (str(node.binary()), str(node.FOLDER / name), str(port))


OURS = Peer(
    "ours",
    "Yuanxin's hub",
    _python("hub_server"),
    lambda: package_versions("aiohttp", "uvloop", "msgspec"),
)
NODE = Peer(
    "node",
    "Socket.IO (Node)",
    _script("node_socketio.mjs"),
    lambda: f"Node {node.version()}, {node.package_versions('socket.io', 'engine.io', 'ws')}",
    in_node=True,
)
WS = Peer(
    "ws",
    "ws by hand (Node)",
    _script("node_ws.mjs"),
    lambda: f"Node {node.version()}, {node.package_versions('ws')}",
    in_node=True,
)
STOCK = Peer(
    "stock",
    "python-socketio, asyncio",
    _python("peers.stock_socketio"),
    lambda: package_versions(*STOCK_PACKAGES),
    once=True,
)
STOCK_UVLOOP = Peer(
    "stock-uvloop",
    "python-socketio, uvloop",
    _python("peers.stock_socketio", "--uvloop"),
    lambda: package_versions(*STOCK_PACKAGES, "uvloop"),
    once=True,
)
LIMIT = Peer(
    "limit",
    "least server in C",
    lambda port: (str(program()), "reflect", str(port)),
    lambda: "benchmarks/client/reflector.c",
    once=True,
)

PEERS = {peer.name: peer for peer in (OURS, NODE, WS, STOCK_UVLOOP, STOCK, LIMIT)}
