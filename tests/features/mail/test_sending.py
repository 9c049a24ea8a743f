"""Sending: who may write to whom, what a repeat does, what is told and recorded."""

from typing import Any

import pytest

from server.auth import Role
from server.directory import Department, Person, Post
from tests.features.mail.post import audit, copies, delivered, listed, post, send, subjects, unread
from tests.features.office import Client, Office, Refusal


async def test_a_mail_is_there_for_its_recipients_and_for_nobody_else(
    ann: Client, bob: Client, cai: Client
) -> None:
    mail_id = await post(ann, "bob", subject="会议通知", text="周五下午三点。\n三楼会议室。")

    [row] = await listed(bob)
    assert row["mail_id"] == mail_id
    assert (row["sender_id"], row["subject"]) == ("ann", "会议通知")
    assert row["excerpt"] == "周五下午三点。 三楼会议室。"
    assert row["to"] == {"count": 1, "person_ids": ["bob"]}
    assert (row["is_read"], row["thread_count"]) == (False, 1)
    assert await unread(bob) == 1
    assert await listed(cai) == []
    assert await unread(ann) == 0
    assert [row["mail_id"] for row in await listed(ann, "sent")] == [mail_id]


async def test_an_open_page_is_told_at_once(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")

    [told] = bob.told("mail.counted")
    assert (told["unread"], told["revision"], told["row"]["mail_id"]) == (1, 1, mail_id)
    assert (told["channel"], told["position"]) == ("person:bob", 1)
    [mine] = ann.told("mail.counted")
    assert (mine["unread"], mine["row"]["box"]) == (0, "out")


async def test_a_repeat_is_answered_with_the_first_and_sends_nothing(
    office: Office, ann: Client, bob: Client
) -> None:
    first = await send(ann, "bob", client_id="one")
    office.clock.advance(1)
    again = await send(ann, "bob", client_id="one")
    await delivered(office)

    assert again == first
    assert await unread(bob) == 1
    assert len(await copies(office)) == 2


async def test_a_repeat_is_answered_though_its_recipient_has_left_meanwhile(
    office: Office, ann: Client, bob: Client
) -> None:
    first = await send(ann, "bob", client_id="one")
    retire(office, "bob")

    assert await send(ann, "bob", client_id="one") == first


@pytest.mark.parametrize(
    "other", [{"subject": "别的"}, {"text": "别的"}, {"departments": ("ward",)}]
)
async def test_another_mail_under_a_used_client_id_is_a_conflict(
    ann: Client, other: dict[str, Any]
) -> None:
    await send(ann, "bob", client_id="one")

    with pytest.raises(Refusal, match="conflict"):
        await send(ann, "bob", client_id="one", **other)


async def test_the_same_client_id_of_two_people_is_two_mails(ann: Client, bob: Client) -> None:
    one = await send(ann, "cai", client_id="one")
    other = await send(bob, "cai", client_id="one")

    assert one["mail_id"] != other["mail_id"]


async def test_a_department_is_everybody_who_works_in_it_or_below_but_the_sender(
    office: Office, ann: Client
) -> None:
    office.directory.refresh(
        [Person(id="fei", name="费飞", posts=(Post(department_id="room", title="护士"),))],
        [Department(id="room", name="产房", parent_id="ward")],
    )
    sent = await send(ann, departments=("ward",))
    await delivered(office)

    assert sent["recipient_count"] == 5
    received = {copy.person_id for copy in await copies(office) if copy.box == "in"}
    assert received == {"bob", "cai", "dan", "eve", "fei"}


async def test_somebody_named_twice_gets_one_copy(office: Office, ann: Client) -> None:
    sent = await send(ann, "bob", "bob", departments=("ward",))
    await delivered(office)

    assert sent["recipient_count"] == 4
    assert len(await copies(office)) == 5


async def test_a_mail_needs_somebody_besides_its_sender(ann: Client) -> None:
    with pytest.raises(Refusal, match="invalid"):
        await send(ann)
    with pytest.raises(Refusal, match="invalid"):
        await send(ann, "ann")


@pytest.mark.parametrize("role", [Role.LEADER, Role.SECTION_EDITOR, Role.SYSTEM_ADMIN])
async def test_those_who_may_write_to_everybody(office: Office, ann: Client, role: Role) -> None:
    office.roles["ann"] = frozenset({Role.STAFF, role})

    assert (await send(ann, everybody=True))["recipient_count"] == 4


@pytest.mark.parametrize("role", [Role.STAFF, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
async def test_nobody_else_writes_to_everybody(office: Office, ann: Client, role: Role) -> None:
    office.roles["ann"] = frozenset({Role.STAFF, role})

    with pytest.raises(Refusal, match="forbidden"):
        await send(ann, everybody=True)
    assert await copies(office) == []


async def test_only_some_roles_write_to_more_people_than_the_setting_says(
    office: Office, ann: Client
) -> None:
    office.directory.refresh(
        [
            Person(id=f"p{n}", name=f"人{n}", posts=(Post(department_id="crowd", title="护士"),))
            for n in range(201)
        ],
        [Department(id="crowd", name="大科室")],
    )
    with pytest.raises(Refusal, match="201 people, and you may write to 200"):
        await send(ann, departments=("crowd",))
    office.roles["ann"] = frozenset({Role.STAFF, Role.LEADER})
    assert (await send(ann, departments=("crowd",)))["recipient_count"] == 201


@pytest.mark.parametrize("to", [{"people": ("nobody",)}, {"departments": ("nowhere",)}])
async def test_whom_nobody_knows_is_not_found(
    office: Office, ann: Client, to: dict[str, tuple[str, ...]]
) -> None:
    with pytest.raises(Refusal, match="not_found"):
        await send(ann, *to.get("people", ()), departments=to.get("departments", ()))
    assert await copies(office) == []


async def test_whoever_has_left_gets_no_mail(office: Office, ann: Client) -> None:
    retire(office, "bob")

    with pytest.raises(Refusal, match="not_found"):
        await send(ann, "bob")


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": ""},
        {"subject": "   "},
        {"subject": "长" * 201},
        {"text": "长" * 20_001},
        {"client_id": "c" * 65},
        {"reply_to": ""},
        {"sender_id": "bob"},
    ],
)
async def test_what_is_out_of_bounds_is_invalid(
    office: Office, ann: Client, fields: dict[str, str]
) -> None:
    with pytest.raises(Refusal, match="invalid"):
        await send(ann, "bob", **fields)
    assert await copies(office) == []


async def test_the_longest_mail_arrives_whole(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob", subject="题" * 200, text="长" * 20_000)

    [shown] = (await bob.ask("mail.open", mail_id=mail_id))["mails"]
    assert shown["text"] == "长" * 20_000
    assert shown["row"]["excerpt"] == "长" * 100


async def test_a_subject_is_one_line(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob", subject=" 会议\n 通知 ", text="\n正文\n")

    [shown] = (await bob.ask("mail.open", mail_id=mail_id))["mails"]
    assert (shown["row"]["subject"], shown["text"]) == ("会议 通知", "\n正文\n")


async def test_a_reply_continues_the_thread_for_everybody_in_it(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    first = await post(ann, "bob", "cai")
    office.clock.advance(60)
    reply = await send(bob, "ann", "cai", subject="回复：会议通知", reply_to=first)
    await delivered(office)

    assert reply["thread_id"] == first
    assert [row["thread_count"] for row in await listed(cai)] == [2, 2]
    [row] = await listed(ann)
    assert (row["mail_id"], row["thread_id"], row["thread_count"]) == (
        reply["mail_id"],
        first,
        2,
    )


async def test_nobody_replies_to_a_mail_he_or_she_does_not_hold(ann: Client, cai: Client) -> None:
    mail_id = await post(ann, "bob")

    for foreign in (mail_id, "m-unknown"):
        with pytest.raises(Refusal, match="not_found"):
            await send(cai, "ann", reply_to=foreign)


async def test_sending_too_fast_is_held_back(ann: Client) -> None:
    for _ in range(10):
        await send(ann, "bob")
    with pytest.raises(Refusal) as refused:
        await send(ann, "bob")

    assert refused.value.code == "rate_limited"
    assert 0 < (refused.value.retry_after_ms or 0) <= 5_000


async def test_sending_is_recorded_without_what_was_written(office: Office, ann: Client) -> None:
    mail_id = await post(ann, "bob", subject="机密会议", text="机密内容")

    assert await audit(office) == [("ann", "mail.sent", mail_id)]
    [row] = await office.store.scan("audit")
    assert "机密" not in str(row)
    assert row["detail"] == {"recipients": 1, "everybody": False}


async def test_newest_mail_comes_first(office: Office, ann: Client, bob: Client) -> None:
    for number in range(3):
        await post(ann, "bob", subject=f"第{number}封")
        office.clock.advance(1)

    assert await subjects(bob) == ["第2封", "第1封", "第0封"]


def retire(office: Office, person_id: str) -> None:
    """Somebody no longer works here."""
    person = office.directory.find(person_id)
    office.directory.refresh([Person(id=person.id, name=person.name, retired_at=1)])
