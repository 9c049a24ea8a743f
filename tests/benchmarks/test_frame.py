"""`python -m benchmarks` and `python -m benchmarks.compare`, as one runs them."""

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main, questions
from benchmarks.compare import main as compare

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


def test_modules_with_a_question_are_the_benchmarks() -> None:
    known = questions()

    assert {"compare", "chat", "dashboard"} <= set(known)
    assert "load" not in known
    assert known["compare"].quick == ("--quick",)


def test_an_unknown_benchmark_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["nonsense"]) == 2
    assert "no such benchmark: nonsense; known: chat, compare" in capsys.readouterr().out


def test_options_without_a_name_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rounds", "3"]) == 2
    assert "name it first" in capsys.readouterr().out


@needs_compiler
def test_a_small_comparison_is_measured_shown_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, picture = tmp_path / "kept.json", tmp_path / "bench.svg"
    options = ["--peers", "ours", "--workloads", "fanout-room-4", "--seconds", "0.2", "--quick"]

    code = compare([*options, "--results", str(kept), "--chart", str(picture)])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0].startswith("[1/1, about 0 min left] room, round 1, Yuanxin's hub:")
    assert any(line.startswith("| Yuanxin's hub ") for line in lines)
    assert json.loads(lines[-1])["fanout-room-4"]["ours"]["per_s"] > 0
    assert {file.name for file in tmp_path.iterdir()} == {"kept.json", "kept.md", "bench.svg"}


@needs_compiler
async def test_an_interrupt_ends_everything_that_was_started() -> None:
    began = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", "compare", "--quick", "--peers", "ours", "--workloads", "idle",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        while len(below := descendants(began.pid)) < 3:
            await asyncio.sleep(0.05)
        began.send_signal(signal.SIGINT)
        told, _ = await began.communicate()

    assert began.returncode == 130
    assert "Interrupted; what was started is ended." in told.decode()
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def descendants(pid: int) -> list[int]:
    """The processes below one: the benchmark, its server and its client."""
    parents = dict(filter(None, map(parent, os.listdir("/proc"))))
    below = [pid]
    for one in below:
        below += [child for child, of in parents.items() if of == one]
    return below[1:]


def parent(entry: str) -> tuple[int, int] | None:
    try:
        state = Path(f"/proc/{entry}/stat").read_text()
    except OSError:
        return None
    return (int(entry), int(state.rpartition(")")[2].split()[1])) if entry.isdigit() else None
