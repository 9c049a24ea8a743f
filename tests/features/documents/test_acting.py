"""Acting on a document: told once, whatever becomes of the answer, and nothing that was not offered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.acting.verdict import SURE_AFTER_MS
from server.features.documents import acting
from server.integrations.oa import Unreachable
from server.integrations.oa.documents import Demand
from tests.features.documents.desk import FIELDS, TABLE, Desk, OneDocument, open_desk
from tests.features.office import Refusal

SURE_S = SURE_AFTER_MS / 1000


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, OneDocument()) as desk:
        yield desk


async def test_a_yes_is_told_once_recorded_and_taken_off_the_list(desk: Desk) -> None:
    ann = await desk.office.client("ann")
    seen = (await desk.open())["seen"]
    first = await desk.act(seen=seen, opinion="可以")
    again = await desk.act(seen=seen, opinion="可以")

    assert first["state"] == again["state"] == "done"
    [(oa_user, said)] = desk.oa.said
    assert (oa_user, said.action, said.opinion) == ("2", "approve", "可以")
    assert desk.taken.acted_on == [("ann", "7")]
    [row] = await desk.records()
    assert (row["actor_id"], row["subject"], row["address"]) == ("ann", "7", "127.0.0.1")
    assert await desk.came_to() == [("done", "success")]
    [told] = ann.told("documents.acted")
    assert (told["request_id"], told["act"]["state"]) == ("7", "done")


async def test_two_pages_with_the_same_client_id_are_one_act(desk: Desk) -> None:
    seen = (await desk.open())["seen"]
    acts = await asyncio.gather(*(desk.act(seen=seen) for _ in range(2)))
    assert len(desk.oa.said) == 1
    assert {act["state"] for act in acts} <= {"asked", "done"}
    assert await desk.came_to() == [("done", "success")]


async def test_two_acts_at_once_are_one_and_the_other_is_refused(desk: Desk) -> None:
    seen = (await desk.open())["seen"]
    acts = await asyncio.gather(
        desk.act(seen=seen, client_id="c1"),
        desk.act("reject", seen=seen, client_id="c2"),
        return_exceptions=True,
    )
    assert len(desk.oa.said) == 1
    assert [a for a in acts if isinstance(a, dict) and a["state"] == "done"]


async def test_an_opening_from_before_another_act_of_mine_is_not_acted_upon(desk: Desk) -> None:
    """The second finger was slower, and the next step is Ann's as well: it would be told there."""
    seen = (await desk.open())["seen"]
    held = desk.oa.held = asyncio.Event()
    slower = asyncio.create_task(desk.act(seen=seen, client_id="c2"))
    while desk.oa.openings < 2:
        await asyncio.sleep(0)
    desk.oa.held = None
    assert (await desk.act(seen=seen, client_id="c1"))["state"] == "done"
    desk.oa.holder = "2"
    held.set()
    with pytest.raises(Refusal) as refused:
        await slower
    assert refused.value.code == "conflict"
    assert len(desk.oa.said) == 1


async def test_a_client_id_is_for_one_act(desk: Desk) -> None:
    await desk.act()
    with pytest.raises(Refusal) as refused:
        await desk.act("reject", seen="x")
    assert refused.value.code == "conflict"


async def test_who_was_slower_gets_the_new_state_and_the_words_back(desk: Desk) -> None:
    seen = (await desk.open())["seen"]
    desk.oa.act("2")
    act = await desk.act(seen=seen, opinion="我的意见")
    assert (act["state"], act["opinion"]) == ("moved", "我的意见")
    assert desk.oa.said == []
    assert await desk.came_to() == [("moved", "not told: moved on")]
    assert (await desk.open())["last_act"]["state"] == "moved"


async def test_a_lost_answer_is_unknown_and_then_found_by_reading_back(desk: Desk) -> None:
    desk.oa.loses = "after"
    assert (await desk.act())["state"] == "unknown"
    await desk.after(3)

    [act] = await desk.kept()
    assert (act.state, act.look_at, act.opinion) == ("done", None, "")
    assert len(desk.oa.said) == 1
    assert desk.taken.acted_on == [("ann", "7")]
    assert await desk.came_to() == [("unknown", "unreachable"), ("done", "found in its log")]


