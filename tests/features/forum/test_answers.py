"""Being answered: the mark in the app, and the notice for who is away."""

from typing import Any

import pytest

from realtime.application import Reach
from server.features.forum.answers import DUTY
from server.features.forum.duty import ForumDuty
from server.integrations.wecom import Sent
from server.notify import Notifier
from server.outbox import DOCUMENTS, Owed
from server.settings import Settings
from server.storage.document import from_doc
from tests.features.forum.talk import SECRET, comment, post, save_board
from tests.features.office import Client, Office


class Phone:
    """Everybody's WeCom: keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    async def send(self, request: bytes) -> Sent:
        self.given.append(request.decode())
        return Sent(msgid="1")


class Away:
    """Nobody is connected."""

    async def reach(self, people: Any, since: int) -> dict[str, Reach]:
        return {}

    async def online(self, people: Any) -> set[str]:
        return set()


@pytest.fixture
async def duty(office: Office) -> ForumDuty:
    for kind in DOCUMENTS:
        await office.store.ensure(kind.collection)
    return ForumDuty(office.store, office.directory)


async def notices(office: Office, duty: ForumDuty, seconds: int = 20) -> list[str]:
    """What people's phones are given within some seconds, while nobody is connected."""
    phone = Phone()
    settings = Settings(public_url="https://y.example", notice_show_text=True)
    notifier = Notifier(
        office.store, Away(), phone, office.clock, settings, [duty], lambda person: person
    )
    for _ in range(seconds):
        office.clock.advance(1)
        await notifier.step()
    return phone.given


async def owed(office: Office, duty: ForumDuty) -> dict[str, int]:
    """How much each person is owed now."""
    rows = [from_doc(Owed, doc) for doc in await office.store.scan(Owed.collection.name)]
    assert all(row.kind == DUTY for row in rows)
    claims = [claim for some in (await duty.due(rows)).values() for claim in some]
    return {claim.person_id: claim.count for claim in claims}


async def unread(client: Client) -> list[bool]:
    return [answer["unread"] for answer in (await client.ask("forum.answers"))["answers"]]


async def test_a_notice_names_who_and_where_and_opens_the_post(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board, SECRET)
    await comment(bob, post_id, SECRET)
    [told] = await notices(office, duty)
    assert "论坛 · 产科交流区" in told
    assert "鲍博 回复了你" in told
    assert f"https://y.example/forum/p/{post_id}" in told
    assert '"ann"' in told
    assert SECRET not in told
    assert await notices(office, duty, 120) == []


async def test_several_answers_in_one_post_make_one_notice(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, cai: Client, board: str
) -> None:
    one, other = await post(ann, board), await post(ann, board)
    await comment(bob, one)
    await comment(cai, one)
    await comment(bob, other)
    told = sorted(await notices(office, duty), key=lambda text: other in text)
    assert len(told) == 2
    assert "蔡彩等 2 条新回复" in told[0]
    assert "鲍博 回复了你" in told[1]


async def test_the_author_and_who_is_replied_to_are_told_nobody_else(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board)
    first = await comment(bob, post_id)
    assert await owed(office, duty) == {"ann": 1}
    await comment(cai, post_id, reply_to=first)
    await comment(cai, post_id)
    assert await owed(office, duty) == {"ann": 3, "bob": 1}
    assert (await cai.ask("forum.answers"))["answers"] == []


async def test_nobody_is_told_of_the_own_words(
    office: Office, duty: ForumDuty, ann: Client, board: str
) -> None:
    post_id = await post(ann, board)
    first = await comment(ann, post_id)
    await comment(ann, post_id, reply_to=first)
    assert await owed(office, duty) == {}
    assert ann.told("forum.answered") == []


async def test_opening_the_post_afterwards_settles_it_and_opening_it_before_does_not(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await ann.ask("forum.show", post_id=post_id)
    await comment(bob, post_id)
    assert await owed(office, duty) == {"ann": 1}
    assert await unread(ann) == [True]
    await ann.ask("forum.show", post_id=post_id)
    assert await owed(office, duty) == {}
    assert await unread(ann) == [False]
    assert [told["unread"] for told in ann.told("forum.answered")] == [True, False]
    await ann.ask("forum.show", post_id=post_id)
    assert len(ann.told("forum.answered")) == 2
    assert await notices(office, duty) == []


async def test_what_somebody_else_opens_settles_nothing(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await comment(bob, post_id)
    await cai.ask("forum.show", post_id=post_id)
    assert await owed(office, duty) == {"ann": 1}


async def test_an_answer_that_was_hidden_is_owed_to_nobody(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board)
    first = await comment(bob, post_id)
    await comment(bob, post_id)
    await cai.ask("forum.hide", comment_id=first, hidden=True, reason="重复")
    assert await owed(office, duty) == {"ann": 1}
    [told] = await notices(office, duty)
    assert "鲍博 回复了你" in told


async def test_when_every_answer_was_hidden_nobody_is_told(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    first = await comment(bob, post_id)
    await bob.ask("forum.hide", comment_id=first, hidden=True)
    assert await notices(office, duty) == []
    assert await office.store.scan(Owed.collection.name) == []


async def test_who_lost_the_right_is_not_told(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, eve: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await comment(bob, post_id)
    await save_board(eve, board_id=board, audience={"person_ids": ["bob"]})
    assert await duty.draft("ann", f"{post_id}:ann") is None
    assert await notices(office, duty) == []


async def test_a_notice_is_for_the_person_of_the_mark(
    duty: ForumDuty, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await comment(bob, post_id)
    assert await duty.draft("bob", f"{post_id}:ann") is None
    assert await duty.draft("ann", "nothing") is None
    assert await duty.draft("ann", f"{post_id}:ann") is not None


async def test_what_was_told_in_a_notice_is_still_new_in_the_app(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    await comment(bob, post_id)
    await notices(office, duty)
    assert await owed(office, duty) == {}
    assert await unread(ann) == [True]
    await comment(bob, post_id)
    assert await owed(office, duty) == {"ann": 1}


async def test_settling_late_or_twice_never_sets_a_mark_back(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, board: str
) -> None:
    post_id = await post(ann, board)
    for _ in range(2):
        await comment(bob, post_id)
    subject = f"{post_id}:ann"
    for place in (2, 2, 1):
        await office.store.apply(*await duty.settle(subject, {"ann": place}))
    assert await owed(office, duty) == {}


async def test_answers_are_listed_newest_first_with_what_they_are_about(
    office: Office, ann: Client, bob: Client, board: str
) -> None:
    titled, plain = await post(ann, board, "正文", title="题目"), await post(ann, board, "字" * 80)
    await comment(bob, titled)
    await comment(bob, plain)
    answers = (await ann.ask("forum.answers"))["answers"]
    assert [(a["post_id"], a["about"]) for a in answers] == [(plain, "字" * 60), (titled, "题目")]
    assert answers[0]["answered_by_name"] == "鲍博"
    assert answers[0]["answered_at"] == office.clock.now()
    assert answers[0]["board_title"] == "产科交流区"


async def test_an_answer_after_a_hundred_words_to_others_is_owed_all_the_same(
    office: Office, duty: ForumDuty, ann: Client, bob: Client, cai: Client, board: str
) -> None:
    post_id = await post(ann, board)
    mine = await comment(bob, post_id)
    await comment(cai, post_id, reply_to=mine)
    await notices(office, duty)
    for _ in range(101):
        await comment(cai, post_id)
    await comment(cai, post_id, reply_to=mine)
    assert (await owed(office, duty))["bob"] == 1
    told = await notices(office, duty)
    assert sum("蔡彩 回复了你" in text for text in told) == 1
