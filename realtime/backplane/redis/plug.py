"""One node's plug into the line over Redis: who is told what, and what is to be thought of what is heard.

Losses show: as a missing number of a sender, a node that was not known or was quiet, an echo that does not
come, a connection that failed. Then this node is in doubt: it says anew what it needs and, once the others
know it, has its receiver ask storage (`missed_some`); as long as they do not, it does so at every beat.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from realtime.application import Reach
from realtime.backplane import Receiver
from realtime.backplane.redis.envelope import (
    NODE_ID_BYTES,
    Answer,
    AnyNote,
    BadEnvelope,
    EndConnections,
    Envelope,
    Farewell,
    Known,
    NeedsAll,
    NeedsChanged,
    OtherVersion,
    Question,
    WhoAreYou,
    head_of,
    opened,
)
from realtime.backplane.redis.metrics import LineMetrics
from realtime.backplane.redis.needs import Needs, OwnNeeds, place_of
from realtime.backplane.redis.peers import Peer, Peers
from realtime.backplane.redis.questions import Questions
from realtime.backplane.redis.wire import Deaf, Pace, RedisWire
from realtime.backplane.redis.words import Words
from realtime.channel import person_channel
from realtime.errors import Closing
from realtime.publisher import Publication
from realtime.tasks import ended

log = logging.getLogger("realtime.backplane")

Answers = Callable[[Collection[str], int | None], dict[str, Reach]]
"""What is known here of people when another node asks; those who are away are left out."""
_CLOSINGS = {closing.reason: closing for closing in Closing}


class RedisBackplane:
    """Keeps the promise of `Backplane`. `start` begins a task that `stop` ends."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "yuanxin",
        pace: Pace | None = None,
        metrics: LineMetrics | None = None,
    ) -> None:
        self.answers: Answers | None = None
        self.metrics = metrics or LineMetrics()
        self._pace = pace = pace or Pace()
        self._node_id = secrets.token_hex(NODE_ID_BYTES // 2)
        self._head = head_of(self._node_id)
        self._wire = RedisWire(url, name, pace, self)
        self._words = Words(self._head, self.metrics)
        self._needs = OwnNeeds()
        self._peers = Peers(2.5 * pace.beat_s, pace.gone_s)
        self._questions = Questions()
        self._receiver: Receiver | None = None
        self._task: asyncio.Task[None] | None = None
        self._echo = asyncio.Event()
        self._echoes = 0
        self._echoed_at = 0.0
        self._doubt: int | None = None
        self._learned = asyncio.Event()

    # -- what the hub asks ---------------------------------------------------------------------------

    async def start(self, receiver: Receiver) -> None:
        """Begin to connect; does not wait for Redis."""
        self._receiver = receiver
        self._task = asyncio.create_task(self._wire.run(), name="line between nodes")

    async def stop(self) -> None:
        """Say what is still to be said, and leave."""
        if self._task is None:
            return
        self._words.note(Farewell())
        await self._said()
        await ended(self._task)
        self._task, self._receiver = None, None

    def broadcast(self, publications: Sequence[Publication]) -> None:
        """Tell the other nodes what any of them may need."""
        if self._peers:
            told = [p for p in publications if self._peers.may_need([*_places(p)])]
            if told:
                self._words.publish(told)

    def disconnect(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        """Tell all other nodes to end connections of a person."""
        sessions = None if session_ids is None else tuple(session_ids)
        self._words.note(EndConnections(person_id, reason.reason, sessions))

    def need(self, channel: str, needed: bool) -> None:
        """A channel is heard here from now on, or no longer."""
        self._needs.set(channel, needed)
        if self._needs.untold:
            self._words.speak()

    async def announced(self) -> None:
        """Wait, for a moment at most, until the other nodes know what is needed here."""
        stamp = self._needs.latest
        try:
            async with asyncio.timeout(self._pace.announce_s):
                while self._words.is_open and not self._peers.all_know(stamp, time.monotonic()):
                    await self._learned.wait()
        except TimeoutError:
            self._doubt = max(stamp, self._doubt or 0)

    @property
    def is_sound(self) -> bool:
        """Whether everything the others tell arrives, as far as can be known."""
        if not self._words.is_open or self._doubt is not None:
            return False
        return not self._peers.any_quiet(time.monotonic())

    @property
    def nodes(self) -> int:
        """How many other nodes were heard of late."""
        return len(self._peers)

    @property
    def channel(self) -> str:
        """The Redis channel of the line."""
        return self._wire.channel

    @property
    def fault(self) -> str:
        """Why the line is down; empty while it is up."""
        return self._wire.fault

    # -- what presence asks --------------------------------------------------------------------------

    async def ask(self, people: Collection[str], since: int | None) -> Mapping[str, Reach]:
        """How far what was committed at `since` has come to people on other nodes (without: who is there
        at all); whoever is not named is away."""
        places = [place_of(person_channel(person_id)) for person_id in people]
        return await self._questions.ask(
            self._peers.who_may_need(places, time.monotonic()),
            lambda id: self._words.note(Question(id, list(people), since)),
            self._pace.answer_s,
        )

    # -- what the wire tells -------------------------------------------------------------------------

    async def next_words(self) -> bytes:
        """The next envelope to send."""
        await self._words.wait()
        if self._needs.untold:
            self._words.note(self._needs.take())
        return self._words.seal()

    def hear(self, data: bytes) -> None:
        """An envelope has come, which may be anybody's."""
        if data.startswith(self._head):
            self._echoes += 1
            self._echoed_at = time.monotonic()
            self._echo.set()
            return
        try:
            sender, envelope = opened(data)
            self._read(sender, envelope)
        except OtherVersion as other:
            self._refuse(other)
            self._tell_receiver()
        except BadEnvelope as bad:
            self._refuse(bad)
        except Exception:  # One envelope must not end the line; what it said is lost.
            log.exception("an envelope could not be handled")
            self._suspect()

    def beat(self) -> None:
        """Show that this node lives, and look whether it hears and who is gone."""
        now = time.monotonic()
        if now - self._echoed_at > self._pace.deaf_s:
            raise Deaf("nothing is heard of what is sent")
        for node_id in self._peers.forget_gone(now):
            log.warning("a node is silent and taken for gone", extra={"node": node_id})
        self.metrics.nodes = len(self._peers)
        self._know()
        if self._doubt is not None:
            self._tell_receiver()
        self._words.speak()

    def up(self) -> None:
        """Connected: what was told meanwhile was missed."""
        self._echoes, self._echoed_at = 0, time.monotonic()
        self._words.open()
        self.metrics.connects += 1
        self.metrics.connected = 1
        self._suspect()

    def down(self) -> None:
        """No longer connected: nobody is heard, nobody hears."""
        self._words.close()
        self.metrics.connected = 0
        self._know()

    # -- inside --------------------------------------------------------------------------------------

    def _read(self, sender: str, envelope: Envelope) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        peer, lost = self._peers.greet(sender, envelope.number, time.monotonic())
        if lost:
            self._suspect()
        self.metrics.envelopes_heard += 1
        if envelope.publications:
            self.metrics.publications_heard += len(envelope.publications)
            receiver.deliver(envelope.publications)
        for note in envelope.notes:
            self._read_note(receiver, sender, peer, note)
        if peer.needs is None and not peer.asked:
            peer.asked = True
            self._words.note(WhoAreYou(sender))
        self.metrics.nodes = len(self._peers)

    def _read_note(self, receiver: Receiver, sender: str, peer: Peer, note: AnyNote) -> None:
        match note:
            case EndConnections(person_id, reason, sessions):
                if reason in _CLOSINGS:
                    chosen = None if sessions is None else frozenset(sessions)
                    receiver.close_connections(person_id, _CLOSINGS[reason], chosen)
            case NeedsAll(stamp, packed):
                peer.needs = Needs(packed)
                self._words.note(Known(sender, stamp))
            case NeedsChanged(stamp, added, removed) if peer.needs is not None:
                peer.needs.change(added, removed)
                self._words.note(Known(sender, stamp))
            case Known(self._node_id, stamp):
                peer.known = stamp
                self._know()
            case WhoAreYou(self._node_id):
                self._suspect()
            case Question(id, people, since) if self.answers is not None:
                self._words.note(Answer(sender, id, self.answers(people, since)))
            case Answer(self._node_id, id, found):
                self._questions.answered(id, sender, found)
            case Farewell():
                self._peers.part(sender)
                self._know()

    def _suspect(self) -> None:
        """Something may have been missed: see to it that nothing more is, then ask storage."""
        self.metrics.doubts += 1
        self._needs.tell_all()
        self._doubt = self._needs.latest
        self._words.speak()
        self._know()

    def _know(self) -> None:
        """The others, or what they know, may have changed."""
        self._learned.set()
        self._learned = asyncio.Event()
        if self._doubt is not None and self._peers.all_know(self._doubt, time.monotonic()):
            self._doubt = None
            self._tell_receiver()

    def _tell_receiver(self) -> None:
        if self._receiver is not None:
            self._receiver.missed_some()

    def _refuse(self, bad: BadEnvelope) -> None:
        self.metrics.envelopes_refused += 1
        if self.metrics.envelopes_refused.bit_count() == 1:  # The 1st, 2nd, 4th, 8th, …
            log.warning("an envelope is refused: %s", bad)

    async def _said(self) -> None:
        """Wait, for a moment at most, until all that was said has come back."""
        try:
            async with asyncio.timeout(self._pace.answer_s):
                while self._words.is_open and (
                    self._words.are_waiting or self._echoes < self._words.spoken
                ):
                    self._echo.clear()
                    await self._echo.wait()
        except TimeoutError:
            log.info("the last words to the other nodes may be lost")


def _places(publication: Publication) -> Iterator[int]:
    """Where it may be needed: its channel, and the people it brings in or takes out."""
    yield place_of(publication.channel)
    for person_id in (*publication.joins, *publication.leaves):
        yield place_of(person_channel(person_id))
