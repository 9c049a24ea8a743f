"""Ask every question of this folder, or the ones named: `python -m benchmarks [NAME...]`.

A benchmark is a module whose docstring begins with a question. Each runs in a process of its own,
so that none warms, slows or outlives the next; modules without a question serve the others.
"""

import ast
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def question_of(module: Path) -> str | None:
    """The module's question, read without importing it."""
    idea = (ast.get_docstring(ast.parse(module.read_text("utf-8"))) or "").split("\n\n")[0]
    question = " ".join(idea.split())
    return question if question.endswith("?") else None


def questions() -> dict[str, str]:
    """Every benchmark's name and question, in order of name."""
    asked = {module.stem: question_of(module) for module in sorted(HERE.glob("*.py"))}
    return {name: question for name, question in asked.items() if question}


def main(wanted: list[str]) -> int:
    known = questions()
    if unknown := set(wanted) - set(known):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
        return 2
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    failed = 0
    for name in wanted or known:
        print(f"\n{name}: {known[name]}", flush=True)
        failed += bool(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
