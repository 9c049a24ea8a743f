"""Reading: pages of a box, a thread with its texts, read marks, and who has read one's own."""

import pytest

from server.storage import Insert
from tests.features.mail.post import post, send, subjects, unread
from tests.features.office import Client, Office, Refusal


async def test_a_box_is_read_page_by_page(office: Office, ann: Client, bob: Client) -> None:
    for number in range(5):
        await post(ann, "bob", subject=f"{number}")
        office.clock.advance(1)

    first = await bob.ask("mail.list", limit=2)
    second = await bob.ask("mail.list", limit=2, before=first["before"])
    last = await bob.ask("mail.list", limit=2, before=second["before"])

    pages = [[row["subject"] for row in page["rows"]] for page in (first, second, last)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert last.get("before") is None


async def test_mails_of_one_moment_are_neither_lost_nor_doubled_between_pages(
    ann: Client, bob: Client
) -> None:
    sent = {await post(ann, "bob") for _ in range(5)}

    found, before = [], None
    while True:
        page = await bob.ask("mail.list", limit=1, before=before)
        found += [row["mail_id"] for row in page["rows"]]
        before = page.get("before")
        if before is None:
            break
    assert len(found) == 5
    assert set(found) == sent


async def test_only_what_is_unread(office: Office, ann: Client, bob: Client) -> None:
    read = await post(ann, "bob", subject="读过")
    office.clock.advance(1)
    await post(ann, "bob", subject="没读")
    await bob.ask("mail.open", mail_id=read)

    assert await subjects(bob, unread_only=True) == ["没读"]
    assert await unread(bob) == 1


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 51}, {"box": "out"}, {"before": ""}])
async def test_a_page_out_of_bounds_is_invalid(ann: Client, fields: dict[str, object]) -> None:
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("mail.list", **fields)


async def test_opening_marks_as_read_and_tells_both_sides(
    office: Office, ann: Client, bob: Client
) -> None:
    mail_id = await post(ann, "bob")
    office.clock.advance(5)
    opened = await bob.ask("mail.open", mail_id=mail_id)

    [shown] = opened["mails"]
    assert shown["text"] == "周五下午三点，三楼会议室。"
    assert (shown["row"]["is_read"], shown["is_new"]) == (True, True)
    assert shown["read_count"] is None
    assert bob.told("mail.counted")[-1]["read"] == [mail_id]
    assert bob.told("mail.counted")[-1]["unread"] == 0
    assert [event["mail_id"] for event in ann.told("mail.read")] == [mail_id]
    readers = await ann.ask("mail.readers", mail_id=mail_id)
    assert readers == {
        "recipient_count": 1,
        "read_count": 1,
        "readers": [{"person_id": "bob", "read_at": office.clock.now()}],
    }