async def test_a_call_that_never_arrived_stays_unknown_and_is_never_sent_again(desk: Desk) -> None:
    ann = await desk.office.client("ann")
    desk.oa.loses = "before"
    assert (await desk.act(opinion="可以"))["may_repeat"] is False
    with pytest.raises(Refusal) as refused:
        await desk.act(client_id="c2")
    assert refused.value.code == "conflict"
    await desk.after(SURE_S)
    desk.oa.loses = ""
    for _ in range(3):
        await desk.after(600)

    [told, sure] = ann.told("documents.acted")
    assert (told["act"]["state"], sure["act"]["state"]) == ("unknown", "unknown")
    assert (sure["act"]["may_repeat"], sure["act"]["opinion"]) == (True, "可以")
    assert desk.oa.said == []
    assert (await desk.act(client_id="c2"))["state"] == "done"


async def test_who_opens_it_again_learns_what_became_of_it(desk: Desk) -> None:
    desk.oa.loses = "after"
    await desk.act()
    assert (await desk.open())["last_act"]["state"] == "done"


async def test_somebody_else_was_faster_while_the_answer_was_lost(desk: Desk) -> None:
    desk.oa.loses = "before"
    await desk.act(opinion="可以")
    desk.oa.node_id, desk.oa.holder = "30", "3"
    await desk.after(3)
    [act] = await desk.kept()
    assert (act.state, act.opinion) == ("moved", "可以")


async def test_what_was_asked_before_a_kill_is_read_back_by_whoever_leads_next(desk: Desk) -> None:
    desk.oa.slow = asyncio.Event()
    task = asyncio.create_task(desk.act())
    while not await desk.kept():
        await asyncio.sleep(0)
    task.cancel()
    for telling in desk.office.services[acting.Telling]._tasks:
        telling.cancel()
    [asked] = await desk.kept()
    assert asked.state == "asked"
    desk.oa.act("2")  # the call had reached the OA
    await desk.after(26)
    [act] = await desk.kept()
    assert (act.state, desk.oa.said) == ("done", [])


async def test_while_the_oa_is_away_nothing_is_learnt_and_nothing_forgotten(desk: Desk) -> None:
    desk.oa.loses = "after"
    await desk.act()
    desk.oa.fault = Unreachable("down")
    for _ in range(5):
        await desk.after(60)
    desk.oa.fault = None
    await desk.after(60)
    [act] = await desk.kept()
    assert act.state == "done"


async def test_a_slow_oa_is_answered_for_and_the_end_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "WAIT_S", 0.0)
    ann = await desk.office.client("ann")
    desk.oa.slow = asyncio.Event()
    assert (await desk.act())["state"] == "asked"
    desk.oa.slow.set()
    async with asyncio.timeout(20):
        while not ann.told("documents.acted"):
            await asyncio.sleep(0.01)
    assert ann.told("documents.acted")[0]["act"]["state"] == "done"


async def test_an_act_on_its_way_is_not_unknown_to_who_opens_the_document_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "WAIT_S", 0.0)
    ann = await desk.office.client("ann")
    desk.oa.slow = asyncio.Event()
    await desk.act()
    assert (await desk.open())["last_act"]["state"] == "asked"
    desk.oa.slow.set()
    async with asyncio.timeout(20):
        while not ann.told("documents.acted"):
            await asyncio.sleep(0.01)
    assert [told["act"]["state"] for told in ann.told("documents.acted")] == ["done"]


