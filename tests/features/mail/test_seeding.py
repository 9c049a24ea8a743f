"""The sandbox's first mails: plausible, quick, once."""

from pathlib import Path

import msgspec

from server.features import mail
from server.features.mail.seeding import seed_mail
from tests.features.mail.post import copies, listed, unread
from tests.features.office import open_office

NAMES = {f"s{number:04d}": f"人{number}" for number in range(1, 15)}


async def test_everybody_among_the_first_has_mail_read_unread_and_a_thread(tmp_path: Path) -> None:
    async with open_office(tmp_path, [mail.feature], names=NAMES) as office:
        await seed_mail(office.store, office.system, office.directory)

        first = await office.client("s0001")
        rows = await listed(first)
        assert await unread(first) == sum(not row["is_read"] for row in rows) > 0
        assert any(row["is_read"] for row in rows)
        assert max(row["thread_count"] for row in rows) == 3
        assert await listed(first, "sent")
        for number in range(1, 13):
            assert await listed(await office.client(f"s{number:04d}"))
        assert await listed(await office.client("s0013")) == []
        assert await office.store.scan("owed") == []


async def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    async with open_office(tmp_path, [mail.feature], names=NAMES) as office:
        await seed_mail(office.store, office.system, office.directory)
        before = msgspec.json.encode(await copies(office))
        await seed_mail(office.store, office.system, office.directory)

        assert msgspec.json.encode(await copies(office)) == before


async def test_a_house_too_small_for_it_gets_none(tmp_path: Path) -> None:
    async with open_office(tmp_path, [mail.feature]) as office:
        await seed_mail(office.store, office.system, office.directory)

        assert await copies(office) == []
