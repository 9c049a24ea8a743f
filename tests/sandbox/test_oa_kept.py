"""What the stand-in OA answered is there after kill -9: forms, files, forwardings."""

from pathlib import Path
from typing import Any

from tests.sandbox.running import ReachedSandbox, sandbox_apart


async def ask(sandbox: ReachedSandbox, path: str, body: Any = None) -> Any:
    method = "GET" if body is None else "POST"
    async with sandbox.http.request(method, f"{sandbox.base}{path}", json=body) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def test_a_document_is_whole_after_a_kill(tmp_path: Path) -> None:
    body = {
        "title": "监护仪采购",
        "creator": "s0001",
        "steps": [
            {"name": "科室审核", "approvers": ["s0002", "s0003"], "mode": "in_turn"},
            {"name": "签发", "approvers": ["s0004"], "actions": {"submit": "签发"}},
        ],
        "kind": "采购申请",
        "form": {"ysje": "8000.50", "nbbz": "不公开"},
        "rows": [[{"mc": "监护仪", "sl": "2"}]],
        "attachments": ["关于采购的说明.docx"],
    }
    async with sandbox_apart(tmp_path) as sandbox:
        path = f"/oa/requests/{(await ask(sandbox, '/oa/requests', body))['request_id']}"
        await ask(sandbox, f"{path}/submit", {"user": "s0002", "remark": "同意<b>"})
        await ask(sandbox, f"{path}/forward", {"user": "s0003", "to": ["s0005"]})
        before = await ask(sandbox, path)
    async with sandbox_apart(tmp_path) as sandbox:
        after = await ask(sandbox, path)
        file = next(one for one in after["fields"] if one["files"])["files"][0]
        address = f"/oa/weaver/weaver.file.FileDownload?fileid={file['file_id']}"
        async with sandbox.http.get(f"{sandbox.base}{address}") as answer:
            assert (await answer.read()).startswith(b"PK")

    assert after == before
    assert (after["pending"], after["forwarded"]) == (["s0003"], ["s0005"])
    assert [step["is_now"] for step in after["steps"]] == [True, False]
    assert file["name"] == "关于采购的说明.docx"
