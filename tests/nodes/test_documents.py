"""Documents on two nodes that are processes of their own: the OA is told once, whoever presses where and
whoever dies meanwhile, and what is done at one node is so at the other."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from realtime.testing import SocketClient
from server.features.turnaround.documents import TOUR, CopyTour
from server.notify.reminders import DOCUMENTS_A_DAY, LEFT_ALONE_MS
from tests.end_to_end.processes import ServerProcess
from tests.nodes.apart import PEOPLE, WITHIN_S, Apart, open_apart, until

pytestmark = [
    pytest.mark.redis,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]

SUBMIT, CREATE = "submitWorkflowRequest", "doCreateWorkflowRequest"
COPIES = "getCCWorkflowRequestCount"
GENERAL = "1"
KILLS = [
    pytest.param(True, 1, id="the one that leads"),
    pytest.param(True, 6, id="again and again", marks=pytest.mark.nightly),
    pytest.param(False, 2, id="the other", marks=pytest.mark.nightly),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_all_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Apart]:
    async with open_apart(tmp_path_factory.mktemp("apart")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def apart(open_all_day: Apart) -> AsyncIterator[Apart]:
    await open_all_day.revive()
    yield open_all_day
    await open_all_day.hang_up()


async def opened(apart: Apart, node: ServerProcess, person: str, request_id: str) -> dict[str, Any]:
    card = await apart.ask(node, person, "documents.open", request_id=request_id)
    assert isinstance(card, dict), card
    return card


async def act(
    apart: Apart, node: ServerProcess, person: str, card: dict[str, Any], client_id: str
) -> Any:
    """Say yes to a document as it was opened; what is known of it then."""
    said = {
        "request_id": card["request_id"],
        "client_id": client_id,
        "action": "approve",
        "seen": card["seen"],
        "opinion": f"{person} 同意",
    }
    answer = await apart.ask(node, person, "documents.act", **said)
    return answer["act"] if isinstance(answer, dict) else answer


async def start(apart: Apart, node: ServerProcess, person: str, title: str) -> Any:
    draft = {"title": title, "urgency": "normal", "fields": {"sy": "请审批。"}, "rows": []}
    said = {"workflow_id": GENERAL, "client_id": f"c {title}", "draft": draft}
    answer = await apart.ask(node, person, "documents.start", **said)
    return answer["start"] if isinstance(answer, dict) else answer


async def acted(page: SocketClient, request_id: str, *states: str) -> dict[str, Any]:
    """What a page is told of an act, once it is one of these."""
    told = await page.wait_for(
        "documents.acted",
        lambda body: body["request_id"] == request_id and body["act"]["state"] in states,
        timeout_s=WITHIN_S,
    )
    return dict(told["act"])


def started(apart: Apart, title: str) -> int:
    """How many documents of this title the OA holds."""
    return len({one["request_id"] for one in apart.journal() if one["title"] == title})


# One of them asks for everybody


async def test_lists_and_copies_of_everybody_are_read_by_the_node_that_leads(apart: Apart) -> None:
    await until(apart.toured, "the copies of everybody were looked at")
    assert len(PEOPLE) <= apart.told(COPIES) < 2 * len(PEOPLE), "each person once"
    first, second = await apart.leading()
    page = await apart.page(second, "s0008")
    await apart.followed("s0008")
    spent = await apart.figure(second, "oa_calls_total")
    await apart.document("s0008")
    await page.wait_for("todos.counted", lambda body: body["pending"] == 1, timeout_s=WITHIN_S)
    assert await apart.figure(second, "oa_calls_total") == spent, "nobody looks at a page of its"
    assert await apart.figure(first, "oa_calls_total") > 0


# Acts


async def test_a_lost_answer_is_read_back_once_and_told_at_the_other_node(apart: Apart) -> None:
    first, second = await apart.leading()
    request_id = await apart.document("s0002")
    card = await opened(apart, first, "s0002", request_id)
    page = await apart.page(second, "s0002")
    asked = apart.told(SUBMIT)
    await apart.fault("lost_submit")
    assert (await act(apart, first, "s0002", card, "lost"))["state"] == "unknown"
    await acted(page, request_id, "done")
    again = await act(apart, second, "s0002", card, "lost")

    assert again["state"] == "done"
    assert apart.told(SUBMIT) - asked == 1
    assert apart.entries(request_id).count((2, "approve")) == 1


async def test_one_act_pressed_on_both_nodes_reaches_the_oa_once(apart: Apart) -> None:
    request_id = await apart.document("s0002", "s0003")
    card = await opened(apart, apart.nodes[0], "s0002", request_id)
    pages = [await apart.page(node, "s0002") for node in apart.nodes]
    asked = apart.told(SUBMIT)
    await apart.fault("late_submit")
    pressed = [
        asyncio.create_task(act(apart, node, "s0002", card, "twice")) for node in apart.nodes
    ]

    async def is_asked() -> bool:
        return apart.told(SUBMIT) > asked

    await until(is_asked, "the OA is told")
    for node in apart.nodes:
        pressed.append(asyncio.create_task(act(apart, node, "s0002", card, "twice")))
        assert (await opened(apart, node, "s0002", request_id))["last_act"]["state"] == "asked"
    await apart.fault("off")

    assert {one["state"] for one in await asyncio.gather(*pressed)} <= {"asked", "done"}
    for page in pages:
        await acted(page, request_id, "done")
        states = [told["act"]["state"] for told in page.named("documents.acted")]
        assert states == ["done"], "an act under way is not unknown"
    assert apart.told(SUBMIT) - asked == 1
    assert apart.entries(request_id).count((2, "approve")) == 1


async def test_of_two_people_at_once_one_wins_and_the_other_keeps_the_words(apart: Apart) -> None:
    request_id = await apart.document("s0003", "s0004", mode="any")
    people = dict(zip(("s0003", "s0004"), apart.nodes, strict=True))
    cards = {who: await opened(apart, node, who, request_id) for who, node in people.items()}
    pages = {who: await apart.page(node, who) for who, node in people.items()}
    asked = apart.told(SUBMIT)
    await apart.fault("late_submit")
    acts = [
        asyncio.create_task(act(apart, node, who, cards[who], "at once"))
        for who, node in people.items()
    ]

    async def both_asked() -> bool:
        return apart.told(SUBMIT) - asked == 2

    await until(both_asked, "both nodes are telling the OA")
    await apart.fault("off")
    await asyncio.gather(*acts)
    assert apart.told(SUBMIT) - asked == 2, "nothing was said again"
    ends = {who: await acted(page, request_id, "done", "moved") for who, page in pages.items()}

    assert apart.told(SUBMIT) - asked == 2
    [winner] = [who for who, end in ends.items() if end["state"] == "done"]
    [loser] = people.keys() - {winner}
    assert ends[loser]["opinion"] == f"{loser} 同意"
    assert [user for user, what in apart.entries(request_id) if what == "approve"] == [
        int(winner[1:])
    ]
    now = await opened(apart, people[loser], loser, request_id)
    assert now["last_act"]["state"] == "moved"
    assert "approve" not in {one["action"] for one in now["actions"]}


# Starts


async def test_one_start_sent_on_both_nodes_makes_one_document(apart: Apart) -> None:
    title, asked = "两处发起的请示", apart.told(CREATE)
    pages = [await apart.page(node, "s0002") for node in apart.nodes]
    await asyncio.gather(*(start(apart, node, "s0002", title) for node in apart.nodes * 2))
    for page in pages:
        told = await page.wait_for("documents.started", timeout_s=WITHIN_S)
        assert told["start"]["state"] == "done"
    cards = [await start(apart, node, "s0002", title) for node in apart.nodes]

    assert cards[0] == cards[1]
    assert (started(apart, title), apart.told(CREATE) - asked) == (1, 1)


# Deputies and reminders


async def test_a_deputy_named_at_one_node_is_one_at_the_other(apart: Apart) -> None:
    one, other = apart.nodes
    await apart.followed("s0005")
    page = await apart.page(other, "s0006")
    today = (await apart.ask(one, "s0005", "deputies.show"))["today"]
    period = {"begins_on": today, "ends_on": today}
    await apart.ask(one, "s0005", "deputies.set", deputy_id="s0006", **period)
    await page.wait_for("deputies.changed", timeout_s=WITHIN_S)
    listed = await apart.ask(other, "s0006", "deputies.todos")
    assert [who["person"]["person_id"] for who in listed["people"]] == ["s0005"]

    request_id = await apart.document("s0005")
    await apart.followed("s0005", request_id)
    listed = await apart.ask(other, "s0006", "deputies.todos")
    assert [who["pending"] for who in listed["people"]] == [1], "the number on the chip"
    [row] = [one for one in listed["items"] if one["request_id"] == request_id]
    assert (row["for_person"], row["is_new"]) == ("s0005", True)
    await apart.ask(other, "s0006", "deputies.opened", request_id=request_id)
    [row] = (await apart.ask(one, "s0006", "deputies.todos"))["items"]
    assert row["is_new"] is False

    page = await apart.page(one, "s0006")
    await apart.ask(other, "s0005", "deputies.end")
    await page.wait_for("deputies.changed", timeout_s=WITHIN_S)
    for node in apart.nodes:
        assert (await apart.ask(node, "s0006", "deputies.todos"))["people"] == []


async def test_the_limits_of_reminders_count_over_both_nodes(apart: Apart) -> None:
    apart.clock.behind_ms = LEFT_ALONE_MS + 60_000
    ids = [await apart.document("s0007") for _ in range(DOCUMENTS_A_DAY + 1)]
    apart.clock.behind_ms = 0
    one, other = apart.nodes
    page = await apart.page(one, "s0007")
    await page.ask("stream.visible", {"visible": True})
    await apart.followed("s0007", *ids)

    async def urge(node: ServerProcess, request_id: str) -> str:
        said = await apart.ask(node, "s0001", "documents.urge", request_id=request_id)
        return str(said["holders"][0]["state"])

    at_once = await asyncio.gather(urge(one, ids[0]), urge(other, ids[0]))
    assert sorted(at_once) == ["reminded", "too_soon"], "one holder, one document"
    for place, request_id in enumerate(ids[1:-2]):
        assert await urge(apart.nodes[place % 2], request_id) == "reminded"
    at_once = await asyncio.gather(urge(one, ids[-2]), urge(other, ids[-1]))
    assert sorted(at_once) == ["limit", "reminded"], "so many a day, and no more"


# A node dies


@pytest.mark.parametrize(("leads", "rounds"), KILLS)
async def test_what_a_killed_node_was_telling_is_found_out_by_the_other(
    apart: Apart, leads: bool, rounds: int
) -> None:
    for number in range(rounds):
        await apart.revive()
        await a_node_dies(apart, f"{leads} {rounds} {number}", leads=leads)
        await apart.hang_up()


async def a_node_dies(apart: Apart, name: str, *, leads: bool) -> None:
    nodes = await apart.leading()
    dying, living = nodes if leads else reversed(nodes)
    title = f"发起中断的请示 {name}"
    request_id, late_id = await apart.document("s0002"), await apart.document("s0003")
    card = await opened(apart, dying, "s0002", request_id)
    late_card = await opened(apart, living, "s0003", late_id)
    pages = {who: await apart.page(living, who) for who in ("s0002", "s0003", "s0004", "s0008")}
    asked, created = apart.told(SUBMIT), apart.told(CREATE)
    waiting = (await apart.ask(living, "s0008", "todos.count"))["pending"]
    await apart.fault("slow_submit")
    telling = [
        asyncio.create_task(act(apart, dying, "s0002", card, f"killed {name}")),
        asyncio.create_task(start(apart, dying, "s0004", title)),
    ]

    async def arrived() -> bool:
        return bool(apart.entries(request_id).count((2, "approve")) and started(apart, title))

    await until(arrived, "the OA did what it was asked")
    dying.kill()
    await asyncio.gather(*telling, return_exceptions=True)
    copies = apart.told(COPIES)
    await apart.tours(CopyTour(id=TOUR, hurries=True, under_way=True, after="s0004"))
    # Meanwhile somebody whose node lives acts, and the OA does it long after the node gave up.
    await apart.fault("late_submit")
    late = asyncio.create_task(act(apart, living, "s0003", late_card, f"late {name}"))
    new_id = await apart.document("s0008")
    await acted(pages["s0003"], late_id, "unknown")
    await apart.fault("off")

    await acted(pages["s0003"], late_id, "done")
    await pages["s0008"].wait_for(
        "todos.counted", lambda body: body["pending"] == waiting + 1, timeout_s=WITHIN_S
    )
    await acted(pages["s0002"], request_id, "done")
    told = await pages["s0004"].wait_for(
        "documents.started", lambda body: body["start"]["title"] == title, timeout_s=WITHIN_S
    )
    await late
    assert told["start"]["state"] == "done"
    assert await apart.figure(living, "node_leads") == 1.0
    assert (await act(apart, living, "s0002", card, f"killed {name}"))["state"] == "done"
    assert (await start(apart, living, "s0004", title))["state"] == "done"
    assert apart.told(SUBMIT) - asked == 2
    assert apart.entries(request_id).count((2, "approve")) == 1
    assert apart.entries(late_id).count((3, "approve")) == 1
    assert (started(apart, title), apart.told(CREATE) - created) == (1, 1)
    await apart.followed("s0008", new_id)
    if leads:
        await until(apart.toured, "the tour of copies goes on")
        assert 4 <= apart.told(COPIES) - copies < len(PEOPLE), "where the other ended"
