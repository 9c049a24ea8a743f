"""Hiding: who may, what everybody else sees, and that hidden words are nowhere to be found."""

import json
from typing import Any

import pytest

from tests.features.forum.talk import SECRET, audited, comment, post, save_board, watch
from tests.features.office import Client, Office, Refusal

REASON = "涉及患者信息"


async def hide(client: Client, hidden: bool = True, reason: str = REASON, **what: str) -> Any:
    return await client.ask("forum.hide", hidden=hidden, reason=reason, **what)


async def everything(client: Client, board: str, post_id: str) -> str:
    """All that a person can ask of a board, and all that was told so far, as text."""
    asked = [
        await client.ask("forum.boards"),
        await client.ask("forum.list", board_id=board),
        await client.ask("forum.show", post_id=post_id),
        await client.ask("forum.answers"),
        await client.ask("stream.watch", channel=f"forum:{board}"),
        await client.ask("stream.catch_up"),
        await client.ask(
            "stream.catch_up",
            epoch=client.office.store.epoch,
            positions={f"person:{client.person_id}": 0, f"forum:{board}": 0},
        ),
    ]
    return json.dumps([asked, client.events], ensure_ascii=False)


async def logged(office: Office) -> str:
    """The whole log as it is stored."""
    return json.dumps(await office.store.scan("log", limit=1_000), ensure_ascii=False)


async def one_of_each(
    ann: Client, bob: Client, board: str
) -> dict[str, tuple[str, dict[str, str]]]:
    """A post and a comment of ann's with a secret in each: the post to look at, and what to hide."""
    post_id = await post(ann, board, SECRET, title=f"题：{SECRET}")
    other = await post(bob, board)
    comment_id = await comment(ann, other, SECRET)
    return {
        "post": (post_id, {"post_id": post_id}),
        "comment": (other, {"comment_id": comment_id}),
    }


@pytest.mark.parametrize("kind", ["post", "comment"])
async def test_hidden_words_leak_nowhere(
    office: Office, ann: Client, bob: Client, cai: Client, board: str, kind: str
) -> None:
    hid = await one_of_each(ann, bob, board)
    for _, what in hid.values():
        await hide(cai, **what)
    place, what = hid[kind]
    late = await office.client("bob")
    await watch(late, board)
    # Shown again and hidden once more: what was told in between is gone too.
    await hide(cai, False, **what)
    assert SECRET in await everything(late, board, place)
    await hide(cai, **what)
    fresh = await office.client("bob")
    told = await everything(fresh, board, place)
    assert SECRET not in told
    assert REASON in told
    assert SECRET not in await logged(office)
    for reader in (ann, cai):
        assert SECRET in await everything(reader, board, place)


async def test_what_the_author_takes_back_leaks_nowhere(
    office: Office, ann: Client, bob: Client, cai: Client, board: str
) -> None:
    for place, what in (await one_of_each(ann, bob, board)).values():
        assert await hide(ann, **what) == {"hidden": True, "by_moderator": False, "reason": ""}
        assert SECRET not in await everything(await office.client("bob"), board, place)
        assert SECRET in await everything(cai, board, place)
    assert SECRET not in await logged(office)


async def test_an_answer_to_a_hidden_post_does_not_say_what_it_was_about(
    ann: Client, bob: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board, SECRET)
    first = await comment(bob, post_id)
    await comment(cai, post_id, reply_to=first)
    [card] = (await bob.ask("forum.answers"))["answers"]
    assert card["about"] == SECRET
    await hide(cai, post_id=post_id)
    [card] = (await bob.ask("forum.answers"))["answers"]
    assert (card["about"], card["answered_by_name"]) == ("", "蔡彩")


async def test_who_looks_is_told_that_and_why_and_when_it_is_shown_again_the_words(
    ann: Client, bob: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board, "字" * 600, title="题")
    await watch(bob, board)
    await hide(cai, post_id=post_id, reason=f" {REASON}\n")
    await hide(cai, post_id=post_id)
    [told] = bob.told("forum.hidden")
    assert (told["hidden"], told["by_moderator"], told["reason"]) == (True, True, REASON)
    assert (told["post_id"], told["comment_id"], told["text"]) == (post_id, None, "")
    assert await hide(cai, False, post_id=post_id) == {
        "hidden": False,
        "by_moderator": False,
        "reason": "",
    }
    shown = bob.told("forum.hidden")[-1]
    assert (shown["hidden"], shown["title"], shown["cut"]) == (False, "题", True)
    assert shown["text"] == "字" * 500


