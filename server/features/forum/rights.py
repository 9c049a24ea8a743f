"""Who may see a board, and who keeps it in order. To everybody else there is no such board, and nothing
of what is in it."""

from dataclasses import dataclass

from server.auth import Role
from server.directory import Directory, includes
from server.errors import ConflictRefused, NotFound
from server.features.forum.documents import Board, Comment, Post, Writing
from server.work import UnitOfWork

NO_BOARD = "there is no such board among yours"
NO_POST = "there is no such post on your boards"
NO_COMMENT = "there is no such comment on your boards"


@dataclass(frozen=True, slots=True)
class Reader:
    """The actor in a board that he or she may see."""

    person_id: str
    board: Board
    moderates: bool

    def may_read(self, writing: Writing) -> bool:
        """Whether the words may be shown to this reader."""
        return not writing.hidden or self.moderates or writing.author_id == self.person_id


def may_see(board: Board, person_id: str, directory: Directory) -> bool:
    """Whether somebody may see a board now: its audience, its moderators, the system's administrators."""
    roles = directory.roles_of(person_id)
    if roles is None:
        return False
    return (
        person_id in board.moderators
        or Role.SYSTEM_ADMIN in roles
        or includes(board.audience, person_id, directory)
    )


def reader_of(work: UnitOfWork, board: Board, directory: Directory) -> Reader | None:
    """The actor as reader of a board; None for whoever may not see it."""
    actor = work.actor
    moderates = actor.person_id in board.moderators or actor.has(Role.SYSTEM_ADMIN)
    if moderates or includes(board.audience, actor.person_id, directory):
        return Reader(actor.person_id, board, moderates)
    return None


async def board_reader(
    work: UnitOfWork, board_id: str, directory: Directory, *, missing: str = NO_BOARD
) -> Reader:
    """The actor as reader of the board of an id. Raises NotFound."""
    board = await work.get(Board, board_id)
    reader = reader_of(work, board, directory) if board is not None else None
    if reader is None:
        raise NotFound(missing)
    return reader


async def post_reader(
    work: UnitOfWork, post_id: str, directory: Directory, *, missing: str = NO_POST
) -> tuple[Reader, Post]:
    """A post, and the actor as reader of its board. Raises NotFound."""
    post = await work.get(Post, post_id)
    if post is None:
        raise NotFound(missing)
    return await board_reader(work, post.board_id, directory, missing=missing), post


async def comment_reader(
    work: UnitOfWork, comment_id: str, directory: Directory
) -> tuple[Reader, Comment]:
    """A comment, and the actor as reader of its board. Raises NotFound."""
    comment = await work.get(Comment, comment_id)
    if comment is None:
        raise NotFound(NO_COMMENT)
    reader, _ = await post_reader(work, comment.post_id, directory, missing=NO_COMMENT)
    return reader, comment


def check_shown(writing: Writing, what: str) -> None:
    """Raises ConflictRefused for what was taken from view: there is nothing to answer there."""
    if writing.hidden:
        raise ConflictRefused(f"this {what} is hidden; it can be neither liked nor answered now")


async def check_watching(work: UnitOfWork, channel: str, directory: Directory) -> None:
    """Whether the actor may hear a board's channel. Raises NotFound."""
    await board_reader(work, channel.partition(":")[2], directory)
