"""The connection test names the setting that is to blame."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.clock import Millis
from server.integrations.wecom.desk import Finding
from server.integrations.wecom.examining import Examining
from server.integrations.wecom.token import MemoryTokens
from tests.sandbox.running import RunningSandbox, running_sandbox


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(tmp_path) as sandbox:
        yield sandbox


def desk(sandbox: RunningSandbox, heard: int | None = 5, **config: Any) -> Examining:
    async def last_heard() -> Millis | None:
        return None if heard is None else Millis(heard)

    return Examining(
        sandbox.config(**config),
        sandbox.http,
        MemoryTokens(),
        has_callback=True,
        last_heard=last_heard,
    )


async def found(examining: Examining, user: str | None = "s0001") -> dict[str, tuple[str, int]]:
    return {each.step: (each.found, each.code) for each in await examining.examine(user)}


async def test_all_is_well(sandbox: RunningSandbox) -> None:
    assert await found(desk(sandbox)) == {
        "settings": ("good", 0),
        "secret": ("good", 0),
        "address": ("good", 0),
        "scope": ("good", 0),
        "callback": ("good", 0),
    }


@pytest.mark.parametrize(
    ("config", "step", "code"),
    [
        ({"secret": "wrong"}, "secret", 40001),
        ({"corp_id": "wrong"}, "secret", 40013),
        ({"agent_id": 7}, "address", 40056),
        ({"api_base": ""}, "settings", 0),
    ],
)
async def test_a_wrong_setting_is_named_and_nothing_further_is_tried(
    sandbox: RunningSandbox, config: dict[str, Any], step: str, code: int
) -> None:
    *_, last, callback = await desk(sandbox, **config).examine("s0001")

    assert (last.step, last.found, last.code) == (step, "bad", code)
    assert callback.step == "callback"


async def test_an_address_that_is_not_trusted_is_told_as_wecom_saw_it(
    sandbox: RunningSandbox,
) -> None:
    await sandbox.fault("untrusted_ip")
    findings = {each.step: each for each in await desk(sandbox).examine("s0001")}

    assert findings["secret"].found == "good"
    assert (findings["address"].found, findings["address"].code) == ("bad", 60020)
    assert "127.0.0.1" in findings["address"].detail


async def test_somebody_outside_the_scope_is_named(sandbox: RunningSandbox) -> None:
    findings = {each.step: each for each in await desk(sandbox).examine("s0005")}

    assert findings["scope"] == Finding("scope", "bad", 60011, "s0005")


async def test_a_callback_that_was_never_heard_is_unknown(sandbox: RunningSandbox) -> None:
    assert (await found(desk(sandbox, heard=None)))["callback"] == ("unknown", 0)


async def test_wecom_that_cannot_be_reached_is_a_finding(sandbox: RunningSandbox) -> None:
    await sandbox.fault("down")
    findings = {each.step: each for each in await desk(sandbox).examine("s0001")}

    assert (findings["secret"].found, findings["secret"].code) == ("bad", 0)
    assert "502" in findings["secret"].detail
