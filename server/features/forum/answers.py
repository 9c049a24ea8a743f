"""Who was answered where: the marks of people under whose post, or to whose comment, somebody wrote.

A mark is made with the first answer and is the subject of one notice at a time. Opening the post settles
it; only the fact that something is new goes to the person's own channel, never what was written.
"""

from msgspec.structs import replace

from realtime.channel import person_channel
from server.directory import Directory
from server.features.forum.cards import name_of
from server.features.forum.documents import Board, Comment, Mark, Post, of_person
from server.features.forum.protocol import AnsweredToMe, AnswersToMe, ListAnswersToMe
from server.features.forum.rights import Reader, may_see, reader_of
from server.features.forum.shapes import AnswerCard
from server.settings import Settings
from server.work import UnitOfWork

DUTY = "forum"
MOST_ANSWERS = 50
ABOUT = 60
"""Characters of a post without title that stand for one."""


def answered(post: Post, replied: Comment | None, author_id: str) -> tuple[str, ...]:
    """The people a new comment is news to: who wrote the post, and who wrote what it replies to."""
    people = dict.fromkeys([post.author_id, *([replied.author_id] if replied else [])])
    return tuple(person for person in people if person != author_id)


async def tell(
    work: UnitOfWork, board: Board, comment: Comment, directory: Directory, settings: Settings
) -> None:
    """Mark the post as answered for everybody a new comment is news to, and owe them a notice."""
    people = [person for person in comment.answers if may_see(board, person, directory)]
    ids = {person: of_person(comment.post_id, person) for person in people}
    marks = await work.get_many(Mark, list(ids.values()))
    for person, id in ids.items():
        # What came before the first answer was not for this person.
        before = comment.number - 1
        mark = marks.get(id)
        work.put(
            Mark(
                id=id,
                person_id=person,
                post_id=comment.post_id,
                answered=comment.number,
                answered_by=comment.author_id,
                answered_at=comment.commented_at,
                seen=mark.seen if mark else before,
                notified=mark.notified if mark else before,
            )
        )
        _tell_person(work, person, comment.post_id, unread=True)
        work.owe(DUTY, id, due_in_ms=settings.notice_first_seconds * 1000)


async def see(work: UnitOfWork, post: Post) -> None:
    """The actor has opened a post, with all the comments that it has now."""
    mark = await work.get(Mark, of_person(post.id, work.actor.person_id))
    if mark is not None and mark.unread and post.comments > mark.seen:
        seen = replace(mark, seen=post.comments)
        work.put(seen)
        _tell_person(work, mark.person_id, post.id, unread=seen.unread)


def _tell_person(work: UnitOfWork, person_id: str, post_id: str, *, unread: bool) -> None:
    event = AnsweredToMe(post_id=post_id, unread=unread)
    work.append(person_channel(person_id), event, key=f"forum.answered:{post_id}")


async def list_answers_to_me(
    command: ListAnswersToMe, work: UnitOfWork, directory: Directory
) -> AnswersToMe:
    """The actor's marks, newest first, on boards he or she may still see."""
    marks = await work.query(Mark, "person", work.actor.person_id, reverse=True, limit=MOST_ANSWERS)
    posts = await work.get_many(Post, [mark.post_id for mark in marks])
    boards = await work.get_many(Board, list({post.board_id for post in posts.values()}))
    readers = {board.id: reader_of(work, board, directory) for board in boards.values()}
    return AnswersToMe(
        answers=[
            _card(mark, posts[mark.post_id], reader, directory)
            for mark in marks
            if (reader := readers[posts[mark.post_id].board_id]) is not None
        ]
    )


def _card(mark: Mark, post: Post, reader: Reader, directory: Directory) -> AnswerCard:
    about = post.title or " ".join(post.text.split())[:ABOUT]
    return AnswerCard(
        post_id=post.id,
        board_title=reader.board.title,
        about=about if reader.may_read(post) else "",
        answered_by=mark.answered_by,
        answered_by_name=name_of(mark.answered_by, directory),
        answered_at=mark.answered_at,
        unread=mark.unread,
    )
