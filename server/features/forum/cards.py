"""From what is kept to what a reader is shown: the one place where hidden words are left out."""

from server.directory import Directory
from server.features.forum.documents import Comment, Post
from server.features.forum.rights import Reader
from server.features.forum.shapes import CUT, CommentCard, PostCard


def post_card(
    post: Post,
    directory: Directory,
    reader: Reader | None = None,
    *,
    liked: bool = False,
    whole: bool = False,
) -> PostCard:
    """A post for a reader; without one, as everybody who looks at the board may be told of it."""
    readable = reader.may_read(post) if reader else not post.hidden
    text = post.text if readable else ""
    return PostCard(
        post_id=post.id,
        board_id=post.board_id,
        number=post.number,
        author_id=post.author_id,
        author_name=name_of(post.author_id, directory),
        title=post.title if readable else "",
        text=text if whole else text[:CUT],
        cut=not whole and len(text) > CUT,
        posted_at=post.posted_at,
        likes=post.likes,
        liked=liked,
        comments=post.comments,
        hidden=post.hidden,
        by_moderator=post.by_moderator,
        reason=post.hidden_reason,
    )


def comment_card(
    comment: Comment, directory: Directory, reader: Reader | None = None
) -> CommentCard:
    """A comment for a reader; without one, as everybody may be told of it."""
    readable = reader.may_read(comment) if reader else not comment.hidden
    return CommentCard(
        comment_id=comment.id,
        number=comment.number,
        author_id=comment.author_id,
        author_name=name_of(comment.author_id, directory),
        text=comment.text if readable else "",
        commented_at=comment.commented_at,
        reply_to=comment.reply_to,
        reply_to_name=name_of(comment.reply_to_author, directory) if comment.reply_to else "",
        hidden=comment.hidden,
        by_moderator=comment.by_moderator,
        reason=comment.hidden_reason,
    )


def name_of(person_id: str, directory: Directory) -> str:
    """What somebody is called, or was."""
    person = directory.person(person_id)
    return person.name if person is not None else person_id