@pytest.mark.parametrize(
    ("who", "state", "opinion"),
    [("3", "moved", "可以"), ("2", "done", "")],
    ids=["else", "oneself"],
)
async def test_a_no_because_the_document_went_on_meanwhile_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, who: str, state: str, opinion: str
) -> None:
    monkeypatch.setattr(acting, "WAIT_S", 0.0)
    desk.oa.slow = asyncio.Event()
    await desk.act(opinion="可以")
    desk.oa.act(who)
    desk.oa.slow.set()
    async with asyncio.timeout(20):
        while (await desk.kept())[0].state == "asked":
            await asyncio.sleep(0.01)
    [act] = await desk.kept()
    assert (act.state, act.opinion) == (state, opinion)
    assert desk.oa.said == []


async def test_a_yes_of_the_oa_stands_above_what_an_opening_showed_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "WAIT_S", 0.0)
    ann = await desk.office.client("ann")
    desk.oa.slow = asyncio.Event()
    await desk.act(opinion="可以")
    desk.oa.node_id, desk.oa.holder = "30", "3"  # the step has ended, its entry is not written yet
    assert (await desk.open())["last_act"]["state"] == "moved"
    desk.oa.holder = "2"
    desk.oa.slow.set()
    async with asyncio.timeout(20):
        while len(ann.told("documents.acted")) < 2:
            await asyncio.sleep(0.01)
    assert [told["act"]["state"] for told in ann.told("documents.acted")] == ["moved", "done"]
    assert [act.state for act in await desk.kept()] == ["done"]


async def test_a_no_of_the_oa_is_told(desk: Desk) -> None:
    desk.oa.refuses = True
    assert (await desk.act())["state"] == "refused"
    assert await desk.came_to() == [("refused", "failed")]
    assert desk.taken.acted_on == []


async def test_a_call_that_surely_never_left_is_refused_not_unknown(desk: Desk) -> None:
    async def submit(*_: Any) -> bool:
        raise Unreachable("not tried", never_arrived=True)

    desk.oa.submit = submit  # type: ignore[method-assign]
    act = await desk.act()
    assert act["state"] == "refused"
    assert act["reason"] == "never_arrived"


async def test_a_node_that_stood_still_after_keeping_an_act_does_not_send_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = (await desk.open())["seen"]
    apply = desk.office.store.apply

    async def stands_still(*ops: Any, **told: Any) -> Any:
        stored = await apply(*ops, **told)
        desk.office.clock.advance(SURE_S)
        return stored

    monkeypatch.setattr(desk.office.store, "apply", stands_still)
    act = await desk.act(seen=seen)

    assert desk.oa.said == []
    assert (act["state"], act["reason"]) == ("refused", "never_arrived")


async def test_while_the_oa_is_down_nothing_is_kept(desk: Desk) -> None:
    seen = (await desk.open())["seen"]
    desk.oa.fault = Unreachable("down")
    with pytest.raises(Refusal) as refused:
        await desk.act(seen=seen)
    assert refused.value.code == "oa_away"
    assert await desk.kept() == []


@pytest.mark.parametrize(
    ("demand", "wrong", "right"),
    [
        ("opinion", {"opinion": "  "}, {"opinion": "同意"}),
        ("affirmation", {}, {"affirmed": True}),
    ],
)
async def test_what_the_step_demands_is_asked_for(
    desk: Desk, demand: Demand, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    desk.oa.demands = frozenset({demand})
    with pytest.raises(Refusal) as refused:
        await desk.act(**wrong)
    assert refused.value.code == "invalid"
    assert (await desk.act(**right))["state"] == "done"


async def test_only_what_is_offered_is_done(desk: Desk) -> None:
    desk.oa.offered = {"approve": "同意"}
    for action in ("reject", "forward", "approve_wanting_reply"):
        with pytest.raises(Refusal) as refused:
            await desk.act(action)
        assert refused.value.code == "invalid"
    assert desk.oa.said == []


async def test_a_plain_yes_from_a_list_is_for_plain_documents_only(desk: Desk) -> None:
    desk.oa.demands = frozenset({"opinion"})
    for fields in ({}, {"opinion": "好"}):
        with pytest.raises(Refusal) as refused:
            await desk.act(seen="", **fields)
        assert refused.value.code == "conflict"
    desk.oa.demands = frozenset()
    with pytest.raises(Refusal):
        await desk.act("reject", seen="")
    assert (await desk.act(seen=""))["state"] == "done"


async def test_a_plain_yes_is_for_what_the_list_showed(desk: Desk) -> None:
    opened = await desk.open()
    listed = {"listed_title": opened["title"], "listed_node": opened["node"]}
    for other in ({**listed, "listed_node": "部门审核"}, {**listed, "listed_title": "别的"}):
        with pytest.raises(Refusal) as refused:
            await desk.act(seen="", **other)
        assert refused.value.code == "conflict"
    assert desk.oa.said == []

    assert (await desk.act(seen="", **listed))["state"] == "done"


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "别的"},
        {"nothing": "x"},
        {"days": "two"},
        {"from": "2026-13-01"},
        {"how": "3"},
        {"who": "dan"},
        {"who": "nobody"},
        {"days": ""},
        {"why": ""},
        {},
    ],
)
async def test_values_that_do_not_fit_are_refused_in_words(
    desk: Desk, fields: dict[str, str]
) -> None:
    desk.oa.fields = FIELDS
    with pytest.raises(Refusal) as refused:
        await desk.act(fields={"why": "轮休", **fields} if fields else {})
    assert refused.value.code == "invalid"
    assert await desk.kept() == []


