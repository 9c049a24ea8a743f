"""The tree stays readable: short files, telling names, an idea on top of every module.

And it stays portable: no file names a package registry or a place on somebody's machine, so that
mirrors and other checkouts work.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("server", "realtime", "static", "migrations", "tests", "benchmarks", "docs", ".ci")
NOT_OURS = {"node_modules", "dist", "__pycache__", "test-results"}
GENERATED = {Path("static/src/wire/protocol.d.ts")}

MOST_LINES = 450
EMPTY_NAMES = {"utils", "helpers", "common", "base", "manager"}
# Written apart, so that this file does not name them either.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "npm" + "mirror",
]
PLACES = re.compile(r"\.\./shared\b|(?<![\w.\-/}])/(?:wor" + r"k|roo" + r"t|hom" + r"e)/")


def files_below(folder: Path) -> Iterator[Path]:
    for place in folder.iterdir():
        if place.is_dir():
            if place.name not in NOT_OURS and not place.name.startswith("dist."):
                yield from files_below(place)
        else:
            yield place.relative_to(ROOT)


def all_files() -> list[Path]:
    top = [place.relative_to(ROOT) for place in ROOT.iterdir() if place.is_file()]
    return sorted([*top, *(file for name in FOLDERS for file in files_below(ROOT / name))])


FILES = all_files()
MODULES = [file for file in FILES if file.suffix == ".py"]
SOURCES = [file for file in FILES if file.suffix in {".py", ".ts", ".vue", ".css", ".js", ".mjs"}]


def text_of(file: Path) -> str:
    """The file's text; nothing for pictures, fonts and spreadsheets."""
    content = (ROOT / file).read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", errors="replace")


def test_the_walk_finds_the_tree() -> None:
    assert Path("server/errors.py") in MODULES
    assert Path("pyproject.toml") in FILES


def test_no_source_holds_two_ideas() -> None:
    lengths = {file: len(text_of(file).splitlines()) for file in SOURCES if file not in GENERATED}

    too_long = {str(file): lines for file, lines in lengths.items() if lines > MOST_LINES}

    assert not too_long


def test_every_module_opens_with_its_idea() -> None:
    silent = [
        str(file)
        for file in MODULES
        if (text := text_of(file)).strip() and not ast.get_docstring(ast.parse(text))
    ]

    assert not silent


def test_no_module_has_an_empty_name() -> None:
    nameless = [
        str(file)
        for file in SOURCES
        if EMPTY_NAMES & {file.stem, *file.parent.parts} and file.suffix != ".css"
    ]

    assert not nameless


@pytest.mark.parametrize("registry", REGISTRIES)
def test_no_file_names_a_registry(registry: str) -> None:
    assert not [str(file) for file in FILES if registry in text_of(file)]


def test_no_file_names_a_place_outside_the_checkout() -> None:
    named = {str(file): found.group() for file in FILES if (found := PLACES.search(text_of(file)))}

    assert not named


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        lock = text_of(Path(name))
        pins = re.findall(r"^[a-z0-9].*==", lock, re.MULTILINE)
        hashed = re.findall(r"^[a-z0-9].*== ?\S+.*\\\n    --hash=sha256:", lock, re.MULTILINE)
        assert len(pins) == len(hashed) > 20
        assert "://" not in lock
    for npm_lock in ("static/package-lock.json", "benchmarks/peers/package-lock.json"):
        assert '"resolved"' not in text_of(Path(npm_lock))
