"""State plus events equals fresh state, for everybody who looks at a board and for every command."""

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from server.feature import command_of
from server.features import forum
from tests.features.forum.talk import comment, post, save_board
from tests.features.office import Client, Office, Refusal

OF_ONE = {"post_id", "comment_id", "hidden", "by_moderator", "reason"}


class BoardPage:
    """A page that shows a board with all comments, loaded once and then kept by events."""

    def __init__(self, client: Client, board_id: str) -> None:
        self.client, self.board_id = client, board_id
        self.posts: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, dict[str, Any]] = {}
        self.unread: dict[str, bool] = {}
        self.moderates = False
        self.position = 0
        self.applied = 0

    async def load(self) -> None:
        await self.client.ask("stream.watch", channel=f"forum:{self.board_id}")
        self.applied = len(self.client.events)
        listed = await self.client.ask("forum.list", board_id=self.board_id, limit=50)
        self.moderates, self.position = listed["board"]["moderates"], listed["position"]
        self.posts = {p["post_id"]: p for p in listed["posts"]}
        self.comments = {}
        for post_id in self.posts:
            shown = await self.client.ask("forum.show", post_id=post_id)
            self.comments.update({c["comment_id"]: c for c in shown["comments"]})
        answers = (await self.client.ask("forum.answers"))["answers"]
        self.unread = {answer["post_id"]: answer["unread"] for answer in answers}

    def catch_up(self) -> None:
        """Apply what was told since."""
        while self.applied < len(self.client.events):
            name, event = self.client.events[self.applied]
            self.applied += 1
            if name == "forum.answered":
                self.unread[event["post_id"]] = event["unread"]
            elif event["position"] > self.position:
                self.position = event["position"]
                self._apply(name, event)

    def _apply(self, name: str, event: dict[str, Any]) -> None:
        if name == "forum.posted":
            self.posts[event["post"]["post_id"]] = event["post"]
            return
        held = self.posts.get(event.get("post_id", ""))
        if held is None:
            return
        if name == "forum.commented":
            held["comments"] = event["comments"]
            self.comments[event["comment"]["comment_id"]] = event["comment"]
        elif name == "forum.liked":
            held["likes"] = event["likes"]
            if event["person_id"] == self.client.person_id:
                held["liked"] = event["liked"]
        elif name == "forum.hidden":
            self._hide(self.comments[event["comment_id"]] if event["comment_id"] else held, event)

    def _hide(self, held: dict[str, Any], event: dict[str, Any]) -> None:
        held.update({field: event[field] for field in ("hidden", "by_moderator", "reason")})
        if self.moderates or held["author_id"] == self.client.person_id:
            return
        held.update({field: event[field] for field in ("title", "text", "cut") if field in held})


Act = Callable[[Client, Client, Client, str, str, str], Awaitable[Any]]

ACTS: dict[str, Act] = {
    "forum.post": lambda ann, bob, cai, b, p, c: post(bob, b, "字" * 501, title="题"),
    "forum.comment": lambda ann, bob, cai, b, p, c: comment(bob, p),
    "forum.comment.reply": lambda ann, bob, cai, b, p, c: comment(ann, p, reply_to=c),
    "forum.like": lambda ann, bob, cai, b, p, c: bob.ask("forum.like", post_id=p, liked=True),
    "forum.hide": lambda ann, bob, cai, b, p, c: cai.ask(
        "forum.hide", post_id=p, hidden=True, reason="重复"
    ),
    "forum.hide.comment": lambda ann, bob, cai, b, p, c: cai.ask(
        "forum.hide", comment_id=c, hidden=True, reason="重复"
    ),
    "forum.hide.own": lambda ann, bob, cai, b, p, c: ann.ask("forum.hide", post_id=p, hidden=True),
}
ACTS["forum.hide.again"] = lambda ann, bob, cai, b, p, c: hide_and_show(cai, post_id=p)
ACTS["forum.hide.comment.again"] = lambda ann, bob, cai, b, p, c: hide_and_show(cai, comment_id=c)
ACTS["forum.show"] = lambda ann, bob, cai, b, p, c: ann.ask("forum.show", post_id=p)
ELSEWHERE = {"forum.save_board", "forum.board", "forum.boards", "forum.list", "forum.answers"}
"""Settings dismiss whoever looks (test_boards), the others only read."""


async def hide_and_show(cai: Client, **what: str) -> None:
    for hidden in (True, False):
        await cai.ask("forum.hide", hidden=hidden, reason="重复", **what)


def test_every_command_is_looked_at() -> None:
    commands = {command_of(handler.function).wire_name for handler in forum.feature.commands}
    assert commands == {name for name in ACTS if name.count(".") == 1} | ELSEWHERE


@pytest.mark.parametrize("name", ACTS)
async def test_pages_that_applied_the_events_hold_what_is_stored(
    office: Office, ann: Client, bob: Client, cai: Client, board: str, name: str
) -> None:
    post_id = await post(ann, board, "字" * 501)
    comment_id = await comment(bob, post_id)
    pages = [BoardPage(client, board) for client in (bob, cai)]
    pages.append(BoardPage(await office.client("ann"), board))
    for page in pages:
        await page.load()
    await ACTS[name](ann, bob, cai, board, post_id, comment_id)
    for page in pages:
        page.catch_up()
        # Another connection: the loading itself opens the posts, and tells so.
        fresh = BoardPage(await office.client(page.client.person_id), board)
        unread = await stored_unread(page.client)
        await fresh.load()
        assert page.unread == unread
        assert (page.posts, page.comments) == (fresh.posts, fresh.comments)
        assert page.position == fresh.position


async def stored_unread(client: Client) -> dict[str, bool]:
    answers = (await client.ask("forum.answers"))["answers"]
    return {answer["post_id"]: answer["unread"] for answer in answers}


@pytest.mark.parametrize("seed", range(3))
async def test_a_course_of_events_leaves_every_page_right(
    office: Office, ann: Client, bob: Client, cai: Client, board: str, seed: int
) -> None:
    chance = random.Random(seed)
    pages = [BoardPage(client, board) for client in (ann, bob, cai)]
    post_ids = [await post(ann, board), await post(bob, board)]
    comment_ids = [await comment(bob, post_ids[0])]
    for page in pages:
        await page.load()
    acts = [name for name in ACTS if name not in ("forum.post", "forum.show")]
    for _ in range(40):
        office.clock.advance(10)
        name = chance.choice(acts)
        p, c = chance.choice(post_ids), comment_ids[0]
        # What is hidden just now is neither liked nor answered, nor shown by whoever did not hide it.
        with suppress(Refusal):
            await ACTS[name](ann, bob, cai, board, p, c)
    for page in pages:
        page.catch_up()
        fresh = BoardPage(await office.client(page.client.person_id), board)
        await fresh.load()
        assert (page.posts, page.comments) == (fresh.posts, fresh.comments)


async def test_a_page_loaded_while_others_write_misses_nothing(
    office: Office, ann: Client, bob: Client, board: str
) -> None:
    page = BoardPage(ann, board)
    await page.load()
    for _ in range(3):
        await post(bob, board)
    loading = BoardPage(await office.client("ann"), board)
    await loading.load()
    await post(bob, board)
    page.catch_up()
    loading.catch_up()
    assert page.posts == loading.posts
    assert len(page.posts) == 4


async def test_a_board_saved_anew_is_heard_before_anything_else(
    ann: Client, eve: Client, board: str
) -> None:
    page = BoardPage(ann, board)
    await page.load()
    await save_board(eve, board_id=board, title="另一个")
    [changed] = ann.told("forum.board_changed")
    assert changed["position"] == page.position + 1
