"""The stand-in's contacts: as strict as WeCom about rights and numbers, and kept over a restart."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import ManualClock
from tests.directory.hospital_sync import PARTIES, staff
from tests.memory import tmp_path
from tests.sandbox.running import RunningSandbox, running_sandbox

__all__ = ["tmp_path"]

READING = ("user/get", "user/list", "user/simplelist", "department/list", "department/get")
WRITING = ("user/create", "user/update", "user/batchdelete", "department/create", "user/list_id")


class Company:
    """The interface under either secret."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self._tokens: dict[str, str] = {}

    async def ask(self, path: str, body: Any = None, by: str = "contacts", **query: Any) -> Any:
        api = f"{self.sandbox.base}/wecom/cgi-bin/"
        if by not in self._tokens:
            secret = {"app": "sandbox", "contacts": "sandboxcontacts"}[by]
            asked = {"corpid": "wwsandbox", "corpsecret": secret}
            async with self.sandbox.http.get(f"{api}gettoken", params=asked) as response:
                self._tokens[by] = (await response.json())["access_token"]
        params = {"access_token": self._tokens[by], **{k: str(v) for k, v in query.items()}}
        method = "GET" if body is None else "POST"
        async with self.sandbox.http.request(method, api + path, params=params, json=body) as found:
            assert found.status == 200
            return await found.json()

    async def code(self, path: str, body: Any = None, by: str = "contacts", **query: Any) -> int:
        return int((await self.ask(path, body, by, **query))["errcode"])

    async def act(self, **what: Any) -> int:
        url = f"{self.sandbox.base}/wecom/directory"
        async with self.sandbox.http.post(url, json=what) as response:
            return response.status


@pytest.fixture
async def company(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Company]:
    async with running_sandbox(tmp_path, clock, people=staff(9), parties=PARTIES) as sandbox:
        yield Company(sandbox)


async def test_each_secret_may_do_its_own_and_no_more(company: Company) -> None:
    assert {await company.code(path, by="contacts") for path in READING} == {48002}
    assert {await company.code(path, {}, by="app") for path in WRITING} == {48002}
    for by in ("app", "contacts"):
        assert await company.code("department/simplelist", by=by) == 0
    send = {"touser": "w001", "msgtype": "text", "agentid": 1_000_002, "text": {"content": "x"}}
    assert await company.code("message/send", send, by="contacts") == 48002


NEW = {"userid": "fresh", "name": "新来的", "department": [2], "mobile": "10099999999"}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("user/create", NEW, 0),
        ("user/create", NEW | {"userid": "W001"}, 60102),
        ("user/create", NEW | {"userid": "-x"}, 40003),
        ("user/create", NEW | {"userid": "x" * 65}, 40003),
        ("user/create", NEW | {"name": ""}, 60112),
        ("user/create", NEW | {"department": [77]}, 60003),
        ("user/create", NEW | {"mobile": "10000000001"}, 60104),
        ("user/create", NEW | {"mobile": "phone"}, 60103),
        ("user/create", {"userid": "fresh", "name": "新", "department": [2]}, 60129),
        ("user/update", {"userid": "nobody"}, 60111),
        ("user/update", {"userid": "w001", "mobile": "10000000002"}, 60104),
        ("user/update", {"userid": "W001", "name": "改名"}, 0),
        ("user/batchdelete", {"useridlist": ["w001", "nobody"]}, 60111),
        ("user/batchdelete", {"useridlist": []}, 40031),
        ("department/create", {"name": "急诊科", "parentid": 1}, 0),
        ("department/create", {"name": "内科", "parentid": 1}, 60008),
        ("department/create", {"name": "急诊:科", "parentid": 1}, 60009),
        ("department/create", {"name": "急诊科", "parentid": 77}, 60004),
        ("department/create", {"name": "急诊科", "parentid": 1, "id": 2}, 60008),
        ("department/update", {"id": 77, "name": "x"}, 60003),
        ("department/update", {"id": 2, "parentid": 3}, 60004),
        ("user/list_id", {"limit": 0}, 40058),
        ("user/list_id", {"cursor": "%%%"}, 40058),
    ],
)
async def test_what_is_wrong_is_refused_by_wecoms_number(
    company: Company, path: str, body: dict[str, Any], code: int
) -> None:
    before = await company.ask("user/list_id", {})

    assert await company.code(path, body) == code
    if code:
        assert await company.ask("user/list_id", {}) == before


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("user/delete", {"userid": "nobody"}, 60111),
        ("user/delete", {"userid": "W001"}, 0),
        ("department/delete", {"id": 1}, 60007),
        ("department/delete", {"id": 2}, 60005),
        ("department/delete", {"id": 77}, 60003),
    ],
)
async def test_deleting_is_as_careful(company: Company, path: str, query: Any, code: int) -> None:
    assert await company.code(path, **query) == code


async def test_ids_come_in_pages_and_each_membership_once(company: Company) -> None:
    await company.ask("user/update", {"userid": "w001", "department": [2, 3]})
    rows, cursor = [], ""
    while True:
        page = await company.ask("user/list_id", {"cursor": cursor, "limit": 4})
        rows += [(row["userid"], row["department"]) for row in page["dept_user"]]
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert len(rows) == len(set(rows)) == 10
    assert {("w001", 2), ("w001", 3)} < set(rows)


async def test_the_app_sees_its_scope_and_no_phone_numbers(company: Company) -> None:
    assert await company.act(do="scope", parties=[2]) == 200
    listed = await company.ask("user/list", by="app", department_id=3)

    assert await company.code("user/list", by="app", department_id=4) == 60011
    assert await company.code("department/get", by="app", id=4) == 60011
    assert await company.code("department/get", by="app", id=77) == 60003
    assert await company.code("user/get", by="app", userid="w002") == 60011
    assert await company.code("user/get", by="app", userid="nobody") == 60111
    rows = (await company.ask("department/simplelist", by="app"))["department_id"]
    assert [row["id"] for row in rows] == [2, 3]
    [first, *_] = listed["userlist"]
    assert first["extattr"]["attrs"][0]["text"]["value"] == "1001"
    assert not {"mobile", "email", "avatar", "gender"} & set(first)


async def test_who_is_deleted_gets_no_messages_and_who_is_new_does(company: Company) -> None:
    assert await company.act(do="delete_user", userid="w001") == 200
    assert await company.act(do="create_user", **NEW) == 200
    text = {"msgtype": "text", "agentid": 1_000_002, "text": {"content": "x"}}
    sent = await company.ask("message/send", text | {"touser": "w001|fresh"}, by="app")

    assert (sent["errcode"], sent["invaliduser"]) == (0, "w001")


async def test_what_was_done_is_there_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    told = {"people": staff(3), "parties": PARTIES}
    async with running_sandbox(tmp_path, clock, **told) as sandbox:
        first = Company(sandbox)
        await first.act(do="create_user", **NEW)
        await first.act(do="delete_user", userid="w001")
    async with running_sandbox(tmp_path, clock, **told) as sandbox:
        rows = (await Company(sandbox).ask("user/list_id", {}))["dept_user"]

    assert [row["userid"] for row in rows] == ["fresh", "w000", "w002"]


@pytest.mark.parametrize(
    "what",
    [{}, {"do": "dance"}, {"do": "create_user"}, {"do": "scope", "parties": [77]}, {"do": "break"}],
)
async def test_a_door_that_is_not_understood_says_so(company: Company, what: Any) -> None:
    assert await company.act(**what) == 400
