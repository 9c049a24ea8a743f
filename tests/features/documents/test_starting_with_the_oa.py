"""Starting documents in the stand-in OA, over its real interface: every code, and an answer that is lost."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.features.wecom.hospital import Hospital, until, whole_hospital

ME = "s0002"
GENERAL = "1"
WORDS = {
    -1: "failed",
    -2: "no_right",
    -3: "basic_data",
    -4: "form",
    -5: "urgency",
    -6: "operators",
    -7: "next_step",
    -8: "step_action",
    -9: "rows",
}


class Office(Hospital):
    """What somebody starts here."""

    async def ask(self, name: str, **fields: Any) -> dict[str, Any]:
        answer = await self.house.ask(ME, f"documents.{name}", **fields)
        assert answer.status == 200, answer
        return dict(answer.result)

    async def start(self, title: str) -> dict[str, Any]:
        said = {"workflow_id": GENERAL, "client_id": f"c {title}", "draft": draft(title)}
        return dict((await self.ask("start", **said))["start"])


def draft(title: str) -> dict[str, Any]:
    fields = {"sy": "请领导审批。", "sqr": "s0003"}
    return {"title": title, "urgency": "urgent", "fields": fields, "rows": []}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder: Path = tmp_path_factory.mktemp("starting")
    async with whole_hospital(folder) as hospital:
        yield Office(hospital.house, hospital.sandbox)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_kinds_and_forms_are_the_oas_own(office: Office) -> None:
    kinds = (await office.ask("kinds"))["kinds"]
    blank = await office.ask("blank", workflow_id=GENERAL)

    assert {one["workflow_id"] for one in kinds} >= {GENERAL}
    labels = {one["label"]: one["kind"] for one in blank["fields"]}
    assert (labels["申请人"], labels["事由"]) == ("person", "long_text")


async def test_what_is_started_lies_in_the_oa_as_it_was_typed(office: Office) -> None:
    card = await office.start("关于排班的请示")

    assert card["state"] == "done"
    opened = await office.ask("open", request_id=card["request_id"])
    shown = {one["name"]: one["value"] for one in opened["fields"]}
    assert (shown["sqr"], opened["urgency"], opened["title"]) == ("s0003", "urgent", card["title"])


@pytest.mark.parametrize("code", WORDS)
async def test_every_code_is_a_word(office: Office, code: int) -> None:
    card = await office.start(f"创建失败{code}")

    assert (card["state"], card["reason"]) == ("refused", WORDS[code])
    assert card["may_remain"] == (code <= -4)


async def test_nil_is_unknown_and_stays_so_as_long_as_nothing_shows(office: Office) -> None:
    assert (await office.start("创建失败nil"))["state"] == "unknown"


async def test_a_lost_answer_is_found_and_sent_once(office: Office) -> None:
    title = "应答丢失的请示"
    await office.post("/oa/faults", mode="lost_submit", for_s=20)
    assert (await office.start(title))["state"] == "unknown"
    await office.post("/oa/faults", mode="off", for_s=1)

    async def found() -> bool:
        docs = await office.house.server.store.scan("starts", limit=100)
        return any(one["title"] == title and one["state"] == "done" for one in docs)

    await until(found)
    card = await office.start(title)
    started = await office.ask("open", request_id=card["request_id"])
    assert started["title"] == title
