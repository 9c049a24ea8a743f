"""A forum for a sandbox: four boards with a few posts, by people as the directory has them.

Who writes is taken in order of id from those who may see the board, so that the same hospital has the
same forum. Nobody is owed a notice for it.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from server.auth import Role
from server.clock import Clock, Millis
from server.directory import Audience, Directory, people_of
from server.features.forum.cards import comment_card
from server.features.forum.documents import Board, Comment, Post
from server.features.forum.posts import keep_post
from server.features.forum.protocol import Commented
from server.features.forum.seed_talk import EVERYBODY, IDEAS, NURSING, WARD, Talk
from server.ids import made_id
from server.storage import Store
from server.work import SystemWork, UnitOfWork

HEAD_NURSE = "护士长"
HOUR_MS = 3_600_000
MINUTE_MS = 60_000


async def seed(store: Store, clock: Clock, directory: Directory, system: SystemWork) -> None:
    """Fill a store that has no boards yet, and knows people."""
    if await store.scan(Board.collection.name, limit=1) or not directory.active():
        return

    async def fill(work: UnitOfWork) -> None:
        for board, talks in _boards(directory):
            _fill(work, board, talks, directory, clock.now())

    await system.do(fill)


def _boards(directory: Directory) -> list[tuple[Board, Sequence[Talk]]]:
    everybody = Audience(everybody=True)
    ward_id, ward_name = _largest_department(directory)
    ward = Audience(department_ids=(ward_id,))
    nursing = Audience(department_ids=_departments_with_head_nurse(directory))
    made = (
        ("everybody", "全院交流区", "聊工作，也聊生活。请勿发布患者信息。", everybody, EVERYBODY),
        ("ideas", "意见建议", "说说哪里可以做得更好，职能部门会回复。", everybody, IDEAS),
        ("ward", f"{ward_name}交流区", "本科室内部交流。", ward, WARD),
        ("nursing", "护理园地", "护理经验、带教与排班交流。", nursing, NURSING),
    )
    return [
        (Board(id=id, title=title, about=about, audience=audience, order=10 * place), talks)
        for place, (id, title, about, audience, talks) in enumerate(made, 1)
    ]


def _largest_department(directory: Directory) -> tuple[str, str]:
    """Id and name of the department in which most people work directly."""
    departments = [branch.department for branch in directory.tree]
    largest = max(departments, key=lambda d: len(directory.members(d.id)))
    return largest.id, largest.name


def _departments_with_head_nurse(directory: Directory) -> tuple[str, ...]:
    posts = (post for person in directory.active() for post in person.posts)
    return tuple(sorted({post.department_id for post in posts if post.title == HEAD_NURSE}))


def _fill(
    work: UnitOfWork, board: Board, talks: Sequence[Talk], directory: Directory, now: Millis
) -> None:
    people = [id for id in sorted(people_of(board.audience, directory)) if _is_staff(id, directory)]
    if not people:
        work.put(board)
        return
    work.put(replace(board, moderators=(people[0],)))
    for place, talk in enumerate(talks):
        # One after another, so that no two neighbours are by the same people.
        cast = [people[(place * 3 + step) % len(people)] for step in range(len(talk.comments) + 1)]
        posted_at = Millis(now - talk.hours_ago * HOUR_MS)
        _hold(work, board, talk, cast, posted_at, directory)


def _is_staff(person_id: str, directory: Directory) -> bool:
    """Whether somebody is not one of the accounts that administer."""
    roles = directory.roles_of(person_id) or frozenset()
    return Role.SYSTEM_ADMIN not in roles


def _hold(
    work: UnitOfWork,
    board: Board,
    talk: Talk,
    cast: Sequence[str],
    posted_at: Millis,
    directory: Directory,
) -> None:
    post = Post(
        id=made_id(Post.collection.name, board.id, f"seed-{talk.hours_ago}"),
        board_id=board.id,
        author_id=cast[0],
        title=talk.title,
        text=talk.text,
        posted_at=posted_at,
        comments=len(talk.comments),
    )
    keep_post(work, board, post, directory)
    for number, (author_id, text) in enumerate(zip(cast[1:], talk.comments, strict=True), 1):
        comment = Comment(
            id=made_id(Comment.collection.name, post.id, str(number)),
            post_id=post.id,
            number=number,
            author_id=author_id,
            text=text,
            commented_at=Millis(posted_at + number * 7 * MINUTE_MS),
        )
        work.insert(comment)
        card = comment_card(comment, directory)
        told = Commented(post_id=post.id, comment=card, comments=number)
        work.append(board.channel, told, id=comment.id)
