"""Ask every question of this folder, or the ones named.

    python -m benchmarks [--quick] [--list]
    python -m benchmarks NAME... [--quick] [OPTION...]      options are the named benchmarks' own

A benchmark is a module whose docstring begins with a question and whose last line of output is its answer
in JSON; the answers are collected in `build/bench/answers.json`. Each runs in a process of its own, so
that none warms, slows or outlives the next. `QUICK` in a module names the options that make it short.
Modules without a question serve the others.
"""

import ast
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from benchmarks import machine

HERE = Path(__file__).parent
ANSWERS = machine.CACHE / "answers.json"
ENDS_WITHIN_S = 30


@dataclass(frozen=True)
class Question:
    """One benchmark, read without importing it."""

    name: str
    words: str
    quick: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a benchmark said in JSON, and how it ended."""

    question: str
    options: tuple[str, ...]
    took_s: float
    exit_code: int
    answer: Any


def questions() -> dict[str, Question]:
    """Every benchmark, in order of name."""
    asked = (_question(module) for module in sorted(HERE.glob("*.py")))
    return {question.name: question for question in asked if question}


def _question(module: Path) -> Question | None:
    tree = ast.parse(module.read_text("utf-8"))
    words = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return Question(module.stem, words, _quick(tree)) if words.endswith("?") else None


def _quick(tree: ast.Module) -> tuple[str, ...]:
    """The options under the name QUICK."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "QUICK":
            assert node.value is not None
            return tuple(shlex.split(ast.literal_eval(node.value)))
    return ()


def ask(question: Question, options: Sequence[str]) -> Answer:
    """Run one benchmark and show what it says; an interrupt is handed on, once, and waited for."""
    began = time.monotonic()
    # A session of its own: a Ctrl-C reaches it from here only, and what it leaves behind can be ended.
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{question.name}", *options],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        answer = _shown(process.stdout)
        process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        _see_off(process)
        raise
    took_s = round(time.monotonic() - began, 1)
    return Answer(question.words, tuple(options), took_s, process.returncode, answer)


def _see_off(process: subprocess.Popen[str]) -> None:
    """Show the last words of a benchmark that was told to end; end it when it does not."""
    try:
        last_words, _ = process.communicate(timeout=ENDS_WITHIN_S)
        _shown(last_words.splitlines(keepends=True))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _shown(lines: Iterable[str]) -> Any:
    """Print all lines but a last one in JSON; that one, read."""
    held = ""
    for line in lines:
        print(held, end="", flush=True)
        held = line
    try:
        return json.loads(held) if held[:1] in ("{", "[") else _shown_last(held)
    except json.JSONDecodeError:
        return _shown_last(held)


def _shown_last(line: str) -> None:
    print(line, end="", flush=True)


def ask_all(wanted: Sequence[Question], options: Sequence[str], quick: bool) -> int:
    """Ask one after the other; how many did not end well."""
    described = machine.describe()
    print(machine.in_words(described))
    answers: dict[str, Answer] = {}
    for number, question in enumerate(wanted, 1):
        print(f"\n[{number}/{len(wanted)}] {question.name}: {question.words}\n", flush=True)
        answers[question.name] = ask(question, [*(question.quick if quick else ()), *options])
        print(f"({answers[question.name].took_s:.0f} s)", flush=True)
        _write(described, answers)
    print(f"\nThe answers are in {ANSWERS}")
    return sum(answer.exit_code != 0 for answer in answers.values())


def _write(described: dict[str, Any], answers: dict[str, Answer]) -> None:
    ANSWERS.parent.mkdir(parents=True, exist_ok=True)
    kept = {"machine": described, "answers": {name: asdict(a) for name, a in answers.items()}}
    ANSWERS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main(given: Sequence[str]) -> int:
    names = list(takewhile(lambda word: not word.startswith("-"), given))
    options = [word for word in given[len(names) :] if word not in ("--quick", "--list")]
    known = questions()
    if "--list" in given and not names:
        print("\n".join(f"{question.name:14} {question.words}" for question in known.values()))
        return 0
    if unknown := set(names) - set(known):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
        return 2
    if options and not names:
        print(f"options are a benchmark's own, so name it first: NAME {' '.join(options)}")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        failed = ask_all([known[n] for n in names or known], options, "--quick" in given)
    except KeyboardInterrupt:
        print("\nInterrupted; what was started is ended.")
        return 130
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