async def test_opening_again_tells_nobody(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")
    await bob.ask("mail.open", mail_id=mail_id)
    told = len(bob.events), len(ann.events)
    [shown] = (await bob.ask("mail.open", mail_id=mail_id))["mails"]

    assert shown["is_new"] is False
    assert (len(bob.events), len(ann.events)) == told


async def test_a_thread_is_opened_whole_and_oldest_first(
    office: Office, ann: Client, bob: Client, cai: Client
) -> None:
    first = await post(ann, "bob", "cai", text="一")
    office.clock.advance(1)
    second = await post(bob, "ann", text="二", reply_to=first)
    office.clock.advance(1)
    third = await post(ann, "bob", "cai", text="三", reply_to=second)

    opened = await bob.ask("mail.open", mail_id=third)
    assert [shown["text"] for shown in opened["mails"]] == ["一", "二", "三"]
    assert opened["thread_id"] == first
    assert await unread(bob) == 0
    # Who was not written to does not see that mail.
    seen_by_cai = await cai.ask("mail.open", mail_id=first)
    assert [shown["text"] for shown in seen_by_cai["mails"]] == ["一", "三"]


async def test_what_does_not_fit_an_answer_stays_unread_until_it_is_opened(
    office: Office, ann: Client, bob: Client
) -> None:
    sent = [await post(ann, "bob", text="甲" * 20_000)]
    for _ in range(6):
        office.clock.advance(10)
        sent.append(await post(ann, "bob", text="乙" * 20_000, reply_to=sent[0]))

    opened = await bob.ask("mail.open", mail_id=sent[-1])
    without = [shown["row"]["mail_id"] for shown in opened["mails"] if shown["text"] is None]
    assert without == sent[:1]
    assert await unread(bob) == 1
    again = await bob.ask("mail.open", mail_id=sent[0])
    assert again["mails"][0]["text"] == "甲" * 20_000
    assert await unread(bob) == 0


async def test_a_long_thread_is_opened_page_by_page(
    office: Office, ann: Client, bob: Client
) -> None:
    first = await post(ann, "bob", subject="0")
    for number in range(1, 53):
        office.clock.advance(10)
        await post(ann, "bob", subject=str(number), reply_to=first)

    newest = await bob.ask("mail.open", mail_id=first)
    # The mail asked for is there, though it is older than the page.
    shown = [mail["row"]["subject"] for mail in newest["mails"]]
    assert shown == ["0", *(str(number) for number in range(3, 53))]
    assert newest["has_earlier"] is True
    before = newest["mails"][1]["row"]["order"]
    earlier = await bob.ask("mail.open", mail_id=first, before=before)
    assert [mail["row"]["subject"] for mail in earlier["mails"]] == ["0", "1", "2"]
    assert earlier["has_earlier"] is False


async def test_one_who_opens_ones_own_sees_how_many_have_read_it(
    ann: Client, bob: Client, cai: Client
) -> None:
    mail_id = await post(ann, "bob", "cai")
    await bob.ask("mail.open", mail_id=mail_id)

    [shown] = (await ann.ask("mail.open", mail_id=mail_id))["mails"]
    assert (shown["read_count"], shown["row"]["to"]["count"]) == (1, 2)


async def test_a_reply_to_all_leaves_out_who_has_left(office: Office, ann: Client) -> None:
    mail_id = await post(ann, "bob", "cai", departments=("ward",))
    bob = office.directory.find("bob")
    office.directory.refresh([type(bob)(id="bob", name="鲍博", retired_at=1)])

    opened = await ann.ask("mail.open", mail_id=mail_id)
    assert opened["to"] == {"department_ids": ["ward"], "person_ids": ["cai"]}


@pytest.mark.parametrize("name", ["mail.open", "mail.readers", "mail.recall", "mail.delete"])
async def test_somebody_elses_mail_is_not_found_like_one_that_is_not_there(
    ann: Client, cai: Client, name: str
) -> None:
    mail_id = await post(ann, "bob")

    said = set()
    for foreign in (mail_id, "m-unknown"):
        with pytest.raises(Refusal) as refused:
            await cai.ask(name, mail_id=foreign)
        said.add((refused.value.code, refused.value.message))
    assert said == {("not_found", "there is no such mail among yours; it may have been recalled")}


async def test_only_the_sender_sees_the_readers(ann: Client, bob: Client) -> None:
    mail_id = await post(ann, "bob")

    with pytest.raises(Refusal, match="forbidden"):
        await bob.ask("mail.readers", mail_id=mail_id)


async def test_the_badge_counts_no_further_than_a_thousand(office: Office, bob: Client) -> None:
    ann = await office.client("ann")
    mail_id = await post(ann, "bob")
    [copy] = [doc for doc in await office.store.scan("mail_copies") if doc["person_id"] == "bob"]
    for number in range(1_004):
        doc = {key: value for key, value in copy.items() if key != "_v"}
        doc |= {"_id": f"bob:m{number}", "mail_id": f"m{number}", "thread_id": "other"}
        await office.store.apply(Insert("mail_copies", doc))

    assert await unread(bob) == 1_000
    await bob.ask("mail.open", mail_id=mail_id)
    assert bob.told("mail.counted")[-1]["unread"] == 1_000


async def test_rates_of_reading_are_bounded(ann: Client) -> None:
    for _ in range(60):
        await ann.ask("mail.list")
    with pytest.raises(Refusal, match="rate_limited"):
        await ann.ask("mail.list")


async def test_a_box_tells_where_it_stands(ann: Client, bob: Client) -> None:
    await send(ann, "bob")
    page = await ann.ask("mail.list", box="sent")

    assert (page["unread"], page["revision"]) == (0, 1)
    assert await ann.ask("mail.count") == {"unread": 0, "revision": 1}
