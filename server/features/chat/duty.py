"""What chat owes to members who are away: the messages of others that they neither read nor were shown.

A member is settled up to the highest of what he or she has read, was notified of, and joined after. A
muted conversation owes only what mentions the member.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from realtime.channel import conversation_channel
from server.clock import Millis
from server.directory import Directory
from server.features.chat.documents import Conversation, Member, member_id
from server.features.chat.messages import to_message
from server.features.chat.shapes import MEMBER_LIMIT, Message, Recalled
from server.notify import Claim, Draft, Priority
from server.notify.texts import message_description
from server.outbox import Owed
from server.settings import Settings
from server.storage import Doc, Max, Op, Store
from server.storage.document import from_doc
from server.work import LogReader

LOOK_BACK = 20
"""How many messages back a claim looks; what is older is counted, not looked at."""
FURTHER_BACK = 200
"""Messages read at once where all of those were recalled, to find one that was not."""
FURTHEST = 2_000
MOST_FIRSTS = 8
"""Reads of a conversation for members who stand before the messages looked at."""


class ChatDuty:
    """Keeps the promises of `server.notify.Duty`, `Skimming` and `Quoting` for conversations."""

    kind = "chat"

    def __init__(self, store: Store, directory: Directory, settings: Settings) -> None:
        self._store = store
        self._log = LogReader(store)
        self._directory = directory
        self._settings = settings

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """Who has not seen the newest messages, by conversation."""
        ids = [row.subject for row in owed]
        conversations = await self._conversations(ids)
        return {id: await self._claims(c) for id, c in conversations.items()}

    async def skim(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """By the marks and the last message of each conversation, most of them read together."""
        conversations = await self._conversations([row.subject for row in owed])
        members = await self._members(list(conversations.values()))
        channels = [conversation_channel(id) for id in conversations]
        last = await self._log.newest_numbered(channels)
        return {
            id: [
                _skimmed(conversation, member, last[channel])
                for member in members[id]
                if _floor(member) < last[channel]["seq"]
            ]
            for channel, (id, conversation) in zip(channels, conversations.items(), strict=True)
            if channel in last
        }

    async def _members(self, conversations: Sequence[Conversation]) -> dict[str, list[Member]]:
        """Of direct conversations it is known who they are."""
        found: dict[str, list[Member]] = {}
        direct: list[str] = []
        for conversation in conversations:
            id = conversation.id
            found[id] = [] if conversation.people else await self._members_of(id)
            direct += [member_id(id, person) for person in conversation.people]
        there = await self._store.get_many(Member.collection.name, direct) if direct else {}
        for member in self._working(there.values()):
            found[member.conversation_id].append(member)
        return found

    async def _members_of(self, conversation_id: str) -> list[Member]:
        docs = await self._store.find(
            Member.collection.name, "conversation", (conversation_id,), limit=MEMBER_LIMIT
        )
        return self._working(docs)

    def _working(self, docs: Iterable[Doc]) -> list[Member]:
        """Members without those who have left the hospital: they stay in its groups, owed nothing."""
        members = (from_doc(Member, doc) for doc in docs)
        return [member for member in members if self._works_here(member.person_id)]

    def _works_here(self, person_id: str) -> bool:
        person = self._directory.person(person_id)
        return person is not None and not person.is_retired

    async def _conversations(self, ids: Sequence[str]) -> dict[str, Conversation]:
        docs = await self._store.get_many(Conversation.collection.name, ids)
        return {id: from_doc(Conversation, doc) for id, doc in docs.items()}

    async def _claims(self, conversation: Conversation) -> list[Claim]:
        members = await self._members_of(conversation.id)
        recent = await self._recent(conversation.id, min(map(_floor, members), default=0))
        if not recent:
            return []
        before = {floor for floor in map(_floor, members) if floor + 1 < recent[0].seq}
        firsts = await self._firsts(conversation.id, before)
        claims = (_claim(conversation, m, recent, firsts.get(_floor(m))) for m in members)
        return [claim for claim in claims if claim is not None]

    async def _recent(self, conversation_id: str, after: int) -> list[Message]:
        """The newest messages after a number, oldest first, one that was not recalled among them.

        Nobody has written after the own floor, so one that is not recalled is news to whoever
        stands before it.
        """
        recent: list[Message] = []
        before, limit = None, LOOK_BACK
        while len(recent) < FURTHEST:
            channel = conversation_channel(conversation_id)
            entries = await self._log.numbered(
                channel, after=after, before=before, newest_first=True, limit=limit
            )
            page = [to_message(entry) for entry in reversed(entries)]
            recent = page + recent
            if len(page) < limit or any(message.recalled_at is None for message in page):
                break
            before, limit = page[0].seq, FURTHER_BACK
        return recent

    async def _firsts(self, conversation_id: str, floors: Collection[int]) -> dict[int, Millis]:
        """When the message after each of these places was sent; at worst an earlier moment.

        In a lively conversation the newest messages are always new: how long somebody has been
        waiting is told by the first one. After a few reads the others have the last moment read.
        """
        firsts: dict[int, Millis] = {}
        channel, at = conversation_channel(conversation_id), Millis(0)
        for number, floor in enumerate(sorted(floors)):
            if number < MOST_FIRSTS:
                first = await self._log.by_number(channel, floor + 1)
                at = to_message(first).sent_at if first else at
            firsts[floor] = at
        return firsts

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The notice as it would be now; None when the person has left, read, or muted meanwhile."""
        doc = await self._store.get(Member.collection.name, member_id(subject, person_id))
        conversation = (await self._conversations([subject])).get(subject)
        if doc is None or conversation is None or not self._works_here(person_id):
            return None
        member = from_doc(Member, doc)
        recent = await self._recent(subject, _floor(member))
        claim = _claim(conversation, member, recent)
        if claim is None or claim.muted:
            return None
        newest = _from_others(recent, member)[-1]
        return Draft(
            title=self._title(conversation, person_id),
            description=self._description(conversation, member, newest, claim.count),
            path=f"/c/{subject}",
            upto=claim.upto,
            newest_at=claim.newest_at,
            after=claim.after,
            count=claim.count,
            named=claim.named,
            quotes=newest.seq if self._settings.notice_show_text else 0,
        )

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Whether a member has not read so far."""
        doc = await self._store.get(Member.collection.name, member_id(subject, person_id))
        return doc is not None and from_doc(Member, doc).read_seq < place

    async def may_quote(self, subject: str, place: int) -> bool:
        """Until the message is recalled, or the hospital wants no texts shown any more."""
        entry = await self._log.by_number(conversation_channel(subject), place)
        recalled = entry is None or to_message(entry).recalled_at is not None
        return self._settings.notice_show_text and not recalled

    def _title(self, conversation: Conversation, person_id: str) -> str:
        other = conversation.other(person_id)
        return conversation.title if other is None else self._name(other)

    def _description(
        self, conversation: Conversation, member: Member, newest: Message, count: int
    ) -> str:
        shown = self._settings.notice_show_text and not isinstance(newest.content, Recalled)
        return message_description(
            "zh",
            self._name(newest.sender_id),
            count,
            group=conversation.kind == "group",
            text=newest.content.text if shown and not isinstance(newest.content, Recalled) else "",
            mentioned=_mentioned(conversation, member),
        )

    def _name(self, person_id: str) -> str:
        person = self._directory.person(person_id)
        return person.name if person is not None else person_id

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Raise the marks of those who are still members."""
        wanted = {member_id(subject, person): place for person, place in upto.items()}
        there = await self._store.get_many(Member.collection.name, list(wanted))
        return [
            Max(Member.collection.name, id, "notified_seq", wanted[id])
            for id, doc in there.items()
            if doc.get("notified_seq", 0) < wanted[id]
        ]


