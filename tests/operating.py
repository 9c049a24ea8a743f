"""`python -m server <command>` as an operator runs it: a process to its end, or the same within this one.

A process takes two seconds only to start; what it alone can show is asked of it, the rest of `main`.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
Ended = subprocess.CompletedProcess[str]
Operator = Callable[..., Ended]


def operate(*arguments: object, folder: Path, **settings: str) -> Ended:
    """`python -m server <arguments>` as a process, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "server", *map(str, arguments)],
        cwd=ROOT,
        env=environment(folder, settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    kept = {name: v for name, v in os.environ.items() if not name.startswith("YUANXIN_")}
    own = {f"YUANXIN_{name.upper()}": value for name, value in settings.items()}
    return {**kept, "YUANXIN_DATA_DIR": str(folder), **own}


@pytest.fixture
def operator(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Operator]:
    """The same within this process, which saves its start."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    interval = sys.getswitchinterval()

    def run(*arguments: object, folder: Path, **settings: str) -> Ended:
        monkeypatch.setattr(os, "environ", environment(folder, settings))
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return subprocess.CompletedProcess(arguments, status, *capfd.readouterr())

    yield run
    root.handlers[:], root.level = handlers, level
    sys.setswitchinterval(interval)
