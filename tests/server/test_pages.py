"""The app's files over HTTP: what may be kept for ever, what never, and what is not given at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.server.house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "<!doctype html><title>the page</title>"
SECRET = "root:x:0:0"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("built")
    pages = folder / "dist"
    (pages / "assets").mkdir(parents=True)
    (pages / "index.html").write_text(PAGE)
    (pages / "icon.svg").write_text("<svg/>")
    (pages / "assets" / "main-abc123.js").write_text("run()")
    (pages / "assets" / "main-abc123.js.gz").write_bytes(b"squeezed")
    (folder / "secret.txt").write_text(SECRET)
    (pages / "assets" / "way-out.txt").symlink_to(folder / "secret.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.app.PAGES", pages)
        async with open_house(folder / "data") as house:
            yield house


async def test_a_hashed_file_may_be_kept_for_ever(built: House) -> None:
    answer = await built.get("/assets/main-abc123.js", **{"Accept-Encoding": "identity"})

    assert (answer.status, answer.text) == (200, "run()")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["Content-Type"]
    assert "Accept-Encoding" in answer.headers["Vary"]


async def test_a_file_that_was_squeezed_at_the_build_is_given_so(built: House) -> None:
    answer = await built.request(
        "HEAD", "/assets/main-abc123.js", headers={"Accept-Encoding": "gzip"}
    )

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Length"] == str(len(b"squeezed"))


async def test_a_missing_hashed_file_is_not_the_page(built: House) -> None:
    answer = await built.get("/assets/main-old.js")

    assert answer.status == 404
    assert PAGE not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.html",
        "/messages",
        "/c/019-abc",
        "/d/1",
        "/p/s0001",
        "/c/%E4%B8%AD",
        "/a.b",
        pytest.param("/" + "x" * 300, id="a long name"),
        pytest.param("/" + "deep/" * 800, id="a long path"),
    ],
)
async def test_every_address_of_the_app_gives_the_page_and_keeps_it_fresh(
    built: House, path: str
) -> None:
    answer = await built.get(path)

    assert (answer.status, answer.text) == (200, PAGE)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_an_unchanged_page_is_not_sent_again(built: House) -> None:
    tag = (await built.get("/")).headers["ETag"]

    answer = await built.get("/", **{"If-None-Match": tag})

    assert (answer.status, answer.text) == (304, "")


async def test_other_files_are_asked_for_again(built: House) -> None:
    answer = await built.get("/icon.svg")

    assert (answer.text, answer.headers["Cache-Control"]) == ("<svg/>", "no-cache")
    assert answer.headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%2e%2e%2fsecret.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/etc/passwd%00.html",
        "/assets/way-out.txt",
        "/.%00./secret.txt",
        "/%FF",
    ],
)
async def test_nothing_outside_the_folder_is_given(built: House, path: str) -> None:
    answer = await built.get(path)

    assert answer.status in (200, 400, 404)
    assert SECRET not in answer.text
    if answer.status == 200:
        assert answer.text == PAGE


@pytest.mark.parametrize("path", ["/api", "/api/v2/x", "/socket.io", "/wecom/callback-not-there"])
async def test_what_belongs_to_programs_is_never_the_page(built: House, path: str) -> None:
    answer = await built.get(path)

    assert answer.status == 404
    assert PAGE not in answer.text


async def test_without_a_build_the_page_says_so_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.app.PAGES", tmp_path / "nothing")
    async with open_house(tmp_path / "data") as house:
        answer = await house.get("/")

        assert answer.status == 503
        assert "make run" in answer.text
        assert "尚未构建" in answer.text
        assert (await house.get("/assets/main.js")).status == 404
        assert (await house.get("/readyz")).status == 200
