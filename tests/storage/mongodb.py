"""A MongoDB for tests: the one in MONGODB_URL (a replica set), or else the double in a process of its own."""

import atexit
import hashlib
import os
import secrets
import subprocess
import sys
from functools import cache
from pathlib import Path

from pymongo import MongoClient

ROOT = Path(__file__).parents[2]
_RUN = secrets.token_hex(4)


def is_double() -> bool:
    """Whether no real MongoDB is at hand."""
    return "MONGODB_URL" not in os.environ


@cache
def server_url() -> str:
    """Where the server is."""
    if is_double():
        return double()[0]
    atexit.register(_drop_databases)
    return os.environ["MONGODB_URL"]


@cache
def double() -> tuple[str, int]:
    """Url of the double and port of the nx-27017 behind it, started when they are first asked for."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.wire_double", "--until-input-ends"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, process)
    assert process.stdout is not None
    url, nx_port = process.stdout.readline().split()
    return url, int(nx_port)


def database_for(folder: Path) -> str:
    """A database of its own for each folder, and for each run of the tests."""
    return f"yuanxin_test_{_RUN}_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def _end(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)


def _drop_databases() -> None:
    with MongoClient(os.environ["MONGODB_URL"]) as client:
        for name in client.list_database_names():
            if name.startswith(f"yuanxin_test_{_RUN}_"):
                client.drop_database(name)
