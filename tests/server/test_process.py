"""The server as an operator meets it: a process that is started, asked to end, and told wrong things."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import openpyxl
import pytest

from realtime.testing import Disconnected, SocketClient
from server.app import opened_store
from server.clock import SystemClock
from server.directory.first_password import read_password
from server.directory.seeding import seed_people
from server.settings import BadSetting, Settings
from server.settings_loading import load
from server.storage import Store
from server.work import LOG
from tests.end_to_end.processes import ServerProcess
from tests.operating import Ended, Operator, operate, operator
from tests.server.house import NAMES, PASSWORD, HouseStaff

__all__ = ["operator"]

STOPS_WITHIN_S = 10.0
TEXT = {"kind": "text", "text": "查房完毕"}


async def seed(folder: Path) -> None:
    """The five people, in a store that no server has open."""
    clock = SystemClock()
    async with opened_store(Settings(data_dir=folder), clock) as store:
        await seed_people(store, HouseStaff(), clock)


def assert_one_sentence(ended: Ended, *words: str) -> None:
    """It failed as an operator wants it: told once, in words, without our insides."""
    told = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert ended.returncode == 1, ended.stderr
    assert len(told) == 1, ended.stderr
    assert told[0].startswith("yuanxin: ")
    assert all(word in told[0] for word in words)
    assert "Traceback" not in ended.stderr


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    await seed(tmp_path / "data")
    process = ServerProcess(tmp_path / "data", "run")
    await process.start()
    yield process
    process.close()


# Stopping


class Phone:
    """Somebody's socket and token, and which messages were acked on either road."""

    def __init__(self, url: str, person: str) -> None:
        self.url, self.person = url, person
        self.acked: set[str] = set()
        self.http = aiohttp.ClientSession()
        self.socket: SocketClient

    async def post(self, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if path != "auth/login" else {}
        place = f"{self.url}/api/v1/{path}"
        async with self.http.post(place, json=body, headers=headers) as answer:
            return await answer.json()

    async def open(self) -> None:
        form = {"account": self.person, "password": PASSWORD}
        self.token = (await self.post("auth/login", form))["token"]
        ticket = (await self.post("auth/ticket", {}))["ticket"]
        self.socket = await SocketClient.connect(self.url, ticket)

    async def send(self, conversation: dict[str, Any], number: int) -> None:
        """Send one message, every tenth over HTTP, and note its ack if there is one."""
        client_id = f"{self.person}-{number}"
        fields = {**conversation, "client_id": client_id, "content": TEXT}
        try:
            if number % 10:
                ack = await self.socket.start("chat.send", fields)
            else:
                ack = await self.post("commands/chat.send", fields)
        except (Disconnected, aiohttp.ClientError, OSError):
            return
        if ack["ok"]:
            self.acked.add(client_id)

    async def close(self) -> None:
        await self.socket.close()
        await self.http.close()


async def kept_messages(store: Store, conversation_id: str) -> set[str]:
    """The client ids of all messages of a conversation."""
    found: set[str] = set()
    channel, after = f"conversation:{conversation_id}", 0
    while entries := (await store.tails(LOG.name, {channel: after}, 500)).get(channel, []):
        after = entries[-1]["position"]
        found |= {entry["idem"].partition("/")[2] for entry in entries if entry.get("idem")}
    return found


async def test_a_server_told_to_stop_acks_what_it_keeps_and_says_goodbye(
    server: ServerProcess,
) -> None:
    phones = [Phone(server.url, person) for person in NAMES]
    await asyncio.gather(*(phone.open() for phone in phones))
    group = {"title": "夜班", "member_ids": list(NAMES)}
    conversation = await phones[0].socket.ask("chat.create_group", group)
    sending = [
        asyncio.create_task(phone.send(conversation, number))
        for number in range(60)
        for phone in phones
    ]
    # The first answer says that the server is in the midst of it.
    await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)

    asked_at = time.monotonic()
    status = await server.stop()
    took_s = time.monotonic() - asked_at
    await asyncio.gather(*sending)
    for phone in phones:
        await phone.close()

    goodbyes = [
        [(told["reason"], told["reconnect"]) for told in phone.socket.named("closing")]
        for phone in phones
    ]
    acked = set().union(*(phone.acked for phone in phones))
    async with opened_store(Settings(data_dir=server.folder), SystemClock()) as store:
        kept = await kept_messages(store, conversation["conversation_id"])
    assert (status, took_s < STOPS_WITHIN_S) == (0, True)
    assert goodbyes == [[("going_away", True)]] * len(phones)
    assert kept == acked
    assert acked
    assert "Traceback" not in server.log()


