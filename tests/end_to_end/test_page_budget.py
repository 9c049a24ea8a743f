"""The first screen stays small: what index.html asks for, weighed as a phone receives it.

Reads the built page and nothing else. Without a build it fails and says so, because a budget
that is not measured is not kept.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

DIST = Path(__file__).resolve().parents[2] / "static" / "dist"
KIB = 1024
SCRIPT_BUDGET = 70 * KIB
STYLE_BUDGET = 10 * KIB
CHART_BUDGET = 190 * KIB
LOOKS_BACK = re.compile(r"\(\?<[=!]")
FOREIGN = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")


class FirstScreen(HTMLParser):
    """Collects the scripts and styles that a browser fetches before the first paint."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "script" and "src" in found:
            self.scripts.append(found["src"])
        elif tag == "script":
            self.inline += 1
        elif tag == "link" and found.get("rel") == "modulepreload":
            self.scripts.append(found["href"])
        elif tag == "link" and found.get("rel") == "stylesheet":
            self.styles.append(found["href"])


@pytest.fixture
def index_html() -> str:
    page = DIST / "index.html"
    if not page.is_file():
        pytest.fail("The page is not built: run `npm ci && npm run build` in static/ first.")
    return page.read_text(encoding="utf-8")


@pytest.fixture
def first_screen(index_html: str) -> FirstScreen:
    parsed = FirstScreen()
    parsed.feed(index_html)
    return parsed


def weighed(addresses: list[str]) -> dict[str, int]:
    """Bytes of each file's gzip twin; small files have none and count as they are."""
    weights = {}
    for address in addresses:
        plain = DIST / address.lstrip("/")
        twin = plain.with_name(plain.name + ".gz")
        weights[address] = (twin if twin.is_file() else plain).stat().st_size
    return weights


def test_first_screen_script_is_within_its_budget(first_screen: FirstScreen) -> None:
    weights = weighed(first_screen.scripts)

    assert sum(weights.values()) <= SCRIPT_BUDGET, weights


def test_first_screen_style_is_within_its_budget(first_screen: FirstScreen) -> None:
    weights = weighed(first_screen.styles)

    assert sum(weights.values()) <= STYLE_BUDGET, weights


def test_charts_are_a_file_of_their_own_within_its_budget(first_screen: FirstScreen) -> None:
    charts = [f"/assets/{path.name}" for path in (DIST / "assets").glob("echarts-*.js")]
    weights = weighed(charts)

    assert len(charts) == 1
    assert sum(weights.values()) <= CHART_BUDGET, weights
    assert not set(charts) & set(first_screen.scripts)


def test_the_page_asks_no_other_host_and_runs_no_inline_script(
    index_html: str, first_screen: FirstScreen
) -> None:
    assert not FOREIGN.search(index_html)
    assert first_screen.inline == 0


def test_scripts_and_styles_have_compressed_twins() -> None:
    files = [p for p in (DIST / "assets").iterdir() if p.suffix in {".js", ".css"}]
    bare = [p.name for p in files if p.stat().st_size >= 512 and not twins_exist(p)]

    assert files
    assert bare == []


def twins_exist(path: Path) -> bool:
    return all(path.with_name(path.name + end).is_file() for end in (".gz", ".br"))


def test_scripts_need_nothing_that_older_webviews_cannot_read() -> None:
    """One regular expression that looks back, and an iPhone before 16.4 runs nothing of its file."""
    scripts = {p.name: p.read_text(encoding="utf-8") for p in (DIST / "assets").glob("*.js")}

    assert scripts
    assert [name for name, script in scripts.items() if LOOKS_BACK.search(script)] == []


def test_styles_need_nothing_that_older_webviews_lack() -> None:
    styles = "".join(p.read_text(encoding="utf-8") for p in (DIST / "assets").glob("*.css"))

    assert "color-mix(" not in styles
    assert not re.search(r"\d(?:dvh|svh|lvh)\b", styles)
