"""What mail owes to people who are away: one notice each, as long as the mail waits unread."""

import json
from dataclasses import replace
from typing import Any

import pytest

from realtime.application import Reach
from server.features.mail.duty import MailDuty
from server.integrations.wecom.memory import MemoryWeCom
from server.notify import Notifier
from server.outbox import Notice, Owed
from server.storage.document import from_doc
from tests.features.mail.post import delivered, post
from tests.features.office import Client, Office


class Away:
    """Nobody is connected but those the test names."""

    def __init__(self, *here: str) -> None:
        self.here = here

    async def reach(self, people: Any, since: int) -> dict[str, Reach]:
        return {person: Reach.REACHED for person in people if person in self.here}

    async def online(self, people: Any) -> set[str]:
        return set(people) & set(self.here)


class Phones:
    """A notifier with a duty for mail, and what it sent to whom."""

    def __init__(self, office: Office, show: str = "sender", here: tuple[str, ...] = ()) -> None:
        self.office = office
        settings = replace(office.settings, public_url="https://y.example", mail_notice_show=show)
        self.duty = MailDuty(office.store, office.directory, settings)
        self.wecom = MemoryWeCom()
        self.notifier = Notifier(
            office.store,
            Away(*here),
            self.wecom,
            office.clock,
            settings,
            [self.duty],
            lambda person: person,
        )

    async def wait(self, seconds: int = 12) -> None:
        for _ in range(seconds):
            self.office.clock.advance(1)
            await self.notifier.step()

    def cards(self, person_id: str) -> list[tuple[str, str, str]]:
        """Title, description and path of what a phone shows."""
        cards = [json.loads(r)["textcard"] for r in self.wecom.phones.get(person_id, ())]
        return [
            (c["title"], c["description"], c["url"].removeprefix("https://y.example").split("?")[0])
            for c in cards
        ]

    async def owed(self) -> list[Any]:
        return await self.office.store.scan(Owed.collection.name)


async def test_who_is_away_is_told_once_by_the_senders_name(office: Office, ann: Client) -> None:
    phones = Phones(office)
    mail_id = await post(ann, "bob", subject="机密会议")
    await phones.wait()

    [(title, description, path)] = phones.cards("bob")
    assert title == "邮件"
    assert "安宁 发来一封邮件" in description
    assert "机密" not in title + description
    assert path == f"/m/{mail_id}"
    await phones.wait(120)
    assert len(phones.cards("bob")) == 1
    assert await phones.owed() == []


@pytest.mark.parametrize(
    ("show", "says", "hides"),
    [
        ("nothing", "您有一封新邮件", ["安宁", "机密会议", "正文"]),
        ("sender", "安宁 发来一封邮件", ["机密会议", "正文"]),
        ("subject", "机密会议", ["正文"]),
    ],
)
async def test_a_notice_shows_what_the_setting_allows(
    office: Office, ann: Client, show: str, says: str, hides: list[str]
) -> None:
    phones = Phones(office, show)
    await post(ann, "bob", subject="机密会议", text="正文")
    await phones.wait()

    [(title, description, _)] = phones.cards("bob")
    assert says in description
    assert not any(word in title + description for word in hides)


async def test_each_recipient_who_is_away_is_told_and_the_sender_is_not(
    office: Office, ann: Client
) -> None:
    phones = Phones(office, here=("cai",))
    await post(ann, "bob", "cai", "dan")
    await phones.wait()

    assert {person for person in phones.wecom.phones if phones.cards(person)} == {"bob", "dan"}


@pytest.mark.parametrize("act", ["mail.open", "mail.delete"])
async def test_what_was_opened_or_deleted_before_is_not_rung(
    office: Office, ann: Client, bob: Client, act: str
) -> None:
    phones = Phones(office)
    mail_id = await post(ann, "bob")
    await phones.wait(4)
    await bob.ask(act, mail_id=mail_id)
    await phones.wait(120)

    assert phones.cards("bob") == []
    assert await phones.owed() == []


async def test_a_recall_withdraws_what_waits(office: Office, ann: Client) -> None:
    phones = Phones(office)
    mail_id = await post(ann, "bob")
    office.clock.advance(9)
    await phones.notifier.look_step()
    [waiting] = [from_doc(Notice, doc) for doc in await office.store.scan("notices")]
    assert waiting.state == "queued"
    await ann.ask("mail.recall", mail_id=mail_id)
    await delivered(office)
    await phones.wait(120)

    assert phones.cards("bob") == []
    [notice] = [from_doc(Notice, doc) for doc in await office.store.scan("notices")]
    assert notice.state == "settled"
    assert await phones.owed() == []


async def test_mail_marked_as_unread_does_not_ring_again(
    office: Office, ann: Client, bob: Client
) -> None:
    phones = Phones(office)
    mail_id = await post(ann, "bob")
    await bob.ask("mail.open", mail_id=mail_id)
    await bob.ask("mail.set_read", mail_id=mail_id, is_read=False)
    await phones.wait(60)

    assert phones.cards("bob") == []


async def test_two_mails_are_two_notices(office: Office, ann: Client) -> None:
    phones = Phones(office)
    first, second = await post(ann, "bob"), await post(ann, "bob")
    await phones.wait(20)

    assert {path for _, _, path in phones.cards("bob")} == {f"/m/{first}", f"/m/{second}"}


async def test_a_subject_is_quoted_until_the_mail_is_recalled(office: Office, ann: Client) -> None:
    duty = Phones(office, "subject").duty
    mail_id = await post(ann, "bob")
    draft = await duty.draft("bob", mail_id)

    assert draft is not None
    assert draft.quotes == 1
    assert await duty.may_quote(mail_id, 1)
    assert not await Phones(office, "sender").duty.may_quote(mail_id, 1)
    await ann.ask("mail.recall", mail_id=mail_id)
    assert not await duty.may_quote(mail_id, 1)
    assert await duty.draft("bob", mail_id) is None


async def test_settling_late_is_harmless(office: Office, ann: Client, bob: Client) -> None:
    duty = Phones(office).duty
    mail_id = await post(ann, "bob")

    settling = await duty.settle(mail_id, {"bob": 1, "nobody": 1})
    await office.store.apply(*settling)
    assert await duty.settle(mail_id, {"bob": 1}) == []
    assert await duty.draft("bob", mail_id) is None
