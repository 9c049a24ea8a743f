"""Bounds: what one connection may cost, and how often somebody may do something."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from realtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may cost before it is closed by name."""

    queued_events: int = 256
    """Events waiting for a slow reader; more ends the connection as `too_slow`."""
    queued_bytes: int = 1 << 20
    """Bytes of events waiting for a slow reader; one single event may be larger when no other waits.
    Acks are always kept, but while so much waits no further command is read."""
    commands_at_once: int = 32
    """Commands being handled; reading stops while there are so many."""
    frames_per_second: float = 200.0
    """Frames a client may send in the long run; more ends the connection as `rate_limited`."""
    frames_burst: int = 2_000
    """Frames a client may send at once: ten seconds at the rate."""
    attachments: int = 10
    """Binary attachments of one packet."""
    watched_channels: int = 64
    """Channels one connection may watch beside its memberships."""
    connections_per_person: int = 64
    """Open connections of one person on this node."""
    settling_ms: int = 1_000
    """How long after its commit an event may still be on its way to the connection's buffer: only a
    ping sent later than this proves anything about it."""


class TokenBucket:
    """So many at once, and so many per second afterwards."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, at: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = at

    def take(self, at: float, amount: float = 1.0) -> int:
        """0 when allowed (and counted), otherwise the milliseconds after which to ask again."""
        self._refill(at)
        if self._tokens >= amount:
            self._tokens -= amount
            return 0
        return max(1, math.ceil((amount - self._tokens) / self._rate * 1000))

    def _refill(self, at: float) -> None:
        if at > self._at:
            self._tokens = min(self._burst, self._tokens + (at - self._at) * self._rate)
            self._at = at


FORGET_EVERY = 8
"""So many new keys come before old ones are looked at."""

K = TypeVar("K")


class RateTable(Generic[K]):
    """One bucket per key in bounded memory: its tokens, and when they were counted.

    Full buckets are forgotten first. When all are in use the longest unused one goes, which can only
    be too generous to its owner, never unjust to another.
    """

    def __init__(self, clock: Clock, rate: float, burst: float, *, max_keys: int = 20_000) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._max_keys = max_keys
        self._newcomers = 0
        self._buckets: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: K, amount: float = 1.0) -> int:
        """0 when allowed (and counted), otherwise the milliseconds after which to ask again."""
        at, buckets = self._clock.monotonic(), self._buckets
        bucket = buckets.get(key)
        if bucket is None:
            tokens = self._burst
            self._newcomers += 1
            if self._newcomers >= FORGET_EVERY or len(buckets) >= self._max_keys:
                self._forget(at)
        else:
            tokens = self._refilled(bucket, at)
            buckets.move_to_end(key)
        is_allowed = tokens >= amount
        buckets[key] = (tokens - amount if is_allowed else tokens, at)
        return 0 if is_allowed else max(1, math.ceil((amount - tokens) / self._rate * 1000))

    def _refilled(self, bucket: tuple[float, float], at: float) -> float:
        tokens, counted_at = bucket
        return min(self._burst, tokens + max(0.0, at - counted_at) * self._rate)

    def _forget(self, at: float) -> None:
        # Twice as many may go as have come: what is idle leaves faster than keys can arrive.
        self._newcomers, buckets = 0, self._buckets
        for _ in range(2 * FORGET_EVERY):
            key, bucket = next(iter(buckets.items()))
            if len(buckets) < self._max_keys and self._refilled(bucket, at) < self._burst:
                return
            del buckets[key]
            if not buckets:
                return
