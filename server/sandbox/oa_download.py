"""Files of the stand-in OA over HTTP, named in the header as e-cology names them: badly.

Every other one in GBK as raw bytes; the rest in UTF-8, percent-encoded within quotation marks.
"""

from typing import Final
from urllib.parse import quote

from aiohttp import web

from server.sandbox.faults import Faults
from server.sandbox.oa_faults import LOGIN_PAGE, SLOW_S, endless, hang_up
from server.sandbox.oa_files import OAFile, OAFiles

DOWNLOAD: Final = "/oa/weaver/weaver.file.FileDownload"
_TYPES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
}


class Downloads:
    """GET …?fileid=30271&download=1"""

    def __init__(self, files: OAFiles, faults: Faults) -> None:
        self._files = files
        self._faults = faults

    async def serve(self, request: web.Request) -> web.StreamResponse:
        match self._faults.mode:
            case "down":
                return hang_up(request)
            case "slow":
                await self._faults.slowness(SLOW_S)
            case "file_login" | "login":
                return web.Response(text=LOGIN_PAGE, content_type="text/html")
            case "file_endless":
                return await endless(self._faults, request)
            case "file_elsewhere":
                raise web.HTTPFound("http://127.0.0.2:9/elsewhere")
        asked = request.query.get("fileid", "")
        file = self._files.find(int(asked)) if asked.isascii() and asked.isdigit() else None
        if file is None:
            return web.Response(
                text="<html><body>文件不存在</body></html>", content_type="text/html"
            )
        body = await self._files.read(file)
        if file.file_id % 2:
            return _in_gbk(request, file.name, self._type_of(file), body)
        named = f'attachment; filename="{quote(file.name)}"'
        return web.Response(
            body=body,
            headers={"Content-Type": self._type_of(file), "Content-Disposition": named},
        )

    def _type_of(self, file: OAFile) -> str:
        if self._faults.mode == "file_type":
            return "text/html; charset=GBK"
        return _TYPES.get(file.name.rsplit(".", 1)[-1].lower(), "application/octet-stream")


def _in_gbk(request: web.Request, name: str, kind: str, body: bytes) -> web.Response:
    """The whole answer by hand: no honest library puts raw GBK into a header."""
    raw = name.encode("gbk", "replace").replace(b'"', b"_")
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    named = b'Content-Disposition: attachment; filename="' + raw + b'"\r\n'
    if request.transport is not None:
        request.transport.write(head.encode() + named + b"Connection: close\r\n\r\n" + body)
        request.transport.close()
    return web.Response(status=503)
