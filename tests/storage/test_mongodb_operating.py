"""What an operator does with a MongoDB: looks at it, migrates it, and is told what is done elsewhere."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient

from server.settings import BadSetting, Settings
from server.settings_loading import load
from tests.operating import Ended, Operator, operator
from tests.storage.mongodb import database_for, server_url

__all__ = ["operator"]

pytestmark = pytest.mark.timeout(300)
Ask = Callable[..., Ended]


@pytest.fixture
def ask(operator: Operator, tmp_path: Path) -> Ask:
    """Runs a command on a database of its own."""
    url = urlunsplit(urlsplit(server_url())._replace(path=f"/{database_for(tmp_path)}"))
    return partial(operator, folder=tmp_path, storage_url=url)


def test_a_database_is_migrated_and_checked(ask: Ask, tmp_path: Path) -> None:
    migrated = ask("migrate")
    checked = ask("check")

    assert (migrated.returncode, checked.returncode) == (0, 0)
    assert "promise   15/15 an index may be declared later\n" in checked.stdout
    assert "BROKEN" not in checked.stdout
    assert "version   current" in checked.stdout
    with MongoClient[dict[str, object]](server_url()) as client:
        names = client.list_database_names()
    assert not [name for name in names if name.startswith(f"{database_for(tmp_path)}_check_")]


@pytest.mark.parametrize(
    ("arguments", "tool"),
    [(("backup", "x.db"), "mongodump"), (("restore", "x.db"), "mongorestore")],
)
def test_what_other_tools_do_is_refused_with_their_name(
    ask: Ask, tmp_path: Path, arguments: tuple[str, ...], tool: str
) -> None:
    ended = ask(*arguments)

    assert ended.returncode == 1
    assert ended.stderr.startswith("yuanxin: ")
    assert tool in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_new_epoch_is_begun(ask: Ask) -> None:
    ended = ask("new-epoch")

    assert ended.returncode == 0
    assert "begins; clients will be told to load everything again" in ended.stdout


def test_the_url_is_a_secret_and_of_mongodb(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("mongodb://admin:geheim@db/yuanxin\n")

    settings = load({"YUANXIN_STORAGE_URL_FILE": str(file)})

    assert settings.storage_url == "mongodb://admin:geheim@db/yuanxin"
    assert "geheim" not in repr(settings)
    with pytest.raises(BadSetting, match="mongodb://") as caught:
        load({"YUANXIN_STORAGE_URL": "postgres://admin:geheim@db"})
    assert "geheim" not in str(caught.value)
    assert Settings().storage_url == ""