async def test_people_are_told_to_the_oa_by_their_accounts_there(desk: Desk) -> None:
    desk.oa.fields, desk.oa.tables = FIELDS, (TABLE,)
    await desk.act(
        fields={"why": "轮休", "who": "ann,cai"},
        rows=[[{"day": "2026-01-06", "no": "9"}, {"day": "2026-01-07"}]],
    )
    [(_, said)] = desk.oa.said
    assert said.values == {"why": "轮休", "who": "2,4"}
    assert said.rows == [[{"day": "2026-01-06"}, {"day": "2026-01-07"}]]


@pytest.mark.parametrize(
    "rows", [[[]], [[{"day": "x"}]], [[{"day": "2026-01-05"}, {}]], [None, []]]
)
async def test_rows_that_do_not_fit_are_refused(desk: Desk, rows: list[Any]) -> None:
    desk.oa.tables = (TABLE,)
    with pytest.raises(Refusal) as refused:
        await desk.act(rows=rows)
    assert refused.value.code == "invalid"


async def test_it_is_forwarded_to_people_with_an_account(desk: Desk) -> None:
    for to in ([], ["dan"], ["ann"], ["nobody"]):
        with pytest.raises(Refusal):
            await desk.act("forward", to=to)
    act = await desk.act("forward", to=["bob", "cai"], opinion="请看")
    assert act["state"] == "done"
    assert desk.oa.forwarded == [("2", ("3", "4"), "请看", "127.0.0.1")]
    assert desk.taken.acted_on == []
    [row] = [row for row in await desk.records() if row["action"] == "documents.acted"]
    assert row["detail"]["to"] == ["bob", "cai"]


async def test_acts_are_counted_by_what_they_came_to(desk: Desk) -> None:
    await desk.act()
    assert desk.acts.ended == {("page", "approve", "done"): 1}


async def test_what_ends_before_it_is_kept_is_recorded_with_the_reason(desk: Desk) -> None:
    seen = (await desk.open())["seen"]
    desk.oa.fault = Unreachable("down")
    for _ in range(2):
        with pytest.raises(Refusal):
            await desk.act(seen=seen)
    desk.oa.fault = None
    with pytest.raises(Refusal):
        await desk.act("approve_wanting_reply", seen=seen)

    assert (desk.oa.said, await desk.kept()) == ([], [])
    rows = sorted(await desk.records(), key=lambda row: row["detail"]["why"])
    assert [(row["action"], row["detail"]["why"]) for row in rows] == [
        ("documents.not_acted", why) for why in ("invalid", "oa_away", "oa_away")
    ]
    assert {(row["actor_id"], row["subject"], row["address"]) for row in rows} == {
        ("ann", "7", "127.0.0.1")
    }
