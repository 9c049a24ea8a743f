"""The machine a benchmark runs on: which core serves, which asks, and what is worth writing down.

Figures without their machine mean nothing, and a server that shares its core with whoever asks it
measures both.
"""

import contextlib
import os
import platform
import resource
import socket
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = ROOT / "build" / "bench"
"""What benchmarks install, compile and write; removed by `make clean`."""


@dataclass(frozen=True)
class Cores:
    """The first core serves, the last one asks."""

    server: int
    client: int

    @property
    def apart(self) -> bool:
        return self.server != self.client


def cores() -> Cores:
    allowed = os.sched_getaffinity(0)
    return Cores(min(allowed), max(allowed))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def allow_many_files() -> int:
    """Raise the limit of open files, which servers and clients inherit, as far as it goes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def describe() -> dict[str, str | int | float]:
    """The machine in words, and how busy it was at the beginning."""
    return {
        "processor": _after("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "yuanxin": _own_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def in_words(machine: dict[str, str | int | float]) -> str:
    return (
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}, Yuanxin {machine['yuanxin']}, "
        f"load {machine['load']} at the start"
    )


def package_versions(*names: str) -> str:
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def _after(file: str, label: str) -> str:
    with contextlib.suppress(OSError):
        for line in Path(file).read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == label:
                return value.strip()
    return ""


def _own_version() -> str:
    """The commit measured, as figures are compared between commits."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
        return described.stdout.strip()
    return "(no commit known)"
