"""The files of the stand-in OA: each has a document's id and its own, as the original keeps them.

What was sent here is kept beside a journal; files of seeded documents are named in the journal and made
anew whenever they are asked for (`oa_made_files.py`).
"""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from server.sandbox.oa_made_files import MADE, made_file

FIRST_DOCUMENT: Final = 901
FIRST_FILE: Final = 30_271
KEPT: Final = "kept"


@dataclass(frozen=True, slots=True)
class OAFile:
    """`content` says which of the made files it is, or `kept`."""

    document_id: int
    file_id: int
    name: str
    size: int
    content: str


class OAFiles:
    """All files, by both of their ids. `open` reads what was kept."""

    def __init__(self, folder: Path) -> None:
        self._journal = folder / "oa_files.jsonl"
        self._folder = folder / "oa_files"
        self._by_document: dict[int, OAFile] = {}
        self._by_file: dict[int, OAFile] = {}
        self._adding = asyncio.Lock()

    async def open(self) -> None:
        for line in await asyncio.to_thread(self._lines):
            self._know(OAFile(**line))

    def of_document(self, document_id: int) -> OAFile | None:
        return self._by_document.get(document_id)

    def find(self, file_id: int) -> OAFile | None:
        return self._by_file.get(file_id)

    async def read(self, file: OAFile) -> bytes:
        if file.content != KEPT:
            return made_file(file.content)
        return await asyncio.to_thread((self._folder / str(file.file_id)).read_bytes)

    async def make(self, names: Sequence[str]) -> list[OAFile]:
        """Files of these names with contents that fit them."""
        return await self._add([(name, None) for name in names])

    async def keep(self, name: str, content: bytes) -> OAFile:
        """A file that was sent."""
        return (await self._add([(name, content)]))[0]

    async def _add(self, wanted: list[tuple[str, bytes | None]]) -> list[OAFile]:
        async with self._adding:
            files = []
            for number, (name, content) in enumerate(wanted, len(self._by_file)):
                ending = name.rsplit(".", 1)[-1].lower()
                made = ending if ending in MADE else "txt"
                files.append(
                    OAFile(
                        FIRST_DOCUMENT + number,
                        FIRST_FILE + number,
                        name,
                        len(made_file(made) if content is None else content),
                        made if content is None else KEPT,
                    )
                )
            await asyncio.to_thread(self._write, files, [content for _, content in wanted])
            for file in files:
                self._know(file)
            return files

    def _know(self, file: OAFile) -> None:
        self._by_document[file.document_id] = file
        self._by_file[file.file_id] = file

    def _write(self, files: list[OAFile], contents: list[bytes | None]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for file, content in zip(files, contents, strict=True):
            if content is not None:
                (self._folder / str(file.file_id)).write_bytes(content)
        text = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in files)
        with self._journal.open("ab") as journal:
            journal.write(text.encode())
            journal.flush()
            os.fsync(journal.fileno())

    def _lines(self) -> list[dict[str, Any]]:
        if not self._journal.exists():
            return []
        kept = self._journal.read_bytes()
        whole = kept[: kept.rfind(b"\n") + 1]
        if len(whole) < len(kept):
            with self._journal.open("r+b") as journal:
                journal.truncate(len(whole))
        return [json.loads(line) for line in whole.splitlines()]
