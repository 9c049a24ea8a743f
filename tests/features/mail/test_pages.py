"""State plus events equals fresh state, for every command of mail and for any course of events."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.features import mail
from tests.features.mail.post import delivered, listed, post, send
from tests.features.office import Client, Office, Refusal, open_office

Act = Callable[[Client, Client, str], Awaitable[Any]]


class Page:
    """A client that loaded once and applied every event since; it loads again where it missed one."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.applied = 0
        self.picture: dict[str, Any] = {}

    async def load(self) -> None:
        self.applied = len(self.client.events)
        self.picture = await fresh(self.client)

    def apply(self, event: dict[str, Any]) -> bool:
        """Take one change over. False: something was missed before it."""
        held = self.picture
        if event["revision"] <= held["revision"]:
            return True
        if event["revision"] != held["revision"] + 1:
            return False
        held["unread"], held["revision"] = event["unread"], event["revision"]
        rows = held["rows"]
        if event["row"]:
            rows[event["row"]["mail_id"]] = event["row"]
        for mail_id in event["gone"]:
            rows.pop(mail_id, None)
        for ids, is_read in ((event["read"], True), (event["unread_again"], False)):
            for mail_id in ids:
                rows[mail_id]["is_read"] = is_read
        for row in rows.values():
            if row["thread_id"] == event["thread_id"]:
                row["thread_count"] = event["thread_count"]
        return True

    async def catch_up(self) -> None:
        events = self.client.events[self.applied :]
        self.applied += len(events)
        for name, event in events:
            if name == "mail.counted" and not self.apply(event):
                await self.load()
        for mail_id in {event["mail_id"] for name, event in events if name == "mail.read"}:
            if mail_id in self.picture["readers"]:
                self.picture["readers"][mail_id] = await readers(self.client, mail_id)


async def fresh(client: Client) -> dict[str, Any]:
    """What a page that loads everything now would hold."""
    count = await client.ask("mail.count")
    rows = {row["mail_id"]: row for row in await listed(client, limit=50)}
    sent = {row["mail_id"]: row for row in await listed(client, "sent", limit=50)}
    return {
        **count,
        "rows": rows | sent,
        "readers": {mail_id: await readers(client, mail_id) for mail_id in sent},
    }


async def readers(client: Client, mail_id: str) -> Any:
    """Who has read a mail; None where it is one's own no more."""
    try:
        return await client.ask("mail.readers", mail_id=mail_id)
    except Refusal:
        return None


def shown(picture: dict[str, Any]) -> dict[str, Any]:
    """What must agree: readers of mails that are there, and numbers that are in the rows."""
    rows = picture["rows"]
    kept = {m: r for m, r in picture["readers"].items() if m in rows and r is not None}
    assert picture["unread"] == sum(not row["is_read"] for row in rows.values())
    for row in rows.values():
        thread = [r for r in rows.values() if r["thread_id"] == row["thread_id"]]
        assert row["thread_count"] == len(thread)
    return {**picture, "readers": kept}


async def check(pages: list[Page]) -> None:
    for page in pages:
        await page.catch_up()
        now = shown(await fresh(page.client))
        held = shown(page.picture)
        # A mail sent since has readers nobody has asked for yet.
        for mail_id in now["readers"].keys() - held["readers"].keys():
            held["readers"][mail_id] = page.picture["readers"][mail_id] = now["readers"][mail_id]
        assert held == now


def asking(name: str, by: str = "bob", **fields: Any) -> Act:
    async def act(ann: Client, bob: Client, mail_id: str) -> None:
        await (ann if by == "ann" else bob).ask(name, mail_id=mail_id, **fields)

    return act


ACTS: dict[str, Act] = {
    "mail.send": lambda ann, bob, m: send(ann, "bob", "cai"),
    "mail.send.reply": lambda ann, bob, m: send(bob, "ann", "cai", reply_to=m),
    "mail.send.repeated": lambda ann, bob, m: send(ann, "bob", "cai", client_id="first"),
    "mail.open": asking("mail.open"),
    "mail.recall": asking("mail.recall", "ann"),
    "mail.delete": asking("mail.delete"),
    "mail.delete.thread": asking("mail.delete", whole_thread=True),
    "mail.set_read": asking("mail.set_read", is_read=True),
    "mail.set_read.thread": asking("mail.set_read", is_read=True, whole_thread=True),
}
READING = {"mail.list", "mail.count", "mail.search", "mail.readers"}


@pytest.mark.parametrize("name", ACTS)
async def test_a_page_that_listened_holds_what_a_fresh_one_loads(office: Office, name: str) -> None:
    pages = [Page(await office.client(person)) for person in ("ann", "bob", "cai", "dan")]
    pages.append(Page(await office.client("bob")))
    ann, bob = pages[0].client, pages[1].client
    mail_id = await post(ann, "bob", "cai", client_id="first")
    await post(ann, "bob", reply_to=mail_id)
    for page in pages:
        await page.load()
    await ACTS[name](ann, bob, mail_id)
    await delivered(office)
    await check(pages)


