"""`check --oa` against the stand-in: up, down, behind a filter, described wrongly, with nobody to ask for."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from server.app import opened_store
from server.checking.oa import check_oa
from server.clock import SystemClock
from server.directory.seeding import seed_people
from server.settings import Settings
from tests.sandbox.running import RunningSandbox, running_sandbox
from tests.server.house import HousePerson, HouseStaff
from tests.server.test_process import operate

FIRST, LATER = "/oa/services/WorkflowService", "/oa2024/services/WorkflowService"
FILES = "/oa/weaver/weaver.file.FileDownload?fileid={id}&key=secret"


class Looking:
    """An installation beside the stand-in, and what is printed about it."""

    def __init__(self, sandbox: RunningSandbox, folder: Path, shown: pytest.CaptureFixture[str]):
        self.sandbox, self.folder, self.shown = sandbox, folder, shown

    async def fault(self, mode: str) -> None:
        order = {"mode": mode, "for_s": 60}
        async with self.sandbox.http.post(f"{self.sandbox.base}/oa/faults", json=order) as said:
            assert said.status == 200

    async def check(
        self, user: str = "2", service: str = FIRST, wsdl: str = ""
    ) -> tuple[int, dict[str, list[str]]]:
        """The exit status, and what each line says by its first word."""
        base = self.sandbox.base
        settings = Settings(
            data_dir=self.folder,
            oa_endpoint=f"{base}{service}",
            oa_wsdl=f"{base}{wsdl}" if wsdl.startswith("/oa") else wsdl,
            oa_files_url=f"{base}{FILES}",
        )
        self.shown.readouterr()
        status = await check_oa(settings, SystemClock(), user)
        printed = self.shown.readouterr().out
        assert "secret" not in printed
        lines: dict[str, list[str]] = {}
        for line in printed.splitlines():
            lines.setdefault(line[:10].strip(), []).append(line[10:])
        return status, lines


@pytest.fixture
async def looking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Looking]:
    async with running_sandbox(tmp_path / "sandbox") as sandbox:
        body = {"title": "关于排班的请示", "creator": "s0001", "approvers": ["s0002"]}
        async with sandbox.http.post(f"{sandbox.base}/oa/requests", json=body) as said:
            assert said.status == 201
        yield Looking(sandbox, tmp_path / "data", capsys)


async def seed(folder: Path, *people: HousePerson) -> None:
    clock = SystemClock()
    async with opened_store(Settings(data_dir=folder), clock) as store:
        await seed_people(store, HouseStaff(people=people), clock)


async def test_all_is_well(looking: Looking) -> None:
    await seed(looking.folder, HousePerson("a", "安宁"), HousePerson("b", "鲍博", oa_user_id="2"))

    status, lines = await looking.check(user="")

    assert status == 0
    assert lines["wsdl"] == ["ok: the bundled one"]
    assert lines["endpoint"][0].startswith("ok: it answers (")
    assert lines["count"][0].startswith("ok: 1 documents wait for OA user 2 (")
    assert [line.split(", ")[0] for line in lines["optional"]] == [
        "getWorkflowNewFlag: yes",
        "getUserId: no: `import-staff --ask-oa` finds nobody",
    ]
    assert lines["files"][0].startswith("ok: fetched from 127.0.0.1;")


async def test_a_later_build_is_asked_by_its_own_description(looking: Looking) -> None:
    status, lines = await looking.check(service=LATER, wsdl=f"{LATER}?wsdl")

    assert (status, lines["wsdl"]) == (0, ["ok: as YUANXIN_OA_WSDL says"])
    assert lines["optional"] == ["getWorkflowNewFlag: yes", "getUserId: yes"]


async def test_an_empty_list_is_not_taken_for_a_proof(looking: Looking) -> None:
    status, lines = await looking.check(user="1")

    assert (status, lines["count"][0][:25]) == (0, "ok: 0 documents wait for ")
    assert "name somebody who has documents" in lines[""][0]


@pytest.mark.parametrize(
    ("mode", "word", "remedy"),
    [
        ("down", "endpoint", "does its network let this machine in?"),
        ("blocked", "endpoint", "this machine's address allowed"),
        ("login", "endpoint", "this machine's address allowed"),
        ("malformed", "count", "Is YUANXIN_OA_ENDPOINT a WorkflowService?"),
    ],
)
async def test_each_trouble_is_named_with_what_to_do(
    looking: Looking, mode: str, word: str, remedy: str
) -> None:
    await looking.fault(mode)

    status, lines = await looking.check()

    assert (status, lines[word][0][:9]) == (1, "NOT READY")
    assert remedy in lines[""][0]


async def test_a_page_that_is_not_there_is_a_closed_way(looking: Looking) -> None:
    status, lines = await looking.check(service="/oa/services/Workflow")

    assert status == 1
    assert "status 404" in lines["endpoint"][0]
    assert "count" not in lines


@pytest.mark.parametrize(
    ("wsdl", "why"),
    [
        ("/oa/requests", "cannot be read (XMLSyntaxError)"),
        ("/oa/none", "cannot be read (status 404)"),
    ],
)
async def test_a_wrong_description_at_an_address_is_passed_over(
    looking: Looking, wsdl: str, why: str
) -> None:
    status, lines = await looking.check(wsdl=wsdl)

    assert status == 0
    assert lines["wsdl"] == [f"NOT USED: that of YUANXIN_OA_WSDL {why}; the bundled one is used"]


async def test_a_wrong_description_in_a_file_stops_the_start(looking: Looking) -> None:
    (file := looking.folder.parent / "page.wsdl").write_text("<html/>")

    status, lines = await looking.check(wsdl=str(file))

    assert status == 1
    assert lines["wsdl"][0].startswith("NOT READY: YUANXIN_OA_WSDL: ")


async def test_nobody_to_ask_for_is_said(looking: Looking) -> None:
    status, lines = await looking.check(user="")

    assert (status, lines["count"][0][:9]) == (1, "NOT ASKED")
    assert lines["endpoint"][0].startswith("ok")


async def test_a_number_that_is_none_is_not_asked_for(looking: Looking) -> None:
    status, lines = await looking.check(user="s0002")

    assert (status, lines["count"][0][:9]) == (1, "NOT READY")
    assert "not the account" in lines[""][0]


async def test_an_operator_asks_while_the_store_is_in_use(looking: Looking) -> None:
    endpoint = f"{looking.sandbox.base}{FIRST}"
    asked = partial(operate, "check", "--oa", "2", folder=looking.folder, oa_endpoint=endpoint)
    async with opened_store(Settings(data_dir=looking.folder), SystemClock()):
        ended = await asyncio.to_thread(asked)
        status, lines = await looking.check(user="")

    assert ended.returncode == 0, ended.stderr
    assert "count     ok: 1 documents" in ended.stdout
    assert "files     NOT SET" in ended.stdout
    assert (status, lines["count"][0][:9]) == (1, "NOT ASKED")
    assert "in use by process" in lines["people"][0]


async def test_no_oa_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await check_oa(Settings(data_dir=tmp_path), SystemClock(), "") == 1
    assert "not configured; set YUANXIN_OA_ENDPOINT" in capsys.readouterr().out