async def test_what_an_operator_does_beside_a_running_server(
    server: ServerProcess, operator: Operator, tmp_path: Path
) -> None:
    folder, copy = server.folder, tmp_path / "copy.db"

    second = operate("run", folder=folder, http_port="0")
    backup = operator("backup", copy, folder=folder)
    restored = operator("restore", copy, folder=folder)

    assert_one_sentence(second, "in use by process")
    assert (backup.returncode, copy.exists()) == (0, True)
    assert_one_sentence(restored, "in use by process")
    assert await server.stop() == 0


# Commands


def test_what_an_operator_does_before_the_first_start(operator: Operator, tmp_path: Path) -> None:
    folder, staff = tmp_path / "data", tmp_path / "staff.xlsx"

    printed = operator("settings", folder=folder, wecom_secret="the-secret")
    migrated = operate("migrate", folder=folder)
    again = operate("migrate", folder=folder)
    checked = operator("check", folder=folder)
    written = operator("import-staff", "--template", staff, folder=folder)

    ended = (printed, migrated, again, checked, written)
    assert [command.returncode for command in ended] == [0] * 5, [c.stderr for c in ended]
    assert all(f"YUANXIN_{n.upper()}" in printed.stdout for n in Settings.__dataclass_fields__)
    assert "the-secret" not in printed.stdout
    assert migrated.stdout == "the store is current\n"
    assert f'an empty one is made", "store": "{folder}' in migrated.stderr
    assert "an empty one" not in again.stderr
    assert "people    0" in checked.stdout
    assert openpyxl.load_workbook(staff).sheetnames


