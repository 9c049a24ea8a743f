"""What the forum keeps: boards, posts and comments with who hid them, likes, and who was answered.

Every change of a post's numbers (likes, comments) writes the post in the version read, so that two at
once are counted one after the other.
"""

from typing import ClassVar

from server.clock import Millis
from server.directory import Audience
from server.storage import Collection, Index
from server.storage.document import Document


class Board(Document, frozen=True, kw_only=True):
    """A place for posts, for an audience, kept in order by moderators."""

    collection: ClassVar[Collection] = Collection(
        "forum_boards", indexes=(Index("order", ("order",)),)
    )

    title: str
    audience: Audience
    about: str = ""
    moderators: tuple[str, ...] = ()
    order: int
    closed: bool = False

    @property
    def channel(self) -> str:
        """The log channel its readers watch."""
        return f"forum:{self.id}"


class Writing(Document, frozen=True, kw_only=True):
    """Words somebody wrote. Two may take them from view, each for themselves: their author
    (`withdrawn`), and the moderators, who say why (`hidden_reason`, empty while they do not)."""

    author_id: str
    text: str
    withdrawn: bool = False
    hidden_reason: str = ""

    @property
    def hidden(self) -> bool:
        return self.withdrawn or self.by_moderator

    @property
    def by_moderator(self) -> bool:
        return bool(self.hidden_reason)


class Post(Writing, frozen=True, kw_only=True):
    """A post; the id is also that of its log entry."""

    collection: ClassVar[Collection] = Collection(
        "forum_posts", indexes=(Index("board", ("board_id", "number"), unique=True),)
    )

    board_id: str
    posted_at: Millis
    number: int = 0
    title: str = ""
    likes: int = 0
    comments: int = 0


class Comment(Writing, frozen=True, kw_only=True):
    """A comment; the id is also that of its log entry. `answers` are the people it is news to."""

    collection: ClassVar[Collection] = Collection(
        "forum_comments", indexes=(Index("post", ("post_id", "number"), unique=True),)
    )

    post_id: str
    number: int
    commented_at: Millis
    reply_to: str | None = None
    reply_to_author: str = ""
    answers: tuple[str, ...] = ()


class Like(Document, frozen=True):
    """A person likes a post; gone when no longer."""

    collection: ClassVar[Collection] = Collection("forum_likes")

    liked_at: Millis


class Mark(Document, frozen=True):
    """How far somebody who was answered in a post has seen it. All three are numbers of comments:
    the newest one that answers the person, and up to which they were seen, and were told in a notice."""

    collection: ClassVar[Collection] = Collection(
        "forum_marks", indexes=(Index("person", ("person_id", "answered_at")),)
    )

    person_id: str
    post_id: str
    answered: int
    answered_by: str
    answered_at: Millis
    seen: int
    notified: int

    @property
    def unread(self) -> bool:
        return self.answered > self.seen


def of_person(post_id: str, person_id: str) -> str:
    """The id of a person's like, and of a person's mark, of a post."""
    return f"{post_id}:{person_id}"
