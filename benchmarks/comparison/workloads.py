"""What is asked of every server, and which figures answer it.

A session is one fresh server and one crowd that joins it; its workloads follow one another, those that
leave a slow server far behind at the end. Names say what is measured; how large it is, a `Size` says.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatch
from typing import Final

from benchmarks.load import Line

TICKETS: Final = "{tickets}"


class Better(Enum):
    """Which way of a figure is the better one; NEITHER is shown without a ratio."""

    MORE = 1
    LESS = -1
    NEITHER = 0


@dataclass(frozen=True)
class Column:
    """One figure of a workload."""

    key: str
    title: str
    of: Callable[[Line], float]
    better: Better = Better.NEITHER
    digits: int = 1


@dataclass(frozen=True)
class Workload:
    """One step of a session. The first column is what the question is about."""

    name: str
    title: str
    step: str
    columns: tuple[Column, ...]
    offered_per_s: float = 0
    """Deliveries per second that a server has to keep up with; 0 where it sets the pace itself."""
    is_timed: bool = True
    """Whether it is about time on the wall, and not about memory and processor alone."""


@dataclass(frozen=True)
class Session:
    """One crowd at one fresh server."""

    name: str
    people: int
    workloads: tuple[Workload, ...]
    rounds: int
    absent: tuple[str, ...] = ()
    """Peers for whom this would only take long, or who cannot do it."""
    has_tickets: bool = False
    """Whether nobody is let in without a ticket: the server writes them to a file, TICKETS in the steps."""


@dataclass(frozen=True)
class Size:
    """How large and how long everything is."""

    rounds: int
    seconds: float
    warm: float
    room: int = 1_000
    hall: int = 3_000
    idle: int = 10_000
    idle_s: float = 50
    """Two ping intervals: whenever they came, everybody is pinged twice."""
    leaving: int = 5_000
    slow_s: float = 8
    stuck: int = 50
    room_rate: int = 50
    hall_rate: int = 20
    p2p_rate: int = 2_000
    p2p_window: int = 256
    hall_windows: tuple[int, ...] = (1, 4, 64)
    absent: tuple[str, ...] = ("stock", "limit")
    """Peers who are left out of the long sessions."""


FULL: Final = Size(rounds=3, seconds=1.5, warm=0.4)
QUICK: Final = Size(
    rounds=1,
    seconds=1,
    warm=0.3,
    idle=3_000,
    idle_s=5,
    leaving=2_000,
    slow_s=3,
    hall_rate=0,
    hall_windows=(4,),
    absent=("stock", "stock-uvloop", "limit"),
)


def _ratio(above: str, below: str, scale: float = 1) -> Callable[[Line], float]:
    """One figure divided by another; nothing where either is missing."""

    def divide(line: Line) -> float:
        whole = line.get(below, 0)
        return scale * line.get(above, math.nan) / whole if whole else math.nan

    return divide


def _plain(key: str, scale: float = 1) -> Callable[[Line], float]:
    return lambda line: scale * line.get(key, math.nan)


def _rate(counted: str, title: str) -> tuple[Column, ...]:
    return (
        Column("per_s", f"{title}/s", _ratio(counted, "took_s"), Better.MORE, 0),
        Column("per_cpu_s", "per CPU s", _ratio(counted, "server_s"), Better.MORE, 0),
    )


def _latency(of: str, better: Better = Better.NEITHER) -> tuple[Column, ...]:
    return (
        Column("p50_ms", "p50 ms", _plain(f"{of}_p50_ms"), better, 2),
        Column("p99_ms", "p99 ms", _plain(f"{of}_p99_ms"), better, 2),
    )


SERVER_CORES = Column("server_cores", "server", _ratio("server_s", "took_s"), digits=2)
CLIENT_CORES = Column("client_cores", "client", _ratio("client_s", "took_s"), digits=2)
BUSY = (SERVER_CORES, CLIENT_CORES)

JOIN = (*_rate("up", "joins"), *_latency("join"), *BUSY)
FANOUT = (*_rate("heard", "deliveries"), *_latency("delivery"), *BUSY)
P2P = (*_rate("acked", "acked"), *_latency("ack"), *BUSY)
SERVED = Column("server_percent", "CPU %", _ratio("server_s", "took_s", 100), Better.LESS, 1)


def _at_rate(of: str) -> tuple[Column, ...]:
    p50, p99 = _latency(of, Better.LESS)
    return (p99, p50, SERVED, *BUSY)


def _grown(line: Line) -> float:
    before = line.get("before_resident_bytes", math.nan)
    return float((line["resident_bytes"] - before) / 2**20)


def _per_connection(line: Line) -> float:
    held = line["resident_bytes"] - line["resident_empty_bytes"]
    return held / line["up"] / 1000 if line["up"] else math.nan


IDLE = (
    Column("kb_each", "KB each", _per_connection, Better.LESS, 1),
    Column("idle_percent", "CPU %", _ratio("server_s", "took_s", 100), Better.LESS, 2),
    Column("resident_mb", "RSS MB", _plain("resident_bytes", 1e-6), digits=0),
    Column("pings_per_s", "pings/s", _ratio("pings", "took_s"), digits=0),
)
STUCK = (
    *_at_rate("delivery")[:3],
    Column(
        "against_quiet", "p99/quiet", _ratio("delivery_p99_ms", "before_delivery_p99_ms"), digits=2
    ),
    Column("grown_mib", "RSS +MiB", _grown),
    Column("cut", "cut", _plain("cut"), digits=0),
)
LEAVE = (
    Column("server_s", "CPU s", _plain("server_s"), Better.LESS, 3),
    Column("took_s", "s to quiet", _plain("took_s"), digits=2),
)


def sessions(size: Size, wanted: Sequence[str] = ("*",)) -> list[Session]:
    """All sessions, with the workloads that match one of the patterns; joining is always part of it."""
    chosen = []
    for session in _all_sessions(size):
        kept = tuple(w for w in session.workloads if any(fnmatch(w.name, p) for p in wanted))
        joining = session.workloads[0]
        if kept:
            workloads = kept if joining in kept else (joining, *kept)
            chosen.append(replace(session, workloads=workloads))
    return chosen


def _all_sessions(size: Size) -> list[Session]:
    return [_room(size), _hall(size), _door(size), _slow(size), _idle(size), _leave(size)]


def _join(people: int, name: str) -> Workload:
    return Workload(f"join-{name}", f"{people:,} people join, 64 at once", "connect", JOIN)


def _fanout(name: str, people: int, size: Size, window: int) -> Workload:
    title = f"fan-out to {people:,}, {window} outstanding"
    step = f"fanout:window={window},seconds={size.seconds},warm={size.warm}"
    return Workload(f"fanout-{name}-{window}", title, step, FANOUT)


def _fanout_at(name: str, people: int, size: Size, rate: int) -> Workload:
    title = f"fan-out to {people:,}, {rate} messages a second"
    step = f"fanout:rate={rate},seconds={size.seconds},warm={size.warm}"
    return Workload(f"fanout-{name}-rate", title, step, _at_rate("delivery"), rate * people)


def _room(size: Size) -> Session:
    fanouts = (_fanout("room", size.room, size, window) for window in (1, 4, 64))
    rate = _fanout_at("room", size.room, size, size.room_rate)
    return Session("room", size.room, (_join(size.room, "room"), *fanouts, rate), size.rounds)


def _hall(size: Size) -> Session:
    timing = f"seconds={size.seconds},warm={size.warm}"
    rate = Workload(
        "p2p-rate",
        f"{size.hall:,} people in pairs with acks, {size.p2p_rate:,} messages a second",
        f"p2p:rate={size.p2p_rate},{timing}",
        _at_rate("ack"),
        size.p2p_rate,
    )
    most = Workload(
        "p2p",
        f"{size.hall:,} people in pairs with acks, {size.p2p_window} outstanding",
        f"p2p:window={size.p2p_window},{timing}",
        P2P,
    )
    fanouts = [_fanout("hall", size.hall, size, window) for window in size.hall_windows]
    if size.hall_rate:
        fanouts.append(_fanout_at("hall", size.hall, size, size.hall_rate))
    return Session("hall", size.hall, (_join(size.hall, "hall"), rate, most, *fanouts), size.rounds)


def _door(size: Size) -> Session:
    title = f"{size.hall:,} people join by a ticket that is good for once, 64 at once"
    join = Workload("join-ticket", title, f"connect:tickets={TICKETS}", JOIN)
    others = ("ws", "stock-uvloop", "stock", "limit")
    return Session("door", size.hall, (join,), size.rounds, others, has_tickets=True)


def _slow(size: Size) -> Session:
    listeners = size.room - size.stuck
    large = f"fanout:rate={size.room_rate},filler=20000,warm={size.warm}"
    quiet = Workload(
        "slow-none",
        f"fan-out of 20 KB to {size.room:,}, {size.room_rate} a second, everybody reads",
        f"{large},seconds={size.slow_s / 2}",
        _at_rate("delivery"),
        offered_per_s=size.room_rate * size.room,
    )
    stuck = Workload(
        "slow-some",
        f"fan-out of 20 KB to {size.room:,}, {size.room_rate} a second, {size.stuck} stuck: the others",
        f"{large},seconds={size.slow_s},stuck={size.stuck}",
        STUCK,
        offered_per_s=size.room_rate * listeners,
    )
    return Session("slow", size.room, (_join(size.room, "slow"), quiet, stuck), 1, size.absent)


def _idle(size: Size) -> Session:
    title = f"{size.idle:,} people say nothing for {size.idle_s:g} s (pings every 25 s)"
    idle = Workload("idle", title, f"idle:seconds={size.idle_s}", IDLE, is_timed=False)
    return Session("idle", size.idle, (_join(size.idle, "idle"), idle), 1, size.absent)


def _leave(size: Size) -> Session:
    title = f"{size.leaving:,} people leave at once"
    leave = Workload("leave", title, f"leave:count={size.leaving}", LEAVE, is_timed=False)
    crowd = (_join(size.leaving, "leave"), leave)
    return Session("leave", size.leaving, crowd, 1, absent=("stock", "limit"))
