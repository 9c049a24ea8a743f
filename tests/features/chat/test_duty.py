"""What chat owes to people who are away, told by a notifier to phones that answer as the test says."""

from typing import Any

import pytest
from msgspec.structs import replace

from realtime.application import Reach
from server.features.chat.documents import Member, member_id
from server.features.chat.duty import ChatDuty
from server.integrations.wecom import Retry, Sent
from server.notify import Notifier
from server.outbox import DOCUMENTS, Notice, Owed
from server.settings import Settings
from server.storage.document import from_doc
from tests.features.chat.talk import direct, group, say
from tests.features.office import Client, Office

LOST = Retry("the answer was lost")
BUSY = Retry("busy", -1)


class Phone:
    """Somebody's WeCom: keeps what it is given, whether it answers or not."""

    def __init__(self) -> None:
        self.fault: Retry | None = None
        self.tried: list[str] = []

    async def send(self, request: bytes) -> Sent:
        self.tried.append(request.decode())
        if self.fault is not None:
            raise self.fault
        return Sent(msgid="1")


class Away:
    """Nobody is connected."""

    async def reach(self, people: Any, since: int) -> dict[str, Reach]:
        return {}

    async def online(self, people: Any) -> set[str]:
        return set()


async def notifier_of(office: Office, phone: Phone, users: dict[str, str]) -> Notifier:
    for kind in DOCUMENTS:
        await office.store.ensure(kind.collection)
    settings = Settings(public_url="https://y.example", notice_show_text=True)
    duty = ChatDuty(office.store, office.directory, settings)
    return Notifier(office.store, Away(), phone, office.clock, settings, [duty], users.get)


async def run(office: Office, notifier: Notifier, seconds: int) -> None:
    for _ in range(seconds):
        office.clock.advance(1)
        await notifier.step()


async def test_a_lively_conversation_rings_a_phone_within_20_s(office: Office, ann: Client) -> None:
    phone = Phone()
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talk = await direct(ann, "bob")
    for _ in range(20):
        for _ in range(3):
            await say(ann, talk)
        office.clock.advance(1)
        await notifier.step()

    assert phone.tried


async def test_each_member_waits_from_the_first_message_after_the_own_place(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    talk = await group(ann, "bob", "cai", "dan")
    sent = []
    for number in range(40):
        sent.append(await say(ann, talk))
        office.clock.advance(0.1)
        if number == 9:
            await bob.ask("chat.mark_read", conversation_id=talk, seq=10)
        if number == 29:
            await cai.ask("chat.mark_read", conversation_id=talk, seq=30)
    duty = ChatDuty(office.store, office.directory, office.settings)
    [row] = [from_doc(Owed, doc) for doc in await office.store.scan(Owed.collection.name)]

    claims = {claim.person_id: claim for claim in (await duty.due([row]))[talk]}

    places = {"dan": 0, "bob": 10, "cai": 30}
    assert {person: claim.first_at for person, claim in claims.items()} == {
        person: sent[place]["sent_at"] for person, place in places.items()
    }
    assert {claim.count + claim.after for claim in claims.values()} == {40}


async def test_skimming_names_the_same_people_and_places(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    talks = [
        await direct(ann, "bob"),
        await group(ann, "bob", "cai", "dan"),
        await direct(bob, "cai"),
    ]
    for talk in talks:
        await say(bob, talk)
    await say(ann, talks[1])
    await cai.ask("chat.mark_read", conversation_id=talks[1], seq=2)
    duty = ChatDuty(office.store, office.directory, office.settings)
    rows = [from_doc(Owed, doc) for doc in await office.store.scan(Owed.collection.name)]

    skimmed, claimed = await duty.skim(rows), await duty.due(rows)

    def places(found: Any) -> set[tuple[str, str, int, int]]:
        return {(s, c.person_id, c.upto, c.newest_at) for s, some in found.items() for c in some}

    assert places(skimmed) == places(claimed)
    assert len(places(skimmed)) == 4


async def test_what_lies_behind_recalled_messages_is_still_owed(
    office: Office, ann: Client
) -> None:
    phone = Phone()
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talk = await direct(ann, "bob")
    await say(ann, talk, "come to theatre 3")
    for _ in range(25):
        sent = await say(ann, talk, "oops")
        await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])
        office.clock.advance(0.6)
    await run(office, notifier, 30)

    [told] = phone.tried
    assert "come to theatre 3" in told
    doc = await office.store.get(Member.collection.name, member_id(talk, "bob"))
    assert doc is not None
    assert doc["notified_seq"] == 26


async def test_when_everything_was_recalled_nobody_is_told(office: Office, ann: Client) -> None:
    phone = Phone()
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talk = await direct(ann, "bob")
    for _ in range(25):
        sent = await say(ann, talk, "oops")
        await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])
        office.clock.advance(0.6)
    await run(office, notifier, 30)

    assert phone.tried == []
    assert not await office.store.scan(Owed.collection.name)