@pytest.mark.parametrize("kind", ["post", "comment"])
async def test_hiding_is_for_the_author_and_moderators_only(
    ann: Client, bob: Client, dan: Client, board: str, kind: str
) -> None:
    post_id = await post(ann, board)
    what = {"post_id": post_id}
    if kind == "comment":
        what = {"comment_id": await comment(ann, post_id)}
    with pytest.raises(Refusal, match="forbidden"):
        await hide(bob, **what)
    with pytest.raises(Refusal, match="not_found"):
        await hide(dan, **what)


async def test_a_moderator_of_one_board_is_none_of_another(
    ann: Client, cai: Client, eve: Client
) -> None:
    other = await save_board(eve, audience={"person_ids": ["ann", "cai"]}, moderators=["bob"])
    post_id = await post(ann, other)
    with pytest.raises(Refusal, match="forbidden"):
        await hide(cai, post_id=post_id)
    assert (await hide(eve, post_id=post_id))["by_moderator"] is True


async def test_a_moderator_gives_a_reason(
    office: Office, ann: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board)
    for reason in ("", "  \n"):
        with pytest.raises(Refusal, match="invalid"):
            await hide(cai, post_id=post_id, reason=reason)
    with pytest.raises(Refusal, match="invalid"):
        await hide(cai, post_id=post_id, reason="字" * 201)
    assert await audited(office, "forum.hide") == []


@pytest.mark.parametrize("what", [{}, {"post_id": "x", "comment_id": "y"}, {"post_id": ""}])
async def test_one_thing_is_hidden_at_a_time(cai: Client, board: str, what: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="invalid"):
        await hide(cai, **what)


async def test_neither_undoes_what_the_other_hid(ann: Client, cai: Client, board: str) -> None:
    post_id = await post(ann, board)
    await hide(cai, post_id=post_id)
    with pytest.raises(Refusal, match="forbidden: a moderator has hidden this"):
        await hide(ann, False, post_id=post_id)
    # The author takes it back as well: then showing it is the author's to do.
    assert (await hide(ann, post_id=post_id))["by_moderator"] is True
    assert await hide(cai, False, post_id=post_id) == {
        "hidden": True,
        "by_moderator": False,
        "reason": "",
    }
    with pytest.raises(Refusal, match="forbidden: its author has taken this back"):
        await hide(cai, False, post_id=post_id)
    assert (await hide(ann, False, post_id=post_id))["hidden"] is False


async def test_a_moderator_is_an_author_to_the_own_words(
    ann: Client, cai: Client, eve: Client, board: str
) -> None:
    post_id = await post(cai, board)
    assert (await hide(cai, post_id=post_id))["by_moderator"] is False
    assert (await hide(cai, False, post_id=post_id))["hidden"] is False
    await hide(eve, post_id=post_id)
    with pytest.raises(Refusal, match="forbidden"):
        await hide(cai, False, post_id=post_id)


async def test_what_is_hidden_is_neither_liked_nor_answered(
    ann: Client, bob: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board)
    first = await comment(bob, post_id)
    await hide(cai, comment_id=first)
    with pytest.raises(Refusal, match="conflict"):
        await comment(ann, post_id, reply_to=first)
    await hide(cai, post_id=post_id)
    for client in (ann, bob, cai):
        with pytest.raises(Refusal, match="conflict"):
            await comment(client, post_id)
        with pytest.raises(Refusal, match="conflict"):
            await client.ask("forum.like", post_id=post_id, liked=True)


async def test_every_hiding_is_recorded_with_its_reason(
    office: Office, ann: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board, SECRET)
    for client, hidden, reason in (
        (cai, True, REASON),
        (cai, True, "另有原因"),
        (cai, False, ""),
        (ann, True, ""),
        (ann, False, ""),
    ):
        office.clock.advance(1)
        await hide(client, hidden, reason, post_id=post_id)
    hidden = await audited(office, "forum.hide")
    assert [(r.actor_id, r.subject, r.detail["by"], r.detail["reason"]) for r in hidden] == [
        ("cai", post_id, "moderator", REASON),
        ("cai", post_id, "moderator", "另有原因"),
        ("ann", post_id, "author", ""),
    ]
    restored = await audited(office, "forum.restore")
    assert [row.actor_id for row in restored] == ["cai", "ann"]
    rows = json.dumps(await office.store.scan("audit"), ensure_ascii=False)
    assert SECRET not in rows
