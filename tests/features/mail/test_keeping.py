"""Keeping: marking as read and unread, deleting one's own copy."""

import pytest

from tests.features.mail.post import audit, listed, post, subjects, unread
from tests.features.office import Client, Office, Refusal


async def test_marked_as_unread_a_mail_counts_again_but_stays_read_to_its_sender(
    office: Office, ann: Client, bob: Client
) -> None:
    mail_id = await post(ann, "bob")
    await bob.ask("mail.open", mail_id=mail_id)
    read_at = office.clock.now()
    office.clock.advance(9)
    await bob.ask("mail.set_read", mail_id=mail_id, is_read=False)

    assert await unread(bob) == 1
    assert bob.told("mail.counted")[-1]["unread_again"] == [mail_id]
    await bob.ask("mail.open", mail_id=mail_id)
    readers = (await ann.ask("mail.readers", mail_id=mail_id))["readers"]
    assert readers == [{"person_id": "bob", "read_at": read_at}]
    assert len(ann.told("mail.read")) == 1


async def test_marking_a_thread_as_read_reads_all_of_it(
    office: Office, ann: Client, bob: Client
) -> None:
    first = await post(ann, "bob")
    await post(ann, "bob", reply_to=first)
    await post(ann, "bob", subject="另一件事")

    await bob.ask("mail.set_read", mail_id=first, is_read=True, whole_thread=True)

    assert await unread(bob) == 1
    assert len(bob.told("mail.counted")[-1]["read"]) == 2


@pytest.mark.parametrize("is_read", [True, False])
async def test_marking_twice_is_harmless_and_tells_nobody(
    ann: Client, bob: Client, is_read: bool
) -> None:
    mail_id = await post(ann, "bob")
    await bob.ask("mail.open", mail_id=mail_id)
    await bob.ask("mail.set_read", mail_id=mail_id, is_read=is_read)
    told = len(bob.events)
    await bob.ask("mail.set_read", mail_id=mail_id, is_read=is_read)

    assert len(bob.events) == told


async def test_ones_own_mail_is_never_unread(ann: Client) -> None:
    mail_id = await post(ann, "bob")
    await ann.ask("mail.set_read", mail_id=mail_id, is_read=False)

    assert await unread(ann) == 0


async def test_a_thread_is_not_marked_as_unread(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")

    with pytest.raises(Refusal, match="invalid"):
        await bob.ask("mail.set_read", mail_id=mail_id, is_read=False, whole_thread=True)


async def test_a_foreign_mail_is_not_marked(ann: Client, cai: Client) -> None:
    mail_id = await post(ann, "bob")

    with pytest.raises(Refusal, match="not_found"):
        await cai.ask("mail.set_read", mail_id=mail_id, is_read=True)


async def test_deleting_takes_only_the_own_copy(ann: Client, bob: Client, cai: Client) -> None:
    mail_id = await post(ann, "bob", "cai")
    await bob.ask("mail.delete", mail_id=mail_id)

    assert await listed(bob) == []
    assert await unread(bob) == 0
    [told] = [event for event in bob.told("mail.counted") if event["gone"]]
    assert (told["gone"], told["unread"], told["thread_count"]) == ([mail_id], 0, 0)
    with pytest.raises(Refusal, match="not_found"):
        await bob.ask("mail.open", mail_id=mail_id)
    assert len(await listed(cai)) == 1
    assert len(await listed(ann, "sent")) == 1


async def test_a_sender_who_deletes_leaves_the_recipients_theirs(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await ann.ask("mail.delete", mail_id=mail_id)

    assert await listed(ann, "sent") == []
    assert (await bob.ask("mail.open", mail_id=mail_id))["mails"]


async def test_deleting_again_is_answered_as_done(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await bob.ask("mail.delete", mail_id=mail_id)
    told = len(bob.events)
    await bob.ask("mail.delete", mail_id=mail_id)

    assert len(bob.events) == told


async def test_a_thread_is_deleted_with_what_one_wrote_in_it(
    office: Office, ann: Client, bob: Client
) -> None:
    first = await post(ann, "bob")
    await post(bob, "ann", reply_to=first)
    await post(ann, "bob", subject="另一件事")

    await bob.ask("mail.delete", mail_id=first, whole_thread=True)

    assert await subjects(bob) == ["另一件事"]
    assert await subjects(bob, "sent") == []
    assert len(await listed(ann)) == 1


async def test_deleting_is_recorded(office: Office, ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await bob.ask("mail.delete", mail_id=mail_id)

    assert await audit(office) == [("ann", "mail.sent", mail_id), ("bob", "mail.deleted", mail_id)]
