"""The questions an operator may ask of a database, asked of every adapter."""

from pathlib import Path

import pytest

from server.storage.promises import COLLECTIONS, QUESTIONS, Question
from tests.contracts.storage_adapters import OpenStore, is_shared


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.promise)
async def test_the_promise_is_kept(
    open_store: OpenStore, tmp_path: Path, question: Question
) -> None:
    first = await open_store(tmp_path)
    for collection in COLLECTIONS:
        await first.ensure(collection)
    second = await open_store(tmp_path) if is_shared(open_store) else first

    await question.ask(first, second)

    for store in {first, second}:
        await store.close()
