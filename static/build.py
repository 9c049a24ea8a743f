"""Build the H5 app with the Node that came as a Python wheel.

    python static/build.py              build the app, if anything changed since the last time
    python static/build.py npm ARGS...  run npm in this folder with the locked packages installed

No Node on the machine is needed or used. The build goes to a folder of its own that takes the
place of `dist` only when it is whole, so that a failed build never leaves half an app and a
running server never sees one. Two callers wait for each other.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK_FILE = HERE / "package-lock.json"
PACKAGES = HERE / "node_modules"
APP = HERE / "dist"
NOT_SOURCES = {"node_modules", "dist", "tests"}


def say(text: str) -> None:
    print(f"[app] {text}", file=sys.stderr, flush=True)


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time touch node_modules and dist."""
    with (HERE / ".build-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def npm(*arguments: str) -> int:
    """Run npm, with the wheel's Node first in the path as npm's scripts ask for `node`.

    It trusts the certificates the machine trusts: mirrors often have one of the house.
    """
    tools = Path(sys.executable).parent
    path = f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"
    settings = {"PATH": path, "NODE_USE_SYSTEM_CA": "1", "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    return subprocess.run(
        [str(tools / "npm"), *arguments],
        cwd=HERE,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
    ).returncode


def locked_packages() -> str:
    return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()


def noted(place: Path) -> str:
    return place.read_text() if place.exists() else ""


def install_packages() -> bool:
    """Install exactly what the lock names, unless that was done already."""
    note = PACKAGES / ".installed-from"
    if noted(note) == locked_packages():
        return True
    say("installing the app's packages")
    if npm("ci", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000") != 0:
        say("the packages could not be installed; is the network reachable?")
        return False
    note.write_text(locked_packages())
    return True


def newest_source() -> float:
    """When a source last changed. A folder counts too: its time tells that a file went away."""
    top = [place for place in HERE.iterdir() if place.name not in NOT_SOURCES]
    places = [place for place in top if place.is_file() and not place.name.startswith(".")]
    for folder in (place for place in top if place.is_dir() and "dist." not in place.name):
        places += [folder, *folder.rglob("*")]
    return max(place.stat().st_mtime for place in places)


def is_fresh() -> bool:
    index = APP / "index.html"
    return (
        index.exists()
        and newest_source() < index.stat().st_mtime
        and noted(APP / ".built-from") == locked_packages()
    )


def build() -> bool:
    """Build beside the app in use, then change places."""
    for leftover in HERE.glob("dist.*"):
        shutil.rmtree(leftover)
    made = Path(tempfile.mkdtemp(prefix="dist.new-", dir=HERE))
    made.chmod(0o755)
    begun = time.time()
    say("building the app")
    if npm("run", "build", "--", "--outDir", made.name, "--emptyOutDir") != 0:
        shutil.rmtree(made)
        say("the build failed; the app in use, if any, stays")
        return False
    (made / ".built-from").write_text(locked_packages())
    # Dated to the build's beginning: what was saved meanwhile may not be in it.
    os.utime(made / "index.html", (begun, begun))
    if APP.exists():
        APP.rename(HERE / "dist.old")
    made.rename(APP)
    shutil.rmtree(HERE / "dist.old", ignore_errors=True)
    say("the app is built")
    return True


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            with alone():
                return 0 if is_fresh() or (install_packages() and build()) else 1
        case ["npm", *rest]:
            with alone():
                installed = install_packages()
            return npm(*rest) if installed else 1
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
