"""Search: by subject, text and sender's name, and never in what is somebody else's."""

import pytest

from server.features.mail import reading
from tests.features.mail.post import delivered, post
from tests.features.office import Client, Office, Refusal


async def found(client: Client, text: str, **fields: object) -> list[str]:
    answer = await client.ask("mail.search", text=text, **fields)
    return [row["mail_id"] for row in answer["rows"]]


@pytest.mark.parametrize("text", ["医疗质量", "汇报", "安宁", "QC REPORT"])
async def test_a_mail_is_found_by_subject_text_and_senders_name(
    ann: Client, bob: Client, text: str
) -> None:
    mail_id = await post(ann, "bob", subject="医疗质量例会", text="请准备三分钟汇报。\nQC report")

    assert await found(bob, text) == [mail_id]
    assert await found(ann, text) == [mail_id]


async def test_nobody_finds_what_he_or_she_does_not_hold(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    await post(ann, "bob", subject="人事安排")
    own = await post(cai, "bob", subject="人事档案")

    assert await found(cai, "人事") == [own]
    assert await found(await office.client("dan"), "人事") == []
    assert await found(await office.client("eve"), "安宁") == []


async def test_what_was_deleted_is_not_found(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob", subject="人事安排")
    await bob.ask("mail.delete", mail_id=mail_id)

    assert await found(bob, "人事") == []
    assert await found(ann, "人事") == [mail_id]


async def test_what_was_recalled_unread_is_not_found(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    mail_id = await post(ann, "bob", "cai", subject="人事安排")
    await cai.ask("mail.open", mail_id=mail_id)
    await ann.ask("mail.recall", mail_id=mail_id)
    assert await found(bob, "人事") == []
    await delivered(office)

    assert await found(bob, "人事") == []
    assert await found(cai, "人事") == [mail_id]
    assert await found(ann, "人事") == [mail_id]


async def test_a_name_is_found_as_it_was(office: Office, ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    person = office.directory.find("ann")
    office.directory.refresh([type(person)(id="ann", name="安静", posts=person.posts)])

    assert await found(bob, "安宁") == [mail_id]
    assert await found(bob, "安静") == []


async def test_results_come_newest_first_page_by_page(
    office: Office, ann: Client, bob: Client
) -> None:
    sent = []
    for _ in range(3):
        sent.append(await post(ann, "bob", subject="人事安排"))
        office.clock.advance(1)

    first = await bob.ask("mail.search", text="人事", limit=2)
    rest = await bob.ask("mail.search", text="人事", limit=2, before=first["before"])
    assert [row["mail_id"] for row in first["rows"]] == [sent[2], sent[1]]
    assert [row["mail_id"] for row in rest["rows"]] == [sent[0]]
    assert rest.get("before") is None
    assert first["older_left_out"] is False


async def test_it_is_said_when_older_mail_was_not_searched(
    monkeypatch: pytest.MonkeyPatch, office: Office, ann: Client, bob: Client
) -> None:
    monkeypatch.setattr(reading, "SEARCHED", 1)
    await post(ann, "bob", subject="人事旧事")
    office.clock.advance(1)
    newer = await post(ann, "bob", subject="人事安排")

    answer = await bob.ask("mail.search", text="人事")
    assert [row["mail_id"] for row in answer["rows"]] == [newer]
    assert answer["older_left_out"] is True


@pytest.mark.parametrize("fields", [{"text": "人"}, {"text": "人" * 101}, {"limit": 51}])
async def test_a_search_out_of_bounds_is_invalid(ann: Client, fields: dict[str, object]) -> None:
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("mail.search", **{"text": "人事", **fields})
