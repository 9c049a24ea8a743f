"""The app's menu: what `python -m server wecom menu` sets and prints."""

import json
from pathlib import Path

import pytest

from server.features.wecom.menu import menu_of
from server.outside import wecom_menu
from server.settings import BadSetting, Settings
from tests.sandbox.running import running_sandbox


async def test_the_menu_is_set_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_sandbox(tmp_path) as sandbox:
        settings = Settings(
            public_url="https://yuanxin.example",
            wecom_api_base=f"{sandbox.base}/wecom/cgi-bin/",
            wecom_corp_id="wwsandbox",
            wecom_secret="sandbox",
        )
        before = await wecom_menu(settings, set_it=False), capsys.readouterr().out
        done = await wecom_menu(settings, set_it=True), capsys.readouterr().out
        shown = await wecom_menu(settings, set_it=False), capsys.readouterr().out
        await sandbox.fault("untrusted_ip")
        refused = await wecom_menu(settings, set_it=True), capsys.readouterr().out

    assert before == (0, "the app has no menu\n")
    assert (done[0], json.loads(done[1])) == (0, menu_of("https://yuanxin.example"))
    assert shown == done
    assert refused[0] == 1
    assert "trusted" in refused[1]


async def test_without_an_app_there_is_no_menu() -> None:
    with pytest.raises(BadSetting):
        await wecom_menu(Settings(), set_it=True)