def test_protocol_writes_the_documents_where_it_is_called(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = operator("protocol", folder=tmp_path)

    written = ended.stdout.split()
    assert ended.returncode == 0
    assert "docs/protocol.md" in written
    assert all((tmp_path / path).stat().st_size > 1_000 for path in written)


def test_a_damaged_store_is_told_and_comes_back_from_a_backup(
    operator: Operator, tmp_path: Path
) -> None:
    folder, copy = tmp_path / "data", tmp_path / "copy.db"
    asyncio.run(seed(folder))
    operator("backup", copy, folder=folder)
    damaged = b"this is no database" * 400
    (folder / "yuanxin.db").write_bytes(damaged)

    before = operator("check", folder=folder)
    restored = operator("restore", copy, folder=folder)
    after = operator("check", folder=folder)

    assert (before.returncode, "NOT READY" in before.stdout) == (1, True)
    assert restored.returncode == 0, restored.stderr
    assert (after.returncode, "people    5" in after.stdout) == (0, True)
    assert (folder / "yuanxin.db.replaced").read_bytes() == damaged


def test_a_restored_store_begins_a_new_epoch(operator: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "data"

    async def epoch() -> str:
        async with opened_store(Settings(data_dir=folder), SystemClock()) as store:
            return store.epoch

    before = asyncio.run(epoch())
    assert operator("backup", tmp_path / "copy.db", folder=folder).returncode == 0
    assert operator("restore", tmp_path / "copy.db", folder=folder).returncode == 0

    assert asyncio.run(epoch()) != before


def test_a_backup_to_a_disk_that_is_not_mounted_is_refused(
    operator: Operator, tmp_path: Path
) -> None:
    folder, mount = tmp_path / "data", tmp_path / "backup-disk"
    operator("migrate", folder=folder)

    refused = operator("backup", mount / "copy.db", folder=folder)

    assert_one_sentence(refused, f"there is no folder {mount}")
    assert not mount.exists()


def test_an_unfit_backup_replaces_nothing(operator: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    operator("migrate", folder=folder)
    kept = (folder / "yuanxin.db").read_bytes()
    (tmp_path / "unfit.db").write_text("not a database")

    unfit = operator("restore", tmp_path / "unfit.db", folder=folder)
    missing = operator("restore", tmp_path / "missing.db", folder=folder)

    assert_one_sentence(unfit, "unfit.db cannot be restored")
    assert_one_sentence(missing, "missing.db cannot be restored")
    assert (folder / "yuanxin.db").read_bytes() == kept
    assert not list(folder.glob("*.part"))


# Settings


def test_a_bad_setting_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    ended = operate("run", folder=tmp_path, http_port="eighty")

    assert_one_sentence(ended, "YUANXIN_HTTP_PORT must be a whole number")


def test_a_place_one_cannot_listen_on_ends_the_start_with_one_sentence(
    operator: Operator, tmp_path: Path
) -> None:
    ended = operator("run", folder=tmp_path, http_host="256.1.1.1")

    assert_one_sentence(ended, "cannot listen on 256.1.1.1:8080")


def test_a_data_folder_that_cannot_be_made_ends_the_start_with_one_sentence(
    operator: Operator, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    assert_one_sentence(operator("run", folder=tmp_path / "file" / "data"), "file")


def test_a_wsdl_that_is_not_there_ends_the_start_with_one_sentence(
    operator: Operator, tmp_path: Path
) -> None:
    ended = operator("run", folder=tmp_path, oa_wsdl=str(tmp_path / "none.wsdl"))

    assert_one_sentence(ended, "YUANXIN_OA_WSDL")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", ""),
        ("HTTP_PORT", "-1"),
        ("HTTP_PORT", "70000"),
        ("SANDBOX_PORT", "70000"),
        ("STORAGE_QUEUE", "0"),
        ("LOG_LEVEL", "loud"),
        ("PUBLIC_URL", "yuanxin.example"),
        ("SESSION_DAYS", "0"),
        ("PING_INTERVAL_MS", "0"),
        ("RECALL_SECONDS", "86401"),
        ("NOTICE_FIRST_SECONDS", "16"),
        ("NOTICE_SHOW_TEXT", "maybe"),
        ("MAIL_RECIPIENTS", "0"),
        ("MAIL_NOTICE_SHOW", "everything"),
        ("WECOM_API_BASE", "https://wecom.example"),
        ("WECOM_API_BASE", "wecom.example/cgi-bin/"),
        ("OA_ENDPOINT", "oa.example/services/WorkflowService"),
        ("TLS_KEY", "/etc/yuanxin/im.key"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "127.0.0.1, proxy.hospital.example"),
        ("WECOM_CALLBACK_AES_KEY", "short"),
        ("WECOM_SYNC", "both_ways"),
        ("WECOM_SYNC", "to_wecom"),
        ("WECOM_SYNC_HOUR", "24"),
        ("OA_TIMEZONE", "Mars/Olympus"),
        ("HIS_TIMEZONE", "Mars/Olympus"),
        ("HIS_KEYS", "an-id-without-a-secret"),
        ("OA_POLL_SECONDS", "0"),
        ("CONFIG", "/nowhere/at/all.toml"),
        ("WECOM_SECRET_FILE", "/nowhere/at/all"),
    ],
)
def test_a_setting_that_cannot_work_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"YUANXIN_{name}"):
        load({f"YUANXIN_{name}": value})


def test_files_that_are_no_text_are_named(tmp_path: Path) -> None:
    file = tmp_path / "binary"
    file.write_bytes(b"\xff\xfe")

    for name in ("YUANXIN_CONFIG", "YUANXIN_WECOM_SECRET_FILE"):
        with pytest.raises(BadSetting, match=name):
            load({name: str(file)})


def test_a_mark_of_an_editor_is_no_part_of_a_secret_or_a_password(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("the-secret\n", encoding="utf-8-sig")

    assert load({"YUANXIN_WECOM_SECRET_FILE": str(file)}).wecom_secret == "the-secret"
    assert read_password(file) == "the-secret"


def test_a_password_that_is_no_text_ends_with_one_sentence(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_bytes("密码".encode("gbk"))

    ended = operator("set-password", "s0001", file, folder=tmp_path / "data")

    assert_one_sentence(ended, "is not a text in UTF-8")


def test_a_secret_may_come_from_a_file_and_never_shows(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("the-secret\n")

    settings = load({"YUANXIN_WECOM_SECRET_FILE": str(file)})

    assert settings.wecom_secret == "the-secret"
    assert "the-secret" not in repr(settings)
