"""`python -m server wecom sync`, as an operator runs it, and the same on two nodes while they serve."""

import asyncio
from pathlib import Path

from server.directory import Person, WeComChange
from server.storage import Insert, Patch
from server.storage.document import to_doc
from tests.directory.hospital_sync import PARTIES, staff
from tests.directory.meeting import here
from tests.memory import tmp_path
from tests.nodes.pair import WITHIN_S, becomes, open_pair
from tests.operating import Operator, operator
from tests.sandbox.running import running_sandbox

__all__ = ["operator", "tmp_path"]


async def test_the_command_shows_its_plan_does_it_and_remembers(
    operator: Operator, tmp_path: Path
) -> None:
    async with running_sandbox(tmp_path, people=staff(5), parties=PARTIES) as sandbox:

        async def sync(*arguments: str, wecom_sync: str = "from_wecom") -> tuple[int, str]:
            """Status and standard output of the command beside this WeCom."""
            ended = await asyncio.to_thread(
                operator, "wecom", "sync", *arguments,
                folder=tmp_path / "data",
                wecom_api_base=sandbox.config().api_base,
                wecom_corp_id="wwsandbox",
                wecom_secret="sandbox",
                wecom_sync=wecom_sync,
            )  # fmt: skip
            assert "Traceback" not in ended.stderr
            return ended.returncode, ended.stdout

        shown = await sync()
        done = await sync("--apply")
        again = await sync()
        last = await sync("--last")
        off = await sync(wecom_sync="off")

    assert shown[0] == done[0] == again[0] == last[0] == 0
    assert "新增 5 人" in shown[1]
    assert "+ w004 职工004" in shown[1]
    assert shown[1].endswith("以上为预览，尚未执行。\n")
    assert done[1].endswith("已执行。\n")
    assert "新增 0 人，变更 0 人，离职 0 人，初次对上 0 人，不变 5 人" in again[1]
    assert "command done" in last[1]
    assert (off[0], off[1]) == (1, "")


async def test_who_leaves_wecom_is_signed_out_on_every_node(tmp_path: Path) -> None:
    async with running_sandbox(tmp_path / "wecom", people=staff(3), parties=PARTIES) as sandbox:
        chosen = {
            "wecom_api_base": sandbox.config().api_base,
            "wecom_corp_id": "wwsandbox",
            "wecom_secret": "sandbox",
            "wecom_sync": "from_wecom",
            "wecom_sync_hour": 0,
        }
        async with open_pair(tmp_path, linked=False, **chosen) as pair:
            # Enough people that one of them is less than one in twenty.
            others = [here(f"p{n}", wecom=f"p{n}") for n in range(40)]
            met = [Patch("people", "s0001", {"wecom_seen_id": "s0001"})]
            news = [Insert(Person.collection.name, to_doc(person)) for person in others]
            await pair.store.apply(*news, *met)
            token = await pair.second.sign_in("s0001")
            socket = await pair.second.connect(token)
            change = WeComChange(id="user:s0001", change="delete_user", at=pair.first.clock.now())
            await pair.store.apply(Insert("wecom_changes", to_doc(change)))

            await socket.ended(timeout_s=WITHIN_S)

            async def refused() -> int:
                return (await pair.first.post("commands/account.me", {}, token)).status

            await becomes(refused, 401)
            person = await pair.store.get("people", "s0001")
            assert person is not None
            assert person["retired_at"]
