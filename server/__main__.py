"""`python -m server <command>`: everything an operator does with the server."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from server.clock import SystemClock
from server.logs import start_logging
from server.settings import BadSetting, Settings, describe
from server.settings_loading import load, unknown_names
from server.storage import StorageError

Command = Callable[[argparse.Namespace, Settings], int]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status. A fault of the operator's is told in one sentence."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        settings = load(os.environ)
        start_logging(settings.log_level)
        for name in unknown_names(os.environ):
            print(f"yuanxin: there is no setting {name}; it is ignored", file=sys.stderr)
        command: Command = given.command
        return command(given, settings)
    except (BadSetting, StorageError, OSError) as fault:
        print(f"yuanxin: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("yuanxin: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Command, sentence: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=sentence, description=sentence)
        made.set_defaults(command=command)
        return made

    run = add("run", _run, "serve until told to stop")
    run.add_argument("--sandbox", action="store_true", help="with a made-up hospital and stand-ins")
    run.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="serving processes at one port (needs MongoDB and Redis)",
    )
    run.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    run.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    add("sandbox", _sandbox, "serve only the stand-ins for WeCom and the OA")
    add("migrate", _migrate, "bring the store to this version")
    checked = add("check", _check, "look whether settings and store are fit to serve")
    checked.add_argument(
        "--oa",
        nargs="?",
        const="",
        metavar="USER",
        help="instead: whether the OA can be used, asked for this OA user id (without: for somebody of "
        "the directory)",
    )
    add("protocol", _protocol, "write the protocol documents and client types")
    add("settings", _settings, "print every setting")
    staff = add("import-staff", _import_staff, "read people and departments from a workbook")
    staff.add_argument("file", type=Path, help="an .xlsx file in the template's form")
    staff.add_argument("--apply", action="store_true", help="store it (without: only report)")
    staff.add_argument(
        "--ask-oa", action="store_true", help="ask the OA for the OA ids that the file lacks"
    )
    staff.add_argument("--template", action="store_true", help="write the empty template to FILE")
    password = add(
        "set-password", _set_password, "give somebody a password, the first or a new one"
    )
    password.add_argument("account")
    password.add_argument("file", type=Path, help="a file whose first line is the password")
    of_wecom = add("wecom", _wecom_menu, "what concerns the app in WeCom").add_subparsers(
        required=True, metavar="what"
    )
    menu = of_wecom.add_parser("menu", help="give the app its menu")
    menu.add_argument("--show", action="store_true", help="only print what is there")
    sync = of_wecom.add_parser(
        "sync", help="bring people and departments together with WeCom's contacts; a plan at first"
    )
    sync.add_argument("--apply", action="store_true", help="do it (without: only report)")
    sync.add_argument(
        "--confirm-removals", action="store_true", help="also remove more than 5 %% of anything"
    )
    sync.add_argument("--last", action="store_true", help="only print how the last run ended")
    menu.set_defaults(command=_wecom_menu)
    sync.set_defaults(command=_wecom_sync)
    backup = add("backup", _backup, "copy the store to a file; the server may be running")
    backup.add_argument("file", type=Path)
    restore = add("restore", _restore, "replace the store of a stopped server by a backup")
    restore.add_argument("file", type=Path)
    add("new-epoch", _new_epoch, "make clients load afresh after a MongoDB was restored")
    return parser


def _until_stopped(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> int:
    """Run an event loop until SIGTERM or SIGINT."""
    import uvloop

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await serve(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    return 0


def _run(given: argparse.Namespace, settings: Settings) -> int:
    from server import workers

    workers.check(given.workers, settings, sandbox=given.sandbox)
    if given.workers > 1:
        return _until_stopped(lambda stop: workers.supervise(given.workers, settings, stop))
    return _until_stopped(lambda stop: _serve(given, settings, stop))


async def _serve(given: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> None:
    """Serve as one node until told to stop."""
    from server.app import running
    from server.sandboxed import sandboxed
    from server.serving import Ports
    from server.workers import orphaned

    async with contextlib.AsyncExitStack() as stack:
        used = settings
        if given.sandbox:
            used = await stack.enter_async_context(sandboxed(settings, SystemClock()))
        ports = Ports.of_worker(settings, given.worker)
        server = await stack.enter_async_context(running(used, ports=ports))
        print(f"Yuanxin serves {used.url} (listening on {server.url})", flush=True)
        if given.sandbox:
            place = f"http://127.0.0.1:{used.sandbox_port}/"
            print(f"phone and OA desk: {place}   sign in as s0001, password yuanxin", flush=True)
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
        if given.parent is not None:
            ends.append(asyncio.create_task(orphaned(given.parent)))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()


def _sandbox(given: argparse.Namespace, settings: Settings) -> int:
    from server.sandboxed import stand_ins

    async def serve(stop: asyncio.Event) -> None:
        async with stand_ins(settings, SystemClock()) as port:
            print(f"stand-ins serve http://127.0.0.1:{port}/", flush=True)
            await stop.wait()

    return _until_stopped(serve)


def _migrate(given: argparse.Namespace, settings: Settings) -> int:
    from server.app import opened_store

    async def migrate() -> None:
        async with opened_store(settings, SystemClock(), upgrade=True):
            print("the store is current")

    asyncio.run(migrate())
    return 0


def _check(given: argparse.Namespace, settings: Settings) -> int:
    from server.checking import check
    from server.checking.oa import check_oa

    if given.oa is not None:
        return asyncio.run(check_oa(settings, SystemClock(), given.oa))
    return asyncio.run(check(settings, SystemClock()))


def _protocol(given: argparse.Namespace, settings: Settings) -> int:
    from server.app import ALL
    from server.protocol import write_documents

    for path in write_documents(ALL, Path.cwd()):
        print(path.relative_to(Path.cwd()))
    return 0


def _settings(given: argparse.Namespace, settings: Settings) -> int:
    print(describe())
    return 0


def _import_staff(given: argparse.Namespace, settings: Settings) -> int:
    from server.app import opened_store
    from server.directory.staff_import import import_staff, write_template
    from server.outside import asked_oa

    if given.template:
        write_template(given.file)
        print(f"wrote {given.file}")
        return 0

    async def run() -> int:
        clock = SystemClock()
        async with contextlib.AsyncExitStack() as stack:
            store = await stack.enter_async_context(opened_store(settings, clock))
            oa = None
            if given.ask_oa:
                oa = await stack.enter_async_context(asked_oa(settings, clock))
            return await import_staff(given.file, store, clock, apply=given.apply, oa=oa)

    return asyncio.run(run())


def _set_password(given: argparse.Namespace, settings: Settings) -> int:
    from server.app import opened_store
    from server.directory.first_password import read_password, set_password

    async def run() -> int:
        clock = SystemClock()
        async with opened_store(settings, clock) as store:
            return await set_password(given.account, read_password(given.file), store, clock)

    return asyncio.run(run())


def _wecom_menu(given: argparse.Namespace, settings: Settings) -> int:
    from server.outside import wecom_menu

    return asyncio.run(wecom_menu(settings, set_it=not given.show))


def _wecom_sync(given: argparse.Namespace, settings: Settings) -> int:
    from server.app import opened_store
    from server.syncing import show_last, wecom_sync

    async def run() -> int:
        clock = SystemClock()
        async with opened_store(settings, clock) as store:
            if given.last:
                return await show_last(store)
            return await wecom_sync(
                settings, store, clock, apply=given.apply, confirmed=given.confirm_removals
            )

    return asyncio.run(run())


def _backup(given: argparse.Namespace, settings: Settings) -> int:
    _only_embedded(
        settings, "is backed up with mongodump or snapshots of its disks (docs/operations.md)"
    )
    from server.storage.sqlite.snapshots import write_snapshot

    folder: Path = given.file.absolute().parent
    if not folder.is_dir():
        # A disk that is not mounted: the copy would lie beside what it is kept for.
        raise StorageError(f"there is no folder {folder}; make it, or mount its disk")
    info = write_snapshot(settings.database, given.file)
    print(f"wrote {info.path}, {info.bytes} bytes, commit {info.commit_number}")
    return 0


def _restore(given: argparse.Namespace, settings: Settings) -> int:
    _only_embedded(settings, "is restored with mongorestore; then run `python -m server new-epoch`")
    from server.storage.sqlite.snapshots import restore

    replaced = restore(given.file, settings.database)
    print("restored; clients will be told to load everything again")
    if replaced:
        print(f"what was there before is kept as {replaced}")
    return 0


def _new_epoch(given: argparse.Namespace, settings: Settings) -> int:
    from server.storage.mongodb.history import begin_new_epoch

    if not settings.storage_url:
        raise StorageError("`restore` begins a new epoch of the embedded store by itself")
    epoch = asyncio.run(begin_new_epoch(settings.storage_url))
    print(f"epoch {epoch} begins; clients will be told to load everything again")
    return 0


def _only_embedded(settings: Settings, otherwise: str) -> None:
    if settings.storage_url:
        raise StorageError(f"this is for the embedded store; a MongoDB {otherwise}")


if __name__ == "__main__":
    raise SystemExit(main())
