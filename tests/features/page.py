"""A page's picture of its person's chats: loaded once, then kept by events alone.

`check_pages` is the one test of every command: what a page holds after applying the events must be what
a page that loads everything now would hold.
"""

from collections.abc import Sequence
from typing import Any

from tests.features.office import Client

Picture = dict[str, dict[str, Any]]


class Page:
    """A client that applied every event since it loaded."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.picture: Picture = {}
        self.applied = 0
        self.positions: dict[str, int] = {}

    async def load(self) -> None:
        """Take everything as it is now; events told earlier are in it."""
        self.applied = len(self.client.events)
        self.picture = await load_picture(self.client)

    async def catch_up(self) -> None:
        """Apply what was told since."""
        while self.applied < len(self.client.events):
            name, event = self.client.events[self.applied]
            self.applied += 1
            await self._apply(name, event)

    async def _apply(self, name: str, event: dict[str, Any]) -> None:
        channel, position = event["channel"], event["position"]
        if position is None or position <= self.positions.get(channel, 0):
            return
        if channel.startswith("conversation:") and channel in self.positions:
            assert position == self.positions[channel] + 1, f"a gap in {channel}"
        self.positions[channel] = position
        if name in ("chat.joined", "chat.left"):
            # A membership that ended leaves a gap: the channel is begun anew.
            self.positions.pop(f"conversation:{event['conversation_id']}", None)
        if name == "chat.joined":
            self.picture[event["conversation_id"]] = await load_conversation(
                self.client, event["conversation_id"]
            )
            return
        if name == "chat.left":
            self.picture.pop(event["conversation_id"], None)
            return
        held = self.picture.get(event.get("conversation_id", ""))
        if held is not None:
            self._change(held, name, event)

    def _change(self, held: dict[str, Any], name: str, event: dict[str, Any]) -> None:
        me = self.client.person_id
        if name == "chat.sent":
            message = event["message"]
            if message["seq"] <= held["last_seq"]:
                return
            held["messages"][message["seq"]] = message
            held["last_seq"] = message["seq"]
            if message["sender_id"] == me:
                held["read_seq"] = message["seq"]
        elif name == "chat.read" and event["person_id"] == me:
            held["read_seq"] = max(held["read_seq"], event["seq"])
        elif name == "chat.recalled" and event["seq"] in held["messages"]:
            message = held["messages"][event["seq"]]
            message["content"] = {"kind": "recalled"}
            message["recalled_at"] = event["recalled_at"]
        elif name == "chat.configured":
            held["muted"], held["pinned"] = event["muted"], event["pinned"]
        elif name == "chat.members_changed":
            held["members"] = (held["members"] | set(event["added"])) - set(event["removed"])
            held["owner_id"], held["member_count"] = event["owner_id"], len(held["members"])
            if held["kind"] == "group":
                held["title"] = event["title"]


async def load_picture(client: Client) -> Picture:
    """Everything a person's page shows of chat, asked afresh."""
    listed = (await client.ask("chat.conversations"))["conversations"]
    return {
        c["conversation_id"]: await load_conversation(client, c["conversation_id"]) for c in listed
    }


async def load_conversation(client: Client, conversation_id: str) -> dict[str, Any]:
    """One conversation with all its messages; `unread` must be what it is derived from."""
    shown = await client.ask("chat.conversation", conversation_id=conversation_id)
    card = shown["conversation"]
    assert card["unread"] == card["last_seq"] - card["read_seq"]
    messages, after = {}, 0
    while True:
        page = await client.ask(
            "chat.history", conversation_id=conversation_id, after_seq=after, limit=200
        )
        messages.update({m["seq"]: m for m in page["messages"]})
        if not page["has_more"]:
            break
        after = page["messages"][-1]["seq"]
    if messages:
        numbers = sorted(messages)
        assert numbers == list(range(numbers[0], card["last_seq"] + 1)), "a gap in the messages"
        assert card["last_message"] == messages[card["last_seq"]]
    kept = ("kind", "title", "last_seq", "read_seq", "muted", "pinned", "owner_id", "member_count")
    return {
        **{field: card[field] for field in kept},
        "members": {member["person_id"] for member in shown["members"]},
        "messages": messages,
    }


async def check_pages(pages: Sequence[Page]) -> None:
    """State plus events equals fresh state, for everybody."""
    for page in pages:
        await page.catch_up()
        assert page.picture == await load_picture(page.client)
