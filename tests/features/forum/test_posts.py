"""Posts and comments: written once, numbered, paged, liked, counted right."""

import asyncio
import secrets
from typing import Any

import pytest

from tests.features.forum.talk import audited, comment, post, save_board, watch
from tests.features.office import Client, Office, Refusal


async def listed(client: Client, board_id: str, **fields: Any) -> list[dict[str, Any]]:
    posts: list[dict[str, Any]] = (await client.ask("forum.list", board_id=board_id, **fields))[
        "posts"
    ]
    return posts


async def test_a_post_is_numbered_and_told_to_who_looks(
    office: Office, ann: Client, bob: Client, cai: Client, board: str
) -> None:
    await watch(bob, board)
    written = await ann.ask(
        "forum.post", board_id=board, client_id="x", title=" 早饭 ", text="粥不错\n"
    )
    assert (written["number"], written["posted_at"]) == (1, office.clock.now())
    [told] = bob.told("forum.posted")
    shown = told["post"]
    assert shown["post_id"] == written["post_id"]
    assert (shown["number"], shown["author_name"]) == (1, "安宁")
    assert (shown["title"], shown["text"], shown["cut"]) == ("早饭", "粥不错", False)
    assert cai.events == []
    [row] = await audited(office, "forum.post")
    assert (row.actor_id, row.subject) == ("ann", written["post_id"])
    assert row.detail == {"board_id": board}


async def test_a_repeat_is_answered_with_the_first_post_and_told_once(
    ann: Client, bob: Client, board: str
) -> None:
    await watch(bob, board)
    fields = {"board_id": board, "client_id": "x", "text": "早"}
    first = await ann.ask("forum.post", **fields)
    await post(ann, board, "又及")
    assert await ann.ask("forum.post", **fields) == first
    assert len(bob.told("forum.posted")) == 2
    for changed in ({"text": "晚"}, {"title": "题"}):
        with pytest.raises(Refusal, match="conflict"):
            await ann.ask("forum.post", **{**fields, **changed})


async def test_repeats_at_the_same_time_make_one_post_and_one_comment(
    office: Office, ann: Client, bob: Client, board: str
) -> None:
    await watch(bob, board)
    same = {"board_id": board, "client_id": "x", "text": "早"}
    answers = await asyncio.gather(*(ann.ask("forum.post", **same) for _ in range(5)))
    assert answers == [answers[0]] * 5
    reply = {"post_id": answers[0]["post_id"], "client_id": "x", "text": "好"}
    comments = await asyncio.gather(*(ann.ask("forum.comment", **reply) for _ in range(8)))
    assert comments == [comments[0]] * 8
    assert len(bob.told("forum.posted")) == 1
    assert len(bob.told("forum.commented")) == 1


async def test_a_client_id_belongs_to_its_author_alone(
    ann: Client, bob: Client, board: str
) -> None:
    fields = {"board_id": board, "client_id": "x", "text": "早"}
    assert (await ann.ask("forum.post", **fields))["number"] == 1
    assert (await bob.ask("forum.post", **fields))["number"] == 2


