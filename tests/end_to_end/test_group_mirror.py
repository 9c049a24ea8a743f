"""The switch in a group's details, as its owner and a member see it."""

from pathlib import Path

import aiohttp
import pytest

from tests.end_to_end.browser import PHONE, chromium, open_window
from tests.end_to_end.processes import ServerProcess

pytestmark = pytest.mark.browser


async def test_the_owner_shows_a_group_in_wecom_and_members_are_told(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", "run", "--sandbox")
    await server.start()
    try:
        async with chromium() as browser, aiohttp.ClientSession() as http:
            owner = await open_window(browser, server.url, PHONE)
            await owner.come_in("s0001", language="zh")
            made = await owner.command("chat.create_group", title="夜班", member_ids=["s0002"])
            id = made["conversation_id"]
            await owner.goto(f"/c/{id}/details")
            for switch in ("在企业微信中显示本群", "消息也发到企业微信"):
                await owner.page.get_by_text(switch).click()
                await owner.page.get_by_role("button", name="确定").click()
            await owner.see("text=企业微信中的群已是最新")

            member = await open_window(browser, server.url, PHONE)
            await member.come_in("s0002", language="zh")
            await member.goto(f"/c/{id}")
            await member.see("text=消息同步到企业微信")

            fault = {"mode": "untrusted_ip", "for_s": 3_000}
            await http.post(f"{server.sandbox_url}/wecom/faults", json=fault)
            await member.write("收到")
            await member.see(".mark")
            await owner.see(".trouble >> text=60020")
            await http.post(f"{server.sandbox_url}/wecom/faults", json={"mode": "off"})
            await owner.page.locator(".trouble button").click()
            assert await owner.axe() == []
            assert await owner.sideways() == []
            assert owner.complaints == member.complaints == []
    finally:
        await server.stop()
        server.close()
