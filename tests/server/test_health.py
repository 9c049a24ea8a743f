"""Whether the server lives and can serve, told to programs; and that its helpers' ends are not its own."""

from pathlib import Path

import pytest

from tests.server.house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY_HERE = "http://127.0.0.1:9"

METRICS = [
    "realtime_connections",
    "realtime_people",
    "realtime_sockets",
    "realtime_commands_total",
    "realtime_command_seconds_bucket",
    "realtime_publications_total",
    "realtime_deliveries_total",
    "realtime_queue_high_water",
    "realtime_loop_lag_seconds_bucket",
    "notices_configured",
    "notices_waiting",
    "notices_oldest_seconds",
    "notices_ended_total",
]


async def test_the_server_says_that_it_lives(house: House) -> None:
    answer = await house.get("/healthz")

    assert (answer.status, answer.body) == (200, {"alive": True})


async def test_what_is_not_configured_is_named_and_changes_nothing(house: House) -> None:
    answer = await house.get("/readyz")

    assert answer.status == 200
    assert answer.body["ready"] is True
    assert answer.body["checks"] == {
        "storage": {"ready": True, "detail": ""},
        "oa": {"ready": False, "detail": "not configured"},
        "wecom": {"ready": False, "detail": "not configured"},
        "wecom_groups": {"ready": False, "detail": "not offered"},
        "his": {"ready": False, "detail": "not configured"},
        "oa_webhook": {"ready": False, "detail": "not configured"},
        "redis": {"ready": False, "detail": "not configured"},
        "directory": {"ready": True, "detail": "off"},
    }


async def test_figures_have_their_names_and_no_people_in_them(house: House) -> None:
    socket = await house.socket("ann")
    await socket.ask("account.me")
    await socket.call("no.such.command")

    answer = await house.get("/metrics")

    lines = answer.text.splitlines()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert [name for name in METRICS if not any(line.startswith(name) for line in lines)] == []
    assert 'realtime_commands_total{name="account.me",outcome="ok"} 1.0' in lines
    assert 'realtime_commands_total{name="other",outcome="not_found"} 1.0' in lines
    assert "ann" not in answer.text.replace("channel", "")


async def test_an_oa_and_a_wecom_that_are_down_leave_the_server_ready(tmp_path: Path) -> None:
    settings = {
        "oa_endpoint": f"{NOBODY_HERE}/services/WorkflowService",
        "wecom_api_base": f"{NOBODY_HERE}/cgi-bin/",
        "wecom_corp_id": "ww",
        "wecom_secret": "secret",
    }
    async with open_house(tmp_path, **settings) as house:
        listed = await house.ask("ann", "todos.list", state="pending")
        answer = await house.get("/readyz")

        assert listed.status in (200, 503)
        assert answer.status == 200
        assert answer.body["ready"] is True
        outside = {"oa", "oa_webhook", "wecom", "wecom_groups", "redis", "his"}
        assert set(answer.body["checks"]) == {"storage", "directory", *outside}
        assert "secret" not in answer.text


async def test_a_check_that_fails_itself_takes_nothing_else_down(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.http.health import HEALTH

    async def broken() -> None:
        raise ZeroDivisionError("the inside of a check")

    monkeypatch.setitem(house.server.web[HEALTH].others, "oa", broken)  # type: ignore[misc]
    answer = await house.get("/readyz")

    assert answer.status == 200
    assert answer.body["checks"]["oa"]["ready"] is False
    assert "inside" not in answer.text
