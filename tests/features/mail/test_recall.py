"""Recalling: what was not read vanishes, what was read stays and says so, whoever is faster."""

import pytest

from server.errors import NotFound
from server.features.mail.delivery import Postman
from server.features.mail.documents import Delivery
from server.work import SystemWork
from tests.features.mail.post import (
    Meanwhile,
    audit,
    copies,
    crossed,
    delivered,
    listed,
    post,
    send,
    unread,
)
from tests.features.office import Client, Office, Refusal


async def recall(client: Client, mail_id: str) -> dict[str, object]:
    answer = await client.ask("mail.recall", mail_id=mail_id)
    await delivered(client.office)
    return answer


async def test_who_has_not_read_it_holds_it_no_more(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await recall(ann, mail_id)

    assert await listed(bob) == []
    assert await unread(bob) == 0
    told = bob.told("mail.counted")[-1]
    assert (told["gone"], told["unread"]) == ([mail_id], 0)
    with pytest.raises(Refusal, match="not_found"):
        await bob.ask("mail.open", mail_id=mail_id)


async def test_who_has_read_it_keeps_it_marked(office: Office, ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob", "cai")
    await bob.ask("mail.open", mail_id=mail_id)
    answer = await recall(ann, mail_id)

    assert answer == {"recalled_at": office.clock.now(), "read_count": 1}
    [shown] = (await bob.ask("mail.open", mail_id=mail_id))["mails"]
    assert shown["row"]["recalled_at"] == office.clock.now()
    assert shown["text"] == "周五下午三点，三楼会议室。"
    assert bob.told("mail.counted")[-1]["row"]["recalled_at"] == office.clock.now()


async def test_its_sender_sees_it_as_recalled_at_once(ann: Client) -> None:
    mail_id = await post(ann, "bob")
    await recall(ann, mail_id)

    [row] = await listed(ann, "sent")
    assert row["recalled_at"] is not None
    assert ann.told("mail.counted")[-1]["row"] == row


async def test_marked_as_unread_it_was_still_read(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await bob.ask("mail.open", mail_id=mail_id)
    await bob.ask("mail.set_read", mail_id=mail_id, is_read=False)
    await recall(ann, mail_id)

    assert len(await listed(bob)) == 1
    assert await unread(bob) == 1


async def test_a_copy_deleted_unread_is_forgotten_without_a_word(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await bob.ask("mail.delete", mail_id=mail_id)
    told = len(bob.events)
    await recall(ann, mail_id)

    assert len(bob.events) == told


async def test_recalling_again_is_answered_with_the_first_time(office: Office, ann: Client) -> None:
    mail_id = await post(ann, "bob")
    first = await recall(ann, mail_id)
    office.clock.advance(60)

    assert await recall(ann, mail_id) == first
    assert [action for _, action, _ in await audit(office)] == ["mail.recalled", "mail.sent"]


async def test_only_its_sender_recalls_a_mail(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")

    with pytest.raises(Refusal, match="forbidden"):
        await bob.ask("mail.recall", mail_id=mail_id)


async def test_a_repeat_of_a_recalled_mail_does_not_send_it_again(ann: Client, bob: Client) -> None:
    first = await send(ann, "bob", client_id="one")
    await recall(ann, first["mail_id"])

    assert await send(ann, "bob", client_id="one") == first
    assert await listed(bob) == []


async def test_a_reply_to_a_mail_that_was_taken_back_is_refused(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await recall(ann, mail_id)

    with pytest.raises(Refusal, match="not_found"):
        await send(bob, "ann", reply_to=mail_id)


# Races


def postman_over(office: Office, store: object) -> Postman:
    system = SystemWork(store, office.hub, office.clock)
    return Postman(store, system, office.directory, office.settings, portion=2)


async def test_a_recall_during_the_delivery_stops_it(slow_office: Office) -> None:
    office = slow_office
    ann, bob, cai = [await office.client(person) for person in ("ann", "bob", "cai")]
    mail_id = (await send(ann, "bob", "cai", "dan", "eve"))["mail_id"]
    postman = postman_over(office, office.store)
    await postman._try(f"send:{mail_id}")
    assert (await unread(bob), await unread(cai)) == (1, 1)

    await ann.ask("mail.recall", mail_id=mail_id)
    assert await postman.deliver()

    assert [copy.person_id for copy in await copies(office)] == ["ann"]
    assert await office.store.scan(Delivery.collection.name) == []


async def test_a_portion_that_crosses_the_recall_is_not_delivered(slow_office: Office) -> None:
    office = slow_office
    ann, bob = [await office.client(person) for person in ("ann", "bob")]
    mail_id = (await send(ann, "bob"))["mail_id"]
    crossing = Meanwhile(office.store, lambda: ann.ask("mail.recall", mail_id=mail_id))

    assert await postman_over(office, crossing).deliver()

    assert bob.events == []
    assert [copy.person_id for copy in await copies(office)] == ["ann"]


async def test_from_the_recall_on_nobody_opens_what_is_still_to_be_taken_back(
    slow_office: Office,
) -> None:
    office = slow_office
    ann, bob = [await office.client(person) for person in ("ann", "bob")]
    mail_id = (await send(ann, "bob"))["mail_id"]
    postman = postman_over(office, office.store)
    await postman.deliver()
    await ann.ask("mail.recall", mail_id=mail_id)

    for name, fields in (("mail.open", {}), ("mail.set_read", {"is_read": True})):
        with pytest.raises(Refusal, match="not_found"):
            await bob.ask(name, mail_id=mail_id, **fields)
    assert await listed(bob) == []
    await postman.deliver()
    assert await unread(bob) == 0


async def test_opening_that_crosses_a_recall_comes_too_late(office: Office, ann: Client) -> None:
    mail_id = await post(ann, "bob")
    dispatcher = crossed(office, lambda: recall(ann, mail_id))

    with pytest.raises(NotFound):
        await dispatcher.run(office.actor("bob"), "mail.open", {"mail_id": mail_id})
    assert (await ann.ask("mail.readers", mail_id=mail_id))["read_count"] == 0


async def test_opening_that_is_committed_before_the_recall_counts(
    office: Office, ann: Client, bob: Client
) -> None:
    mail_id = await post(ann, "bob")
    dispatcher = crossed(office, lambda: bob.ask("mail.open", mail_id=mail_id))

    await dispatcher.run(office.actor("ann"), "mail.recall", {"mail_id": mail_id})
    await delivered(office)

    [row] = await listed(bob)
    assert row["recalled_at"] == office.clock.now()


async def test_a_portion_that_crosses_a_reading_counts_right(slow_office: Office) -> None:
    office = slow_office
    ann, bob = [await office.client(person) for person in ("ann", "bob")]
    postman = postman_over(office, office.store)
    first = (await send(ann, "bob"))["mail_id"]
    await postman.deliver()
    await send(ann, "bob")
    crossing = Meanwhile(office.store, lambda: bob.ask("mail.open", mail_id=first))

    assert await postman_over(office, crossing).deliver()

    assert [event["unread"] for event in bob.told("mail.counted")] == [1, 0, 1]
    assert await unread(bob) == 1


async def test_recalling_is_recorded_without_what_was_written(office: Office, ann: Client) -> None:
    mail_id = await post(ann, "bob", subject="机密会议", text="机密内容")
    await recall(ann, mail_id)

    assert ("ann", "mail.recalled", mail_id) in await audit(office)
    assert "机密" not in str(await office.store.scan("audit"))
