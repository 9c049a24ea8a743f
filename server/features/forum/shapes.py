"""The shapes that the forum's commands and events hold: boards, posts, comments.

What was hidden is told as a fact with its reason. Its words are empty for everybody but its author and
the moderators of the board.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from server.clock import Millis

CUT = 500
"""Characters of a post that a list shows."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
BoardTitle = Annotated[str, Meta(min_length=1, max_length=60)]
BoardAbout = Annotated[str, Meta(max_length=500)]
PostTitle = Annotated[str, Meta(max_length=100)]
PostText = Annotated[str, Meta(min_length=1, max_length=5_000)]
CommentText = Annotated[str, Meta(min_length=1, max_length=1_000)]
Reason = Annotated[str, Meta(max_length=200)]
Place = Annotated[int, Meta(ge=0, le=2**53)]
PageLimit = Annotated[int, Meta(ge=1, le=50)]


class BoardCard(msgspec.Struct, frozen=True, kw_only=True):
    """A board as the reader sees it. `posts` counts all that were ever written there."""

    board_id: str
    title: str
    about: str
    closed: bool
    posts: int
    last_posted_at: Millis | None
    moderates: bool
    may_post: bool


class PostCard(msgspec.Struct, frozen=True, kw_only=True):
    """A post. `number` counts the posts of its board from 1 without gaps. `cut`: the text goes on.
    `liked` is the reader's own. Of a hidden post, `by_moderator` tells a moderator's hiding from the
    author's taking back."""

    post_id: str
    board_id: str
    number: int
    author_id: str
    author_name: str
    title: str
    text: str
    cut: bool
    posted_at: Millis
    likes: int
    liked: bool
    comments: int
    hidden: bool
    by_moderator: bool
    reason: str


class CommentCard(msgspec.Struct, frozen=True, kw_only=True):
    """A comment. `number` counts the comments of its post from 1 without gaps; `reply_to` is the
    comment it replies to, `reply_to_name` who wrote that one."""

    comment_id: str
    number: int
    author_id: str
    author_name: str
    text: str
    commented_at: Millis
    reply_to: str | None
    reply_to_name: str
    hidden: bool
    by_moderator: bool
    reason: str


class AnswerCard(msgspec.Struct, frozen=True, kw_only=True):
    """A post in which somebody answered the reader: under the reader's post, or to a comment of the
    reader's. `about` is the post's title, or how its text begins. `unread`: not opened since."""

    post_id: str
    board_title: str
    about: str
    answered_by: str
    answered_by_name: str
    answered_at: Millis
    unread: bool