async def muted_group(office: Office, ann: Client, bob: Client) -> tuple[Phone, Notifier, str]:
    """Ann's group with Bob, who has muted it: his phone, who notifies, and the conversation."""
    phone = Phone()
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talk = await group(ann, "bob")
    await bob.ask("chat.configure", conversation_id=talk, muted=True)
    return phone, notifier, talk


async def test_a_muted_group_whose_mention_was_recalled_tells_nobody(
    office: Office, ann: Client, bob: Client
) -> None:
    phone, notifier, talk = await muted_group(office, ann, bob)
    sent = await say(ann, talk, "@鲍博", mentions=["bob"])
    await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])
    await say(ann, talk, "nothing for you")
    await run(office, notifier, 30)

    assert phone.tried == []


async def test_a_muted_group_tells_of_a_mention_though_a_later_one_was_recalled(
    office: Office, ann: Client, bob: Client
) -> None:
    phone, notifier, talk = await muted_group(office, ann, bob)
    await say(ann, talk, "@鲍博 三床请会诊", mentions=["bob"])
    sent = await say(ann, talk, "@鲍博 写错了", mentions=["bob"])
    await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])
    await run(office, notifier, 30)

    [told] = phone.tried
    assert "提到了你" in told


async def test_nobody_who_has_left_the_hospital_is_owed_anything(
    office: Office, ann: Client
) -> None:
    phone = Phone()
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talks = [await group(ann, "bob", "cai"), await direct(ann, "cai")]
    gone = replace(office.directory.find("cai"), retired_at=office.clock.now())
    office.directory.refresh([gone])
    for talk in talks:
        await say(ann, talk)
    await run(office, notifier, 30)

    kept = [from_doc(Notice, doc) for doc in await office.store.scan(Notice.collection.name)]
    assert [notice.person_id for notice in kept] == ["bob"]
    assert not await office.store.scan(Owed.collection.name)


async def test_a_mention_that_was_recalled_is_not_told_as_one(office: Office, ann: Client) -> None:
    phone = Phone()
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talk = await group(ann, "bob")
    sent = await say(ann, talk, "@鲍博", mentions=["bob"])
    await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])
    await say(ann, talk, "nothing for you")
    await run(office, notifier, 30)

    [told] = phone.tried
    assert "提到了你" not in told


@pytest.mark.parametrize("fault", [LOST, BUSY])
async def test_a_recalled_text_is_not_sent_when_wecom_is_back(
    office: Office, ann: Client, fault: Retry
) -> None:
    phone = Phone()
    phone.fault = fault
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talk = await direct(ann, "bob")
    sent = await say(ann, talk, "SECRET")
    await run(office, notifier, 20)
    assert "SECRET" in phone.tried[0]
    await ann.ask("chat.recall", conversation_id=talk, seq=sent["seq"])
    await say(ann, talk, "harmless")
    phone.tried.clear()
    phone.fault = None
    await run(office, notifier, 120)

    [told] = phone.tried
    assert "SECRET" not in told
    assert "harmless" in told


async def test_a_text_that_stands_goes_again_as_it_was(office: Office, ann: Client) -> None:
    phone = Phone()
    phone.fault = LOST
    notifier = await notifier_of(office, phone, {"bob": "bob"})
    talk = await direct(ann, "bob")
    await say(ann, talk, "come to theatre 3")
    await run(office, notifier, 20)
    await say(ann, talk, "quickly")
    phone.fault = None
    await run(office, notifier, 120)

    *same, last = phone.tried
    assert len(same) > 1
    assert len(set(same)) == 1
    assert "quickly" in last


@pytest.mark.parametrize("fault", [LOST, BUSY])
async def test_who_retired_while_wecom_was_down_is_not_told(
    office: Office, ann: Client, fault: Retry
) -> None:
    phone, users = Phone(), {"bob": "bob"}
    phone.fault = fault
    notifier = await notifier_of(office, phone, users)
    talk = await direct(ann, "bob")
    await say(ann, talk, "SECRET")
    await run(office, notifier, 20)
    assert phone.tried
    users.clear()
    phone.tried.clear()
    phone.fault = None
    await run(office, notifier, 120)

    assert phone.tried == []
    assert [doc["reason"] for doc in await office.store.scan("notices")] == ["no WeCom account"]


async def test_a_notice_goes_to_the_account_the_person_has_now(office: Office, ann: Client) -> None:
    phone, users = Phone(), {"bob": "bob"}
    phone.fault = LOST
    notifier = await notifier_of(office, phone, users)
    talk = await direct(ann, "bob")
    await say(ann, talk)
    await run(office, notifier, 20)
    users["bob"] = "bob2"
    phone.tried.clear()
    phone.fault = None
    await run(office, notifier, 120)

    [told] = phone.tried
    assert '"bob2"' in told


async def test_catching_up_without_positions_proves_nothing(office: Office, ann: Client) -> None:
    talk = await direct(ann, "bob")
    await say(ann, talk)
    at = office.clock.now()
    office.clock.advance(5)
    bob = await office.client("bob")
    await bob.ask("stream.catch_up")
    office.clock.advance(5)
    bob.connection.confirm(office.clock.now())

    # What was said was never written to this connection.
    assert office.hub.reach("bob", at) is not Reach.REACHED