async def test_a_closed_board_takes_no_new_posts_and_still_answers_repeats(
    ann: Client, cai: Client, eve: Client, board: str
) -> None:
    fields = {"board_id": board, "client_id": "x", "text": "早"}
    first = await ann.ask("forum.post", **fields)
    await save_board(eve, board_id=board, closed=True)
    for client in (ann, cai):
        with pytest.raises(Refusal, match="conflict: this board takes no new posts"):
            await post(client, board)
    assert await ann.ask("forum.post", **fields) == first
    await comment(ann, first["post_id"])


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": " \n\t　"},
        {"text": "字" * 5_001},
        {"text": "早", "title": "字" * 101},
        {"text": "早", "client_id": ""},
        {"text": "早", "client_id": "x" * 65},
        {"text": "早", "author_id": "bob"},
        {"title": "只有题目"},
    ],
)
async def test_what_is_no_post_is_refused(ann: Client, board: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("forum.post", board_id=board, **{"client_id": "x", **fields})
    assert await listed(ann, board) == []


@pytest.mark.parametrize(
    "fields",
    [{"text": ""}, {"text": "  "}, {"text": "字" * 1_001}, {"text": "早", "reply_to": ""}],
)
async def test_what_is_no_comment_is_refused(
    ann: Client, board: str, fields: dict[str, Any]
) -> None:
    post_id = await post(ann, board)
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("forum.comment", post_id=post_id, client_id="x", **fields)


async def test_a_board_is_read_in_pages_newest_first_and_long_texts_are_cut(
    ann: Client, board: str
) -> None:
    for number in range(1, 6):
        await post(ann, board, f"{number}" * 501)
    first = await ann.ask("forum.list", board_id=board, limit=2)
    assert [p["number"] for p in first["posts"]] == [5, 4]
    assert [(len(p["text"]), p["cut"]) for p in first["posts"]] == [(500, True)] * 2
    assert (first["has_more"], first["position"]) == (True, 5)
    rest = await ann.ask("forum.list", board_id=board, before=4, limit=3)
    assert [p["number"] for p in rest["posts"]] == [3, 2, 1]
    assert rest["has_more"] is False
    whole = await ann.ask("forum.show", post_id=first["posts"][0]["post_id"])
    assert (len(whole["post"]["text"]), whole["post"]["cut"]) == (501, False)
    for limit in (0, 51):
        with pytest.raises(Refusal, match="invalid"):
            await ann.ask("forum.list", board_id=board, limit=limit)


async def test_comments_are_numbered_and_read_in_pages_oldest_first(
    office: Office, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await watch(ann, board)
    first = await comment(bob, post_id, "一")
    second = await comment(ann, post_id, "二", reply_to=first)
    await comment(bob, post_id, "三")
    assert [t["comments"] for t in ann.told("forum.commented")] == [1, 2, 3]
    page = await ann.ask("forum.show", post_id=post_id, limit=2)
    assert [c["text"] for c in page["comments"]] == ["一", "二"]
    assert page["has_more"] is True
    assert (page["comments"][1]["reply_to"], page["comments"][1]["reply_to_name"]) == (
        first,
        "鲍博",
    )
    rest = await ann.ask("forum.show", post_id=post_id, after=2)
    assert [c["text"] for c in rest["comments"]] == ["三"]
    assert rest["post"]["comments"] == 3
    rows = await audited(office, "forum.comment")
    assert [row.actor_id for row in rows] == ["bob", "ann", "bob"]
    assert (rows[1].subject, rows[1].detail) == (second, {"post_id": post_id})


async def test_a_reply_goes_to_a_comment_of_the_same_post(
    ann: Client, bob: Client, board: str
) -> None:
    one, other = await post(ann, board), await post(ann, board)
    elsewhere = await comment(bob, other)
    for missing in (elsewhere, "missing", one):
        with pytest.raises(Refusal, match="not_found"):
            await comment(bob, one, reply_to=missing)


async def test_a_repeated_comment_is_answered_with_the_first(
    ann: Client, bob: Client, board: str
) -> None:
    one, other = await post(ann, board), await post(ann, board)
    fields = {"client_id": "x", "text": "好"}
    first = await bob.ask("forum.comment", post_id=one, **fields)
    await comment(ann, one)
    again = await bob.ask("forum.comment", post_id=one, **fields)
    assert again == {"comment": first["comment"], "comments": 2}
    with pytest.raises(Refusal, match="conflict"):
        await bob.ask("forum.comment", post_id=other, **fields)
    with pytest.raises(Refusal, match="conflict"):
        await bob.ask(
            "forum.comment",
            post_id=one,
            **fields,
            reply_to=first["comment"]["comment_id"],
        )


async def test_a_like_counts_once_and_is_told_to_all_devices(
    office: Office, ann: Client, bob: Client, board: str
) -> None:
    tablet = await office.client("bob")
    post_id = await post(ann, board)
    await watch(ann, board)
    await watch(tablet, board)
    for _ in range(2):
        assert await bob.ask("forum.like", post_id=post_id, liked=True) == {"likes": 1}
    [told] = tablet.told("forum.liked")
    assert (told["person_id"], told["liked"], told["likes"]) == ("bob", True, 1)
    assert [p["liked"] for p in await listed(bob, board)] == [True]
    assert [(p["liked"], p["likes"]) for p in await listed(ann, board)] == [(False, 1)]
    for _ in range(2):
        assert await bob.ask("forum.like", post_id=post_id, liked=False) == {"likes": 0}
    assert len(ann.told("forum.liked")) == 2
    assert (await bob.ask("forum.show", post_id=post_id))["post"]["liked"] is False


async def test_many_likes_leave_one_entry_in_the_log(
    office: Office, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    for liked in (True, False, True, False, True):
        await bob.ask("forum.like", post_id=post_id, liked=liked)
    entries = [doc for doc in await office.store.scan("log") if doc["event"] == "forum.liked"]
    assert [entry["data"]["likes"] for entry in entries] == [1]


async def test_likes_and_comments_at_once_are_all_counted(
    office: Office, ann: Client, bob: Client, cai: Client, eve: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await watch(ann, board)
    people = (ann, bob, cai, eve)
    await asyncio.gather(
        *(client.ask("forum.like", post_id=post_id, liked=True) for client in people),
        *(
            client.ask(
                "forum.comment", post_id=post_id, client_id=secrets.token_hex(8), text=str(n)
            )
            for client in people
            for n in range(3)
        ),
    )
    shown = await ann.ask("forum.show", post_id=post_id)
    assert (shown["post"]["likes"], shown["post"]["comments"]) == (4, 12)
    assert [c["number"] for c in shown["comments"]] == list(range(1, 13))
    assert ann.told("forum.liked")[-1]["likes"] == 4
    assert [told["comments"] for told in ann.told("forum.commented")] == list(range(1, 13))


async def test_who_writes_too_fast_is_asked_to_wait(
    office: Office, ann: Client, board: str
) -> None:
    for number in range(5):
        await ann.ask("forum.post", board_id=board, client_id=f"{number}", text="早")
    with pytest.raises(Refusal, match="rate_limited") as refused:
        await ann.ask("forum.post", board_id=board, client_id="6", text="早")
    assert refused.value.retry_after_ms == 10_000
    office.clock.advance(10)
    await ann.ask("forum.post", board_id=board, client_id="6", text="早")


async def test_watching_a_board_answers_where_it_stands_and_nothing_that_was_said(
    ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await bob.ask("forum.like", post_id=post_id, liked=True)
    watched = await bob.ask("stream.watch", channel=f"forum:{board}")
    assert watched == {"position": 2, "state": {}}