def _floor(member: Member) -> int:
    """Up to where nothing is owed to a member."""
    return max(member.read_seq, member.notified_seq, member.joined_seq)


def _mentioned(conversation: Conversation, member: Member) -> bool:
    return max(member.mentioned_seq, conversation.mention_all_seq) > _floor(member)


def _named(member: Member) -> bool:
    """By name; what is said to everybody is not."""
    return member.mentioned_seq > _floor(member)


def _from_others(recent: Sequence[Message], member: Member) -> list[Message]:
    """What a member has not seen and might want to: not his or her own, not recalled."""
    return [
        message
        for message in recent
        if message.seq > _floor(member)
        and message.sender_id != member.person_id
        and message.recalled_at is None
    ]


def _skimmed(conversation: Conversation, member: Member, last: Doc) -> Claim:
    return Claim(
        person_id=member.person_id,
        upto=last["seq"],
        first_at=0,
        newest_at=last["at"],
        muted=member.muted and not _mentioned(conversation, member),
    )


def _claim(
    conversation: Conversation,
    member: Member,
    recent: Sequence[Message],
    first_at: Millis | None = None,
) -> Claim | None:
    """What a member is owed; `first_at` is when it began, if that lies before `recent`."""
    unseen = _from_others(recent, member)
    if not unseen:
        return None
    floor, before = _floor(member), recent[0].seq - 1
    return Claim(
        person_id=member.person_id,
        upto=recent[-1].seq,
        after=floor,
        first_at=unseen[0].sent_at if first_at is None else first_at,
        newest_at=unseen[-1].sent_at,
        count=len(unseen) + max(0, before - floor),
        priority=Priority.CHAT,
        named=_named(member),
        muted=member.muted and not _mentioned(conversation, member),
    )