async def test_every_command_of_mail_is_among_them(office: Office) -> None:
    mine = {name for name in office.dispatcher.names if name.startswith("mail.")}
    assert mine == {".".join(name.split(".")[:2]) for name in ACTS} | READING


class Correspondence(RuleBasedStateMachine):
    """Three people write, reply, open, mark, delete, recall, lose their line and come back.

    What a page holds after catching up must be what a fresh one loads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.opening = open_office(Path(self.folder.name), [mail.feature])
        self.office: Office = self.loop.run_until_complete(self.opening.__aenter__())
        self.people = ("ann", "bob", "cai")
        self.pages = {person: self.run(self._come(person)) for person in self.people}
        self.positions: dict[str, dict[str, int]] = {}
        for page in self.pages.values():
            self.run(page.load())

    def run(self, doing: Any) -> Any:
        return self.loop.run_until_complete(doing)

    def teardown(self) -> None:
        self.run(self.opening.__aexit__(None, None, None))
        self.loop.close()
        self.folder.cleanup()

    async def _come(self, person: str) -> Page:
        return Page(await self.office.client(person))

    def _ask(self, person: str, name: str, **fields: Any) -> None:
        self.office.clock.advance(30)
        self.run(self.office.ask(person, name, fields))
        self.run(delivered(self.office))

    def _mails(self, person: str) -> list[str]:
        held = self.run(fresh(Client(self.office, person)))
        self.office.clock.advance(30)
        return sorted(held["rows"])

    @rule(
        person=st.sampled_from(["ann", "bob", "cai"]),
        to=st.sets(st.sampled_from(["ann", "bob", "cai", "dan"]), min_size=1),
        data=st.data(),
    )
    def write(self, person: str, to: set[str], data: st.DataObject) -> None:
        if to == {person}:
            return
        reply_to = data.draw(st.sampled_from([None, *self._mails(person)]))
        number = self.office.clock.now()
        self._ask(
            person,
            "mail.send",
            client_id=f"c{number}",
            to={"person_ids": sorted(to)},
            subject="关于床位的通知",
            text="请各科核对。",
            reply_to=reply_to,
        )

    @rule(
        person=st.sampled_from(["ann", "bob", "cai"]),
        act=st.sampled_from(
            [
                ("mail.open", {}),
                ("mail.delete", {}),
                ("mail.delete", {"whole_thread": True}),
                ("mail.set_read", {"is_read": True}),
                ("mail.set_read", {"is_read": False}),
                ("mail.set_read", {"is_read": True, "whole_thread": True}),
            ]
        ),
        data=st.data(),
    )
    def deal(self, person: str, act: tuple[str, dict[str, bool]], data: st.DataObject) -> None:
        mails = self._mails(person)
        if mails:
            self._ask(person, act[0], mail_id=data.draw(st.sampled_from(mails)), **act[1])

    @rule(person=st.sampled_from(["ann", "bob", "cai"]), data=st.data())
    def recall(self, person: str, data: st.DataObject) -> None:
        self.office.clock.advance(30)
        sent = self.run(listed(Client(self.office, person), "sent"))
        if sent:
            mail_id = data.draw(st.sampled_from(sorted(row["mail_id"] for row in sent)))
            self._ask(person, "mail.recall", mail_id=mail_id)

    @rule(person=st.sampled_from(["ann", "bob", "cai"]))
    def lose_the_line(self, person: str) -> None:
        if person not in self.positions:
            page = self.pages[person]
            self.run(page.catch_up())
            caught = self.run(page.client.ask("stream.catch_up"))
            self.positions[person] = {
                channel: tail["position"] for channel, tail in caught["channels"].items()
            }
            page.client.disconnect()

    @rule(person=st.sampled_from(["ann", "bob", "cai"]))
    def come_back(self, person: str) -> None:
        if person not in self.positions:
            return
        page = self.pages[person]
        page.client = self.run(self.office.client(person))
        page.applied = 0
        caught = self.run(
            page.client.ask(
                "stream.catch_up",
                epoch=self.office.store.epoch,
                positions=self.positions.pop(person),
            )
        )
        missed = caught["channels"][f"person:{person}"]["events"]
        page.client.events[:0] = [(event["event"], event["data"]) for event in missed]
        # Who has read what is asked again by a page that was away.
        for mail_id in page.picture["readers"]:
            page.picture["readers"][mail_id] = self.run(readers(page.client, mail_id))

    @invariant()
    def pages_hold_what_fresh_ones_load(self) -> None:
        self.office.clock.advance(60)
        self.run(check([page for p, page in self.pages.items() if p not in self.positions]))


TestCorrespondence = Correspondence.TestCase
TestCorrespondence.settings = settings(
    max_examples=12,
    stateful_step_count=18,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
