"""The stand-in's groups: strict about what WeCom is strict about, and nothing is forgotten."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.wecom_group_state import GroupLog
from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, running_sandbox

GOOD = {"chatid": "nightshift", "name": "夜班", "owner": "s0001", "userlist": ["s0001", "s0002"]}
TEXT = {"chatid": "nightshift", "msgtype": "text", "text": {"content": "在"}}


async def call(sandbox: RunningSandbox, kind: str, body: Any) -> dict[str, Any]:
    """WeCom's answer to a call about groups."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    url = f"{sandbox.base}/wecom/cgi-bin/appchat/{kind}"
    query = {"access_token": await sandbox.token()}
    async with sandbox.http.post(url, params=query, data=raw) as response:
        assert response.status == 200
        return dict(await response.json())


async def shown(sandbox: RunningSandbox) -> dict[str, Any]:
    async with sandbox.http.get(f"{sandbox.base}/wecom/appchat/nightshift") as response:
        return dict(await response.json())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, 0),
        ({"chatid": "with-a-dash"}, 86001),
        ({"chatid": "x" * 33}, 86001),
        ({"name": ""}, 86202),
        ({"userlist": ["s0001"]}, 86006),
        ({"userlist": ["s0001", "S0001"]}, 86006),
        ({"userlist": ["s0001", "nobody"]}, 40003),
        ({"userlist": ["s0001", "s0005"]}, 60011),
        ({"userlist": "s0001|s0002"}, 40031),
        ({"owner": "s0003"}, 86207),
    ],
)
async def test_what_a_group_is_made_of_is_checked(
    sandbox: RunningSandbox, changed: dict[str, Any], code: int
) -> None:
    assert (await call(sandbox, "create", {**GOOD, **changed}))["errcode"] == code


async def test_an_id_is_given_once(sandbox: RunningSandbox) -> None:
    await call(sandbox, "create", GOOD)
    assert (await call(sandbox, "create", GOOD))["errcode"] == 86215


async def test_escapes_and_other_bodies_are_refused(sandbox: RunningSandbox) -> None:
    await call(sandbox, "create", GOOD)
    escaped = json.dumps({**TEXT, "text": {"content": "在"}}).encode()
    assert (await call(sandbox, "send", escaped))["errcode"] == 40033
    assert (await call(sandbox, "send", b"[]"))["errcode"] == 40035
    assert (await call(sandbox, "send", {**TEXT, "text": {"content": ""}}))["errcode"] == 44004
    assert (await call(sandbox, "send", {**TEXT, "msgtype": "song"}))["errcode"] == 40008
    assert (await call(sandbox, "send", {**TEXT, "chatid": "other"}))["errcode"] == 86003


async def test_a_message_is_shown_to_whoever_is_in_the_group_then(sandbox: RunningSandbox) -> None:
    await call(sandbox, "create", GOOD)
    await call(sandbox, "send", TEXT)
    change = {"chatid": "nightshift", "add_user_list": ["S0003"], "del_user_list": ["s0002"]}
    assert (await call(sandbox, "update", change))["errcode"] == 0
    await call(sandbox, "send", TEXT)
    seen = [m["shown_to"] for m in (await shown(sandbox))["messages"]]
    assert seen == [["s0001", "s0002"], ["s0001", "s0003"]]


async def test_an_owner_goes_only_when_another_is_named(sandbox: RunningSandbox) -> None:
    await call(sandbox, "create", {**GOOD, "userlist": ["s0001", "s0002", "S0003"]})
    change = {"chatid": "nightshift", "del_user_list": ["s0001"]}
    assert (await call(sandbox, "update", change))["errcode"] == 86203
    assert (await call(sandbox, "update", {**change, "owner": "s0002"}))["errcode"] == 0
    assert (await shown(sandbox))["owner"] == "s0002"


async def test_one_member_is_shown_two_hundred_a_minute_and_no_error_tells(
    sandbox: RunningSandbox, clock: ManualClock
) -> None:
    await call(sandbox, "create", GOOD)
    log = sandbox.wecom.groups.log
    group = log.group("nightshift")
    assert group is not None
    for _ in range(200):
        log.say(group, "text", "在", clock.now())
    assert (await call(sandbox, "send", TEXT))["errcode"] == 0
    assert (await shown(sandbox))["dropped"] == 2
    clock.advance(61)
    await call(sandbox, "send", TEXT)
    assert (await shown(sandbox))["dropped"] == 2


async def test_too_many_groups_a_day_are_refused(
    sandbox: RunningSandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sandbox.wecom_groups.CREATED_A_DAY", 2)
    codes = [
        (await call(sandbox, "create", {**GOOD, "chatid": f"g{number}"}))["errcode"]
        for number in range(3)
    ]
    assert codes == [0, 0, 45009]


async def test_groups_are_there_after_a_restart(tmp_path: Path) -> None:
    async with running_sandbox(tmp_path) as sandbox:
        await call(sandbox, "create", GOOD)
        await call(sandbox, "send", TEXT)
    async with running_sandbox(tmp_path) as sandbox:
        assert [m["content"] for m in (await shown(sandbox))["messages"]] == ["在"]
    log = GroupLog(tmp_path / "sandbox")
    assert [group.name for group in log.groups()] == ["夜班"]
    log.close()
