"""Generated files are fresh: they hold what `python -m server protocol` would write now."""

from pathlib import Path

import pytest

from server.app import ALL
from server.protocol import documents

ROOT = Path(__file__).parents[2]
DOCUMENTS = documents(ALL)


def test_the_documents_are_the_ones_that_are_promised() -> None:
    assert set(DOCUMENTS) == {
        "docs/protocol.md",
        "docs/openapi.json",
        "docs/asyncapi.json",
        "static/src/wire/protocol.d.ts",
    }


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_committed_document_is_what_would_be_written_now(path: str) -> None:
    committed = ROOT / path

    assert committed.exists(), "run python -m server protocol and commit what it writes"
    assert committed.read_text(encoding="utf-8") == DOCUMENTS[path], "run python -m server protocol"
