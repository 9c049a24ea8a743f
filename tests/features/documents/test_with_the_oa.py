"""Documents in the stand-in OA, over its real interface: opened and acted on by people of the hospital."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.features.wecom.hospital import Hospital, until, whole_hospital

ME = "s0002"


class Round(Hospital):
    """What somebody does with documents here."""

    async def ask(self, name: str, person: str = ME, **fields: Any) -> dict[str, Any]:
        answer = await self.house.ask(person, f"documents.{name}", **fields)
        return dict(answer.result) if answer.status == 200 else {"refused": answer.code}

    async def open(self, request_id: str, person: str = ME) -> dict[str, Any]:
        return await self.ask("open", person, request_id=request_id)

    async def act(self, request_id: str, action: str = "approve", **fields: Any) -> dict[str, Any]:
        if "seen" not in fields:
            fields["seen"] = (await self.open(request_id))["seen"]
        given = {"client_id": f"{action}-{request_id}", "opinion": "同意，请尽快办理", **fields}
        said = await self.ask("act", request_id=request_id, action=action, **given)
        return dict(said.get("act", said))

    async def fault(self, mode: str, **fields: Any) -> None:
        await self.post("/oa/faults", mode=mode, **fields)

    async def ends(self, request_id: str, state: str) -> dict[str, Any]:
        """What my last act comes to, without opening it myself."""

        async def ended() -> dict[str, Any] | None:
            docs = await self.house.server.store.scan("acts", limit=100)
            mine = [one for one in docs if one["request_id"] == request_id]
            return mine[-1] if mine and mine[-1].get("state") == state else None

        return dict(await until(ended))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hospital(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Round]:
    folder: Path = tmp_path_factory.mktemp("documents")
    async with whole_hospital(folder) as hospital:
        yield Round(hospital.house, hospital.sandbox)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_yes_is_in_the_oa_once_with_its_words_and_off_the_list(hospital: Round) -> None:
    request_id = await hospital.document(form={}, approvers=[ME, "s0003"])

    async def waits() -> bool:
        return await hospital.pending() > 1

    await until(waits)
    card = await hospital.open(request_id)
    assert {one["action"] for one in card["actions"]} >= {"approve", "reject"}
    assert card["creator_id"] == "s0001"

    assert (await hospital.act(request_id, seen=card["seen"]))["state"] == "done"
    after = await hospital.open(request_id)
    [mine] = [one for one in after["opinions"] if one["person_id"] == ME]
    assert "请尽快办理" in mine["html"]
    assert {one["action"] for one in after["actions"]} <= {"forward"}
    assert after["last_act"]["state"] == "done"
    assert await hospital.pending() == 1
    rows = [r for r in await hospital.audit("documents.acted") if r["subject"] == request_id]
    assert [(r["actor_id"], r["detail"]["answer"]) for r in rows] == [(ME, "success")]


async def test_a_lost_answer_is_found_by_reading_back(hospital: Round) -> None:
    request_id = await hospital.document(form={})
    await hospital.fault("lost_submit", for_s=5)
    act = await hospital.act(request_id)
    assert act["state"] == "unknown"
    await hospital.ends(request_id, "done")
    assert (await hospital.in_oa(request_id))["done"] == [ME]


async def test_somebody_at_the_desk_was_faster(hospital: Round) -> None:
    request_id = await hospital.document(form={})
    seen = (await hospital.open(request_id))["seen"]
    await hospital.post(f"/oa/requests/{request_id}/submit", user=ME)
    act = await hospital.act(request_id, seen=seen)
    assert (act["state"], act["opinion"]) == ("moved", "同意，请尽快办理")
    figures = (await hospital.house.request("GET", "/metrics")).text
    assert 'oa_acts_total{action="approve",state="moved",via="page"} 1.0' in figures


async def test_a_no_without_a_reason_and_an_oa_that_is_away(hospital: Round) -> None:
    request_id = await hospital.document(form={})
    seen = (await hospital.open(request_id))["seen"]
    await hospital.fault("failed", for_s=60)
    assert (await hospital.act(request_id, seen=seen))["state"] == "refused"
    await hospital.fault("blocked", for_s=60)
    assert await hospital.open(request_id) == {"refused": "oa_blocked"}
    await hospital.fault("off")
    assert (await hospital.open(request_id, "s0003"))["refused"] == "not_found"


async def test_what_is_rejected_and_what_is_forwarded(hospital: Round) -> None:
    request_id = await hospital.document(form={})
    said = await hospital.act(request_id, "forward", to=["s0003"])
    assert said["state"] == "done"
    assert (await hospital.open(request_id, "s0003"))["request_id"] == request_id
    assert (await hospital.act(request_id, "reject"))["state"] == "done"


async def test_a_file_comes_through_under_its_own_name(hospital: Round) -> None:
    request_id = await hospital.document(
        kind="发文审批", form={}, attachments=["关于印发制度的通知.pdf"]
    )
    card = await hospital.open(request_id)
    [file] = [one for field in card["fields"] for one in field["attachments"]]
    assert file["name"] == "关于印发制度的通知.pdf"
    answer = await hospital.http.get(f"{hospital.house.url}{file['url']}")
    body = await answer.read()
    assert (answer.status, body[:5]) == (200, b"%PDF-"), body[:200]
    assert "inline" in answer.headers["Content-Disposition"]
    assert len(await hospital.audit("documents.downloaded")) == 1


async def test_a_large_form_is_filled_in_and_comes_back_as_it_was_filled(hospital: Round) -> None:
    request_id = await hospital.document(kind="大表单")
    card = await hospital.open(request_id)
    assert (len(card["fields"]) > 40, len(card["tables"])) == (True, 2)
    paid = [{one["name"]: one["value"] for one in row} for row in card["tables"][1]["rows"]]
    fields = {"field24": "s0003", "field08": "2026-11-20", "field04": "3.50"}
    act = await hospital.act(
        request_id, seen=card["seen"], fields=fields, rows=[None, [*paid, {"zf": "1"}]]
    )
    assert act["state"] == "done"
    after = await hospital.open(request_id)
    values = {one["name"]: one["value"] for one in after["fields"]}
    assert {name: values[name] for name in fields} == fields
    assert [len(table["rows"]) for table in after["tables"]] == [
        len(card["tables"][0]["rows"]),
        len(paid) + 1,
    ]
