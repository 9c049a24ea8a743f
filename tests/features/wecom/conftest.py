"""A server that looks many times a second for what to send."""

import pytest

from server.notify import notifier


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(notifier, "SEND_EVERY_S", 0.05)
