"""State plus events equals fresh state, for every command of chat and for any course of events."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.features import chat
from tests.features.chat.talk import direct, group, say
from tests.features.office import Client, Office, Refusal, open_office
from tests.features.page import Page, check_pages

Act = Callable[[Client, Client, str], Awaitable[Any]]


async def recall(ann: Client, bob: Client, conversation_id: str) -> None:
    sent = await say(ann, conversation_id, "撤回这条")
    await ann.ask("chat.recall", conversation_id=conversation_id, seq=sent["seq"])


def asking(name: str, by: str = "ann", **fields: Any) -> Act:
    async def act(ann: Client, bob: Client, conversation_id: str) -> None:
        client = ann if by == "ann" else bob
        await client.ask(name, conversation_id=conversation_id, **fields)

    return act


ACTS: dict[str, Act] = {
    "chat.open": lambda ann, bob, c: direct(ann, "dan"),
    "chat.create_group": lambda ann, bob, c: group(ann, "bob", "eve", title="夜班"),
    "chat.send": lambda ann, bob, c: say(bob, c, "收到"),
    "chat.send.repeated": lambda ann, bob, c: say(ann, c, "第一条", client_id="first"),
    "chat.mark_read": asking("chat.mark_read", "bob", seq=1),
    "chat.recall": recall,
    "chat.add_members": asking("chat.add_members", member_ids=["dan", "eve"]),
    "chat.remove_member": asking("chat.remove_member", person_id="bob"),
    "chat.leave": asking("chat.leave", "bob"),
    "chat.leave.owner": asking("chat.leave"),
    "chat.transfer_owner": asking("chat.transfer_owner", person_id="bob"),
    "chat.rename": asking("chat.rename", title="产科二组"),
    "chat.configure": asking("chat.configure", "bob", muted=True, pinned=True),
    "chat.typing": asking("chat.typing", "bob"),
}
READING = {
    "chat.history",
    "chat.conversations",
    "chat.conversation",
    "chat.readers",
    "chat.search",
    "chat.deliveries",
}
MIRRORING = {"chat.mirror", "chat.set_mirror", "chat.retry_mirror"}
"""Of these `tests/features/chat_mirror/test_switch.py` proves it, where there is a WeCom."""


@pytest.mark.parametrize("name", ACTS)
async def test_a_page_that_listened_holds_what_a_fresh_one_loads(office: Office, name: str) -> None:
    pages = [Page(await office.client(person)) for person in ("ann", "bob", "cai", "dan")]
    ann, bob = pages[0].client, pages[1].client
    conversation = await group(ann, "bob", "cai")
    await say(ann, conversation, "第一条", client_id="first")
    for page in pages:
        await page.load()
    await ACTS[name](ann, bob, conversation)
    await check_pages(pages)


async def test_every_command_of_chat_is_among_them(office: Office) -> None:
    mine = {name for name in office.dispatcher.names if name.startswith("chat.")}
    assert mine == {".".join(name.split(".")[:2]) for name in ACTS} | READING | MIRRORING


class TwoClients(RuleBasedStateMachine):
    """Two people and a group: send, repeat, drop the connection, come back, read, recall, leave, return.

    What a client holds after catching up must be what a fresh one loads, every acked message must be
    there once, in one order, and nothing may be seen whose commit failed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.opening = open_office(Path(self.folder.name), [chat.feature])
        self.office: Office = self.loop.run_until_complete(self.opening.__aenter__())
        self.acked: dict[tuple[str, str], dict[str, Any]] = {}
        self.sends: dict[tuple[str, str], str] = {}
        self.pages: dict[str, Page] = {}
        self.online: dict[str, bool] = {}
        for person in ("ann", "bob"):
            self.run(self._come(person))
        self.conversation: str = self.run(group(self.pages["ann"].client, "bob", "cai"))
        for page in self.pages.values():
            self.run(page.load())
            self.run(self._note_positions(page))

    def run(self, doing: Any) -> Any:
        return self.loop.run_until_complete(doing)

    def teardown(self) -> None:
        self.run(self.opening.__aexit__(None, None, None))
        self.loop.close()
        self.folder.cleanup()

    async def _come(self, person: str) -> None:
        self.pages[person] = Page(await self.office.client(person))
        self.online[person] = True

    async def _note_positions(self, page: Page) -> None:
        page.positions = await self._ends(page.client)

    async def _ends(self, client: Client) -> dict[str, int]:
        caught = await client.ask("stream.catch_up")
        return {channel: tail["position"] for channel, tail in caught["channels"].items()}

    def _is_member(self, person: str) -> bool:
        return self.conversation in self.pages[person].picture

    @rule(person=st.sampled_from(["ann", "bob"]), text=st.sampled_from(["早", "收到", "三床"]))
    def send(self, person: str, text: str) -> None:
        self._send(person, f"c{len(self.sends)}", text)

    @precondition(lambda self: self.sends)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        person, client_id = data.draw(st.sampled_from(sorted(self.sends)))
        self._send(person, client_id, self.sends[person, client_id])

    def _send(self, person: str, client_id: str, text: str) -> None:
        self.office.clock.advance(1)
        asked = self.office.ask(
            person,
            "chat.send",
            {
                "conversation_id": self.conversation,
                "client_id": client_id,
                "content": {"kind": "text", "text": text},
            },
        )
        try:
            sent = self.run(asked)
        except Refusal as refusal:
            self._expect(refusal, "not_found")
            assert (person, client_id) not in self.acked
            return
        self.sends[person, client_id] = text
        assert self.acked.setdefault((person, client_id), sent) == sent

    @rule(person=st.sampled_from(["ann", "bob"]))
    def drop(self, person: str) -> None:
        if self.online[person]:
            self.run(self.pages[person].catch_up())
            self.pages[person].client.disconnect()
            self.online[person] = False

    @rule(person=st.sampled_from(["ann", "bob"]))
    def return_with_positions(self, person: str) -> None:
        if not self.online[person]:
            self.run(self._resume(person))

    async def _resume(self, person: str) -> None:
        page = self.pages[person]
        page.client = await self.office.client(person)
        page.applied = 0
        complete = False
        while not complete:
            caught = await page.client.ask(
                "stream.catch_up", epoch=self.office.store.epoch, positions=page.positions
            )
            assert not caught["reload"]
            # A person's own channel tells of comings and goings that the other channels rest on.
            tails = sorted(caught["channels"].items(), key=lambda item: item[0], reverse=True)
            missed = [(e["event"], e["data"]) for _, tail in tails for e in tail["events"]]
            page.client.events[0:0] = missed
            await page.catch_up()
            complete = all(tail["complete"] for _, tail in tails)
            page.positions.update({channel: tail["position"] for channel, tail in tails})
        self.online[person] = True

    @rule(person=st.sampled_from(["ann", "bob"]))
    def read(self, person: str) -> None:
        held = self.pages[person].picture.get(self.conversation)
        if self.online[person] and held and held["last_seq"]:
            self._try(person, "chat.mark_read", seq=held["last_seq"])

    @rule(person=st.sampled_from(["ann", "bob"]), seq=st.integers(1, 5))
    def recall(self, person: str, seq: int) -> None:
        self._try(person, "chat.recall", seq=seq)

    @rule()
    def leave(self) -> None:
        self._try("bob", "chat.leave")

    @rule()
    def bring_back(self) -> None:
        self._try("ann", "chat.add_members", member_ids=["bob"])

    def _try(self, person: str, name: str, **fields: Any) -> None:
        fields["conversation_id"] = self.conversation
        try:
            self.run(self.office.ask(person, name, fields))
        except Refusal as refusal:
            self._expect(refusal, "not_found", "forbidden", "invalid")

    def _expect(self, refusal: Refusal, *codes: str) -> None:
        if refusal.code not in codes:
            raise refusal

    @invariant()
    def pages_hold_what_is_stored(self) -> None:
        self.run(check_pages([self.pages[p] for p in self.pages if self.online[p]]))

    @invariant()
    def acked_messages_are_kept_once_in_order(self) -> None:
        history = self.run(
            self.office.ask(
                "cai", "chat.history", {"conversation_id": self.conversation, "limit": 200}
            )
        )["messages"]
        kept = [(m["sender_id"], m["client_id"], m["seq"], m["message_id"]) for m in history]
        acked = sorted(
            ((p, c, sent["seq"], sent["message_id"]) for (p, c), sent in self.acked.items()),
            key=lambda row: row[2],
        )
        assert kept == acked
        assert [row[2] for row in kept] == list(range(1, len(kept) + 1))


TwoClients.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestTwoClients = TwoClients.TestCase
