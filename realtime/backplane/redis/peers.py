"""What a node knows of the others: that they live, what they need, and what they know of its own needs.

All of it is learned from their envelopes and forgotten when they fall silent. A node that is met for the
first time, or again, is taken to need everything until it has said what it needs.
"""

from collections.abc import Collection, Iterable

from realtime.backplane.redis.needs import Needs


class Peer:
    """Another node. `number` is that of its last envelope, `known` the stamp up to which it knows what is
    needed here; `needs` is None as long as those are not known."""

    __slots__ = ("asked", "heard_at", "known", "needs", "number")

    def __init__(self, number: int, heard_at: float) -> None:
        self.number = number
        self.heard_at = heard_at
        self.known = 0
        self.needs: Needs | None = None
        self.asked = False

    def may_need(self, places: Iterable[int]) -> bool:
        """Whether anything at one of these places may be heard there."""
        needs = self.needs
        return needs is None or any(place in needs for place in places)

    def forget_needs(self) -> None:
        """Something it said was lost, and it may have been this."""
        self.needs, self.asked = None, False


class Peers:
    """The other nodes by id.

    One that is quiet, for more than a beat or two, may have ended or may be cut off and still storing. It is
    told things, but nobody waits for it; when it speaks again it has to be assumed that something was missed.
    """

    def __init__(self, quiet_s: float, gone_s: float) -> None:
        self._quiet_s = quiet_s
        self._gone_s = gone_s
        self._peers: dict[str, Peer] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def greet(self, node_id: str, number: int, now: float) -> tuple[Peer, bool]:
        """The node that sent envelope `number`, and whether anything between it and this node may have
        been lost."""
        peer = self._peers.get(node_id)
        if peer is None:
            peer = self._peers[node_id] = Peer(number, now)
            return peer, True
        skipped = number != peer.number + 1
        if skipped:
            peer.forget_needs()
        was_quiet = self._is_quiet(peer, now)
        peer.number, peer.heard_at = number, now
        return peer, skipped or was_quiet

    def part(self, node_id: str) -> None:
        """A node has said farewell."""
        self._peers.pop(node_id, None)

    def forget_gone(self, now: float) -> list[str]:
        """Forget the nodes that were silent for too long; their ids."""
        limit = now - self._gone_s
        gone = [node_id for node_id, peer in self._peers.items() if peer.heard_at < limit]
        for node_id in gone:
            del self._peers[node_id]
        return gone

    def any_quiet(self, now: float) -> bool:
        """Whether a node may be storing what nobody hears of."""
        return any(self._is_quiet(peer, now) for peer in self._peers.values())

    def all_know(self, stamp: int, now: float) -> bool:
        """Whether every node that speaks knows what was needed here at a stamp."""
        return all(
            peer.known >= stamp or self._is_quiet(peer, now) for peer in self._peers.values()
        )

    def _is_quiet(self, peer: Peer, now: float) -> bool:
        return peer.heard_at < now - self._quiet_s

    def may_need(self, places: Collection[int]) -> bool:
        """Whether any node may hear something at one of these places."""
        return any(peer.may_need(places) for peer in self._peers.values())

    def who_may_need(self, places: Collection[int], now: float) -> set[str]:
        """The nodes that speak and may hear something at one of these places."""
        return {
            node_id
            for node_id, peer in self._peers.items()
            if peer.may_need(places) and not self._is_quiet(peer, now)
        }
