"""Conversations put into a store as if they had been held: for the sandbox and for benchmarks.

Everything is settled: nobody is owed a notice for what was seeded. The last lines of a conversation are
left unread by whoever did not write since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from realtime.channel import conversation_channel
from realtime.errors import Closing
from realtime.publisher import Publication
from server.auth import Actor
from server.clock import Clock, Millis
from server.features.chat.conversations import begin
from server.features.chat.documents import Conversation, Member, direct_id, member_id
from server.features.chat.protocol import MessageSent
from server.features.chat.shapes import Message, Text
from server.ids import new_id
from server.storage import Store
from server.work import UnitOfWork

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that was held. The first of `people` made it; `lines` are (person, minutes ago,
    text), oldest first; `unread` is how many of the last lines nobody else has read."""

    kind: Literal["direct", "group"]
    title: str
    people: tuple[str, ...]
    lines: tuple[tuple[str, int, str], ...]
    unread: int = 1


class Silence:
    """A publisher before there is anybody to tell."""

    def publish(self, publications: Sequence[Publication]) -> None:
        pass

    def disconnect(
        self, person_id: str, reason: Closing, *, session_ids: frozenset[str] | None = None
    ) -> None:
        pass


async def seed_talk(store: Store, clock: Clock, talks: Sequence[Talk]) -> None:
    """Hold the conversations."""
    for talk in talks:
        await _hold(store, clock.now(), talk)


async def _hold(store: Store, now: Millis, talk: Talk) -> None:
    oldest = max((ago for _, ago, _ in talk.lines), default=0) + 5
    work = _work(store, talk.people[0], now, oldest)
    direct = talk.kind == "direct"
    conversation = Conversation(
        id=direct_id(*talk.people) if direct else new_id(work.now),
        kind=talk.kind,
        created_at=work.now,
        title=talk.title,
        owner_id=None if direct else talk.people[0],
        people=tuple(sorted(talk.people)) if direct else (),
        member_count=len(talk.people),
    )
    await begin(work, conversation, talk.people)
    await work.commit(Silence())
    for place, (person_id, ago, text) in enumerate(talk.lines):
        work = _work(store, person_id, now, ago)
        _say(work, conversation, talk, text, place)
        await work.commit(Silence())


def _work(store: Store, person_id: str, now: Millis, minutes_ago: int) -> UnitOfWork:
    return UnitOfWork(store, Actor(person_id), Millis(now - minutes_ago * MINUTE_MS))


def _say(work: UnitOfWork, conversation: Conversation, talk: Talk, text: str, place: int) -> None:
    sender_id = work.actor.person_id
    message = Message(
        message_id=new_id(work.now),
        sender_id=sender_id,
        client_id=f"seed-{conversation.id}-{place}",
        content=Text(text=text),
        sent_at=work.now,
        seq=0,
    )
    entry = work.append(
        conversation_channel(conversation.id),
        MessageSent(conversation_id=conversation.id, message=message),
        id=message.message_id,
        idem=f"{sender_id}/{message.client_id}",
        numbered=True,
        digest="",
        text=text,
    )
    was_read = place < len(talk.lines) - talk.unread
    for person_id in talk.people:
        member = member_id(conversation.id, person_id)
        work.raise_to(Member, member, "notified_seq", entry.taking_seq)
        if was_read or person_id == sender_id:
            work.raise_to(Member, member, "read_seq", entry.taking_seq)
