"""Posts: writing them, reading a board and one post, liking."""

from collections.abc import Iterable

from msgspec.structs import replace

from server.directory import Directory
from server.errors import ConflictRefused, Invalid
from server.features.forum.answers import see
from server.features.forum.boards import board_cards
from server.features.forum.cards import comment_card, post_card
from server.features.forum.documents import Board, Comment, Like, Post, of_person
from server.features.forum.protocol import (
    Liked,
    LikePost,
    Likes,
    ListPosts,
    Posted,
    PostPage,
    PostShown,
    PostWritten,
    ShowPost,
    WritePost,
)
from server.features.forum.rights import NO_POST, board_reader, check_shown, post_reader
from server.ids import made_id
from server.work import Entry, Later, UnitOfWork


async def write_post(
    command: WritePost, work: UnitOfWork, directory: Directory
) -> Later[PostWritten]:
    """Keep a post under the next number of its board, and tell who looks."""
    text = readable(command.text)
    reader = await board_reader(work, command.board_id, directory)
    post = Post(
        id=made_id(Post.collection.name, reader.person_id, command.client_id),
        board_id=reader.board.id,
        author_id=reader.person_id,
        title=command.title.strip(),
        text=text,
        posted_at=work.now,
    )
    first = await work.get(Post, post.id)
    if first is not None:
        check_repeat((first.board_id, first.title, first.text), (post.board_id, post.title, text))
        return lambda: _written(first, first.number)
    if reader.board.closed:
        raise ConflictRefused("this board takes no new posts; it was closed")
    work.require(reader.board, unchanged=True)
    entry = keep_post(work, reader.board, post, directory)
    work.record("forum.post", post.id, board_id=post.board_id)
    return lambda: _written(post, entry.seq)


def _written(post: Post, number: int) -> PostWritten:
    return PostWritten(post_id=post.id, number=number, posted_at=post.posted_at)


def keep_post(work: UnitOfWork, board: Board, post: Post, directory: Directory) -> Entry:
    """Store a post and log it. Its number is known after the commit."""
    entry = work.append(
        board.channel, Posted(post=post_card(post, directory)), id=post.id, numbered=True
    )
    work.insert(post, number=entry.taking_seq)
    return entry


def readable(text: str) -> str:
    """The text without blanks at its end. Raises Invalid when nothing is left."""
    if not text.strip():
        raise Invalid("there is nothing to read in this text - at `$.text`")
    return text.rstrip()


def check_repeat(first: object, again: object) -> None:
    """Raises ConflictRefused when a client id comes again with something else."""
    if first != again:
        raise ConflictRefused("this client_id was used for something else; use a new one")


async def list_posts(command: ListPosts, work: UnitOfWork, directory: Directory) -> PostPage:
    """A page of a board, hidden words left out."""
    reader = await board_reader(work, command.board_id, directory)
    position = await _position(work, reader.board)
    found = await work.query(
        Post,
        "board",
        reader.board.id,
        lt=command.before,
        reverse=True,
        limit=command.limit + 1,
    )
    posts = found[: command.limit]
    liked = await _liked(work, posts)
    # Whoever lost the right meanwhile gets nothing that may have been written since.
    reader = await board_reader(work, command.board_id, directory)
    [board] = await board_cards(work, [reader])
    return PostPage(
        board=board,
        posts=[post_card(post, directory, reader, liked=post.id in liked) for post in posts],
        has_more=len(found) > command.limit,
        position=position,
    )


async def _position(work: UnitOfWork, board: Board) -> int:
    """Where a board's channel stands. Read first: what is read afterwards holds at least that."""
    position, _ = (await work.log.ends([board.channel])).get(board.channel, (0, 0))
    return position


async def _liked(work: UnitOfWork, posts: Iterable[Post]) -> set[str]:
    """Those of the posts that the actor likes."""
    ids = {of_person(post.id, work.actor.person_id): post.id for post in posts}
    return {ids[id] for id in await work.get_many(Like, list(ids))}


async def show_post(command: ShowPost, work: UnitOfWork, directory: Directory) -> PostShown:
    """One post with comments. Opening it settles what was answered to the actor there."""
    reader, post = await post_reader(work, command.post_id, directory)
    position = await _position(work, reader.board)
    post = await work.find(Post, post.id)
    found = await work.query(Comment, "post", post.id, gt=command.after, limit=command.limit + 1)
    liked = await _liked(work, [post])
    reader = await board_reader(work, post.board_id, directory, missing=NO_POST)
    [board] = await board_cards(work, [reader])
    await see(work, post)
    return PostShown(
        board=board,
        post=post_card(post, directory, reader, liked=bool(liked), whole=True),
        comments=[comment_card(c, directory, reader) for c in found[: command.limit]],
        has_more=len(found) > command.limit,
        position=position,
    )


async def like_post(command: LikePost, work: UnitOfWork, directory: Directory) -> Likes:
    """Like or like no longer; asking for what is already so changes nothing."""
    reader, post = await post_reader(work, command.post_id, directory)
    check_shown(post, "post")
    like = await work.get(Like, of_person(post.id, reader.person_id))
    if (like is not None) == command.liked:
        return Likes(likes=post.likes)
    if like is not None:
        work.delete(like)
    else:
        work.put(Like(id=of_person(post.id, reader.person_id), liked_at=work.now))
    likes = post.likes + (1 if command.liked else -1)
    work.put(replace(post, likes=likes))
    work.require(reader.board, unchanged=True)
    told = Liked(post_id=post.id, person_id=reader.person_id, liked=command.liked, likes=likes)
    work.append(reader.board.channel, told, key=f"likes:{post.id}")
    return Likes(likes=likes)
