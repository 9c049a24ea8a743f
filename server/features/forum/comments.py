"""Comments on a post, and replies to them."""

from msgspec.structs import replace

from server.directory import Directory
from server.errors import NotFound
from server.features.forum.answers import answered, tell
from server.features.forum.cards import comment_card
from server.features.forum.documents import Comment, Post
from server.features.forum.posts import check_repeat, readable
from server.features.forum.protocol import Commented, CommentWritten, WriteComment
from server.features.forum.rights import NO_COMMENT, check_shown, post_reader
from server.ids import made_id
from server.settings import Settings
from server.work import UnitOfWork


async def write_comment(
    command: WriteComment, work: UnitOfWork, directory: Directory, settings: Settings
) -> CommentWritten:
    """Keep a comment under the next number of its post, tell who looks, and owe it to whom it answers."""
    text = readable(command.text)
    reader, post = await post_reader(work, command.post_id, directory)
    id = made_id(Comment.collection.name, reader.person_id, command.client_id)
    first = await work.get(Comment, id)
    if first is not None:
        asked = (post.id, text, command.reply_to)
        check_repeat((first.post_id, first.text, first.reply_to), asked)
        card = comment_card(first, directory, reader)
        return CommentWritten(comment=card, comments=post.comments)
    check_shown(post, "post")
    replied = await _replied(work, post, command.reply_to)
    comment = Comment(
        id=id,
        post_id=post.id,
        number=post.comments + 1,
        author_id=reader.person_id,
        text=text,
        commented_at=work.now,
        reply_to=command.reply_to,
        reply_to_author=replied.author_id if replied else "",
        answers=answered(post, replied, reader.person_id),
    )
    card = comment_card(comment, directory)
    told = Commented(post_id=post.id, comment=card, comments=comment.number)
    work.insert(comment)
    work.put(replace(post, comments=comment.number))
    work.require(reader.board, unchanged=True)
    work.append(reader.board.channel, told, id=comment.id)
    work.record("forum.comment", comment.id, post_id=post.id)
    await tell(work, reader.board, comment, directory, settings)
    return CommentWritten(comment=card, comments=comment.number)


async def _replied(work: UnitOfWork, post: Post, comment_id: str | None) -> Comment | None:
    """The comment that is replied to. Raises NotFound when it is not one of this post."""
    if comment_id is None:
        return None
    comment = await work.get(Comment, comment_id)
    if comment is None or comment.post_id != post.id:
        raise NotFound(NO_COMMENT)
    check_shown(comment, "comment")
    return comment
