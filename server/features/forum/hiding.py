"""Taking posts and comments from view, and showing them again.

Authors take back their own words, moderators hide those of others and say why. The two are kept apart:
what is shown is what neither has hidden, and nobody undoes the other's act. An author who moderates the
board is an author to the own words. The words leave the log at once; the document keeps them for the
author and the moderators.
"""

from typing import TypeVar

from msgspec.structs import replace

from realtime.protocol import Event
from server.directory import Directory
from server.errors import Forbidden, Invalid
from server.features.forum.cards import comment_card, post_card
from server.features.forum.documents import Comment, Post, Writing
from server.features.forum.protocol import Commented, Hidden, HiddenNow, Hide, Posted
from server.features.forum.rights import Reader, comment_reader, post_reader
from server.work import UnitOfWork

W = TypeVar("W", bound=Writing)


async def hide(command: Hide, work: UnitOfWork, directory: Directory) -> HiddenNow:
    """Hide or show one post or one comment. What is already as asked is answered and told nobody."""
    if (command.post_id is None) == (command.comment_id is None):
        raise Invalid("name either a post or a comment - at `$.post_id`")
    if command.comment_id is not None:
        reader, comment = await comment_reader(work, command.comment_id, directory)
        after = _changed(comment, command, reader)
        if after != comment:
            _keep_comment(work, reader, after, directory)
        return _answer(after)
    reader, post = await post_reader(work, command.post_id or "", directory)
    wanted = _changed(post, command, reader)
    if wanted != post:
        _keep_post(work, reader, wanted, directory)
    return _answer(wanted)


def _answer(writing: Writing) -> HiddenNow:
    return HiddenNow(
        hidden=writing.hidden, by_moderator=writing.by_moderator, reason=writing.hidden_reason
    )


def _changed(writing: W, command: Hide, reader: Reader) -> W:
    """The words as their author or a moderator wants them. Raises Forbidden or Invalid."""
    if writing.author_id == reader.person_id:
        if not command.hidden and writing.by_moderator:
            raise Forbidden("a moderator has hidden this; only a moderator shows it again")
        return replace(writing, withdrawn=command.hidden)
    if not reader.moderates:
        raise Forbidden("only its author and the moderators of the board may do this")
    reason = " ".join(command.reason.split())
    if command.hidden and not reason:
        raise Invalid("hiding what somebody wrote needs a reason - at `$.reason`")
    if not command.hidden and writing.withdrawn and not writing.by_moderator:
        raise Forbidden("its author has taken this back; only the author shows it again")
    return replace(writing, hidden_reason=reason if command.hidden else "")


def _keep_post(work: UnitOfWork, reader: Reader, post: Post, directory: Directory) -> None:
    card = post_card(post, directory)
    told = Hidden(
        post_id=post.id,
        comment_id=None,
        hidden=card.hidden,
        by_moderator=card.by_moderator,
        reason=card.reason,
        title=card.title,
        text=card.text,
        cut=card.cut,
    )
    _keep(work, reader, post, told, as_logged=Posted(post=card))


def _keep_comment(work: UnitOfWork, reader: Reader, comment: Comment, directory: Directory) -> None:
    card = comment_card(comment, directory)
    told = Hidden(
        post_id=comment.post_id,
        comment_id=comment.id,
        hidden=card.hidden,
        by_moderator=card.by_moderator,
        reason=card.reason,
        text=card.text,
    )
    logged = Commented(post_id=comment.post_id, comment=card, comments=comment.number)
    _keep(work, reader, comment, told, as_logged=logged)


def _keep(
    work: UnitOfWork, reader: Reader, writing: Writing, told: Hidden, *, as_logged: Event
) -> None:
    """Store it, change what the log says of it, tell it, and record who did it and why.

    The telling has a key: words that were shown again leave the log when they are hidden once more.
    """
    work.put(writing)
    work.require(reader.board, unchanged=True)
    work.patch_entry(writing.id, as_logged)
    work.append(reader.board.channel, told, key=f"hidden:{writing.id}")
    own = writing.author_id == reader.person_id
    work.record(
        "forum.hide" if (writing.withdrawn if own else writing.by_moderator) else "forum.restore",
        writing.id,
        board_id=reader.board.id,
        by="author" if own else "moderator",
        reason="" if own else writing.hidden_reason,
    )
