"""What crosses the socket for the forum."""

from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis
from server.directory import Audience
from server.features.forum.shapes import (
    AnswerCard,
    BoardAbout,
    BoardCard,
    BoardTitle,
    CommentCard,
    CommentText,
    Id,
    PageLimit,
    Place,
    PostCard,
    PostText,
    PostTitle,
    Reason,
)


class ListBoards(Command, frozen=True):
    """The boards the actor may see."""

    wire_name: ClassVar[str] = "forum.boards"


class Boards(Result, frozen=True):
    """Boards in the hospital's order."""

    boards: list[BoardCard]


class SaveBoard(Command, frozen=True):
    """Change the board of `board_id` to be as given here, or make one: under a `client_id`, which makes
    one board however often it comes."""

    wire_name: ClassVar[str] = "forum.save_board"
    title: BoardTitle
    audience: Audience
    board_id: Id | None = None
    client_id: Id | None = None
    about: BoardAbout = ""
    moderators: Annotated[list[Id], Meta(max_length=50)] = []
    order: Annotated[int, Meta(ge=0, le=10_000)] = 100
    closed: bool = False


class BoardSaved(Result, frozen=True):
    """Which board it is."""

    board_id: str


class ShowBoardSettings(Command, frozen=True):
    """How a board is set up, for whoever may change it."""

    wire_name: ClassVar[str] = "forum.board"
    board_id: Id


class BoardSettings(Result, frozen=True):
    """A board's set-up. People who have left are not named any more."""

    board_id: str
    title: str
    about: str
    audience: Audience
    moderators: list[str]
    order: int
    closed: bool


class WritePost(Command, frozen=True):
    """Write a post. The same client_id from the same author is the same post, however often it comes;
    other words under a client_id that was used are refused with `conflict`."""

    wire_name: ClassVar[str] = "forum.post"
    board_id: Id
    client_id: Id
    text: PostText
    title: PostTitle = ""


class PostWritten(Result, frozen=True):
    """The post is kept."""

    post_id: str
    number: int
    posted_at: Millis


class ListPosts(Command, frozen=True):
    """A page of a board's posts, those with a number below `before`, or the newest."""

    wire_name: ClassVar[str] = "forum.list"
    board_id: Id
    before: Place | None = None
    limit: PageLimit = 20


class PostPage(Result, frozen=True):
    """Posts, newest first. Everything up to `position` of the board's channel is in them."""

    board: BoardCard
    posts: list[PostCard]
    has_more: bool
    position: int


class ShowPost(Command, frozen=True):
    """One post whole, and a page of its comments, those with a number above `after`. Whoever was
    answered there has now seen it."""

    wire_name: ClassVar[str] = "forum.show"
    post_id: Id
    after: Place = 0
    limit: PageLimit = 50


class PostShown(Result, frozen=True):
    """The post, and comments oldest first. Everything up to `position` of the board's channel is in."""

    board: BoardCard
    post: PostCard
    comments: list[CommentCard]
    has_more: bool
    position: int


class WriteComment(Command, frozen=True):
    """Comment on a post, or reply to a comment of it. Repeats are known by their client_id."""

    wire_name: ClassVar[str] = "forum.comment"
    post_id: Id
    client_id: Id
    text: CommentText
    reply_to: Id | None = None


class CommentWritten(Result, frozen=True):
    """The comment, and how many the post has now."""

    comment: CommentCard
    comments: int


class LikePost(Command, frozen=True):
    """Like a post, or like it no longer."""

    wire_name: ClassVar[str] = "forum.like"
    post_id: Id
    liked: bool


class Likes(Result, frozen=True):
    """How many like it now."""

    likes: int


class Hide(Command, frozen=True):
    """Hide a post or a comment, or show it again. Its author takes back the own words, a moderator
    gives a reason; neither undoes what the other did."""

    wire_name: ClassVar[str] = "forum.hide"
    hidden: bool
    post_id: Id | None = None
    comment_id: Id | None = None
    reason: Reason = ""


class HiddenNow(Result, frozen=True):
    """Whether others see it now, and if not, on whose word."""

    hidden: bool
    by_moderator: bool
    reason: str


class ListAnswersToMe(Command, frozen=True):
    """Where the actor's posts and comments were answered."""

    wire_name: ClassVar[str] = "forum.answers"


class AnswersToMe(Result, frozen=True):
    """The newest fifty, each post once."""

    answers: list[AnswerCard]


# Events


class Posted(Event, frozen=True):
    """Somebody wrote a post."""

    wire_name: ClassVar[str] = "forum.posted"
    post: PostCard

    def numbered(self, seq: int) -> Self:
        return msgspec.structs.replace(self, post=msgspec.structs.replace(self.post, number=seq))


class Commented(Event, frozen=True):
    """Somebody commented on a post, which has so many comments now."""

    wire_name: ClassVar[str] = "forum.commented"
    post_id: str
    comment: CommentCard
    comments: int


class Liked(Event, frozen=True):
    """Somebody likes a post, or no longer; so many do now."""

    wire_name: ClassVar[str] = "forum.liked"
    post_id: str
    person_id: str
    liked: bool
    likes: int


class Hidden(Event, frozen=True):
    """A post, or a comment of it, is hidden or shown again. When it is shown, these are its words, a
    post's as a list shows them; while it is hidden they are empty, and author and moderators keep what
    they have."""

    wire_name: ClassVar[str] = "forum.hidden"
    post_id: str
    comment_id: str | None
    hidden: bool
    by_moderator: bool
    reason: str
    title: str = ""
    text: str = ""
    cut: bool = False


class BoardChanged(Event, frozen=True):
    """A board is set up otherwise; whoever looks at it asks to watch again."""

    wire_name: ClassVar[str] = "forum.board_changed"
    board_id: str


class AnsweredToMe(Event, frozen=True):
    """Somebody answered the person in a post, or the person has opened it since."""

    wire_name: ClassVar[str] = "forum.answered"
    post_id: str
    unread: bool
