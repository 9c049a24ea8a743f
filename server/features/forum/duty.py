"""What the forum owes to people who are away: that somebody answered them. The notice names who and on
which board, never what was written; a subject is one person's mark of one post.
"""

from collections.abc import Mapping, Sequence

from server.directory import Directory
from server.features.forum.answers import DUTY
from server.features.forum.cards import name_of
from server.features.forum.documents import Board, Comment, Mark, Post
from server.features.forum.rights import may_see
from server.notify import Claim, Draft, Priority
from server.notify.texts import counted
from server.outbox import Owed
from server.storage import Max, Op, Store
from server.storage.document import from_doc

MOST_COUNTED = 100
"""Comments that are looked at for one notice."""


class ForumDuty:
    """Keeps the promise of `server.notify.Duty`."""

    kind = DUTY

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """The person of each mark that has something new and may still see it."""
        docs = await self._store.get_many(Mark.collection.name, [row.subject for row in owed])
        marks = [from_doc(Mark, doc) for doc in docs.values()]
        boards = await self._boards(marks)
        claims: dict[str, Sequence[Claim]] = {}
        for mark in marks:
            if self._may_see(mark, boards):
                claims[mark.id] = _claims(mark, await self._news(mark))
        return claims

    async def _boards(self, marks: Sequence[Mark]) -> dict[str, Board]:
        """The board of each mark's post, by post."""
        docs = await self._store.get_many(Post.collection.name, [mark.post_id for mark in marks])
        board_of = {id: doc["board_id"] for id, doc in docs.items()}
        boards = await self._store.get_many(Board.collection.name, list(set(board_of.values())))
        return {
            post_id: from_doc(Board, boards[board_id])
            for post_id, board_id in board_of.items()
            if board_id in boards
        }

    def _may_see(self, mark: Mark, boards: Mapping[str, Board]) -> bool:
        board = boards.get(mark.post_id)
        return board is not None and may_see(board, mark.person_id, self._directory)

    async def _news(self, mark: Mark) -> list[Comment]:
        """What answers the person and was neither seen, nor told, nor hidden since."""
        floor = max(mark.seen, mark.notified)
        if mark.answered <= floor:
            return []
        # Back from the newest answer: what is said to others may be more than is looked at.
        docs = await self._store.find(
            Comment.collection.name,
            "post",
            (mark.post_id,),
            gt=floor,
            lt=mark.answered + 1,
            reverse=True,
            limit=MOST_COUNTED,
        )
        comments = (from_doc(Comment, doc) for doc in reversed(docs))
        return [c for c in comments if mark.person_id in c.answers and not c.hidden]

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The notice, unless the post was opened, the answer hidden, or the board closed to the person."""
        doc = await self._store.get(Mark.collection.name, subject)
        mark = from_doc(Mark, doc) if doc is not None else None
        if mark is None or mark.person_id != person_id:
            return None
        boards = await self._boards([mark])
        news = await self._news(mark)
        if not news or not self._may_see(mark, boards):
            return None
        [claim] = _claims(mark, news)
        return Draft(
            title=f"论坛 · {boards[mark.post_id].title}",
            description=self._description(news),
            path=f"/forum/p/{mark.post_id}",
            upto=claim.upto,
            newest_at=claim.newest_at,
            after=claim.after,
            count=claim.count,
        )

    def _description(self, news: Sequence[Comment]) -> str:
        who = name_of(news[-1].author_id, self._directory)
        if len(news) == 1:
            return f"{who} 回复了你"
        return f"{who}等 {counted(len(news))} 条新回复"

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Whether the post was not opened since, and may still be."""
        doc = await self._store.get(Mark.collection.name, subject)
        mark = from_doc(Mark, doc) if doc is not None else None
        if mark is None or mark.person_id != person_id or mark.seen >= place:
            return False
        return self._may_see(mark, await self._boards([mark]))

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Raise how far the person was told."""
        return [Max(Mark.collection.name, subject, "notified", place) for place in upto.values()]


def _claims(mark: Mark, news: Sequence[Comment]) -> list[Claim]:
    """What a person is owed for these comments; nothing for none."""
    if not news:
        return []
    return [
        Claim(
            person_id=mark.person_id,
            upto=max(mark.answered, news[-1].number),
            after=max(mark.seen, mark.notified),
            first_at=news[0].commented_at,
            newest_at=news[-1].commented_at,
            count=len(news),
            priority=Priority.CHAT,
        )
    ]
