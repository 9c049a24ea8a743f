"""Groups are told to WeCom by the node that leads, whichever node heard the messages."""

from pathlib import Path

from server.sandbox.config import SandboxPerson
from tests.memory import tmp_path
from tests.nodes.pair import STAFF, becomes, open_pair, soon
from tests.sandbox.running import running_sandbox

__all__ = ["tmp_path"]

MESSAGES = 12


async def test_a_change_of_lead_loses_nothing_and_tells_nothing_twice(tmp_path: Path) -> None:
    people = [SandboxPerson(person.id, person.name) for person in STAFF]
    async with running_sandbox(tmp_path, people=people) as sandbox:
        settings = {
            "wecom_api_base": f"{sandbox.base}/wecom/cgi-bin/",
            "wecom_corp_id": "wwsandbox",
            "wecom_secret": "sandbox",
            "wecom_groups": "messages",
        }
        log = sandbox.wecom.groups.log

        async def texts() -> list[str]:
            return [m["content"] for g in log.groups() for m in log.messages(g.chat_id)][1:]

        async with open_pair(tmp_path, **settings) as pair:
            ask = pair.second.ask
            made = await ask("s0001", "chat.create_group", title="夜班", member_ids=["s0002"])
            id = made.result["conversation_id"]
            wish = {"conversation_id": id, "is_on": True, "with_messages": True}
            assert (await ask("s0001", "chat.set_mirror", **wish)).status == 200
            for number in range(MESSAGES):
                content = {"kind": "text", "text": f"第{number}句"}
                sent = {"conversation_id": id, "client_id": f"c{number}", "content": content}
                assert (await ask("s0001", "chat.send", **sent)).status == 200
                if number == MESSAGES // 2:
                    await soon(lambda: len(log.groups()) == 1)
                    await pair.first.server.leader.resign()
            await soon(lambda: pair.second.server.leader.leads)
            await becomes(texts, [f"单雄信：第{number}句" for number in range(MESSAGES)])
