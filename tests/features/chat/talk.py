"""Short words for what chat tests do all the time."""

from itertools import count
from typing import Any

from tests.features.office import Client

_numbers = count(1)


async def group(owner: Client, *members: str, title: str = "产科一组") -> str:
    """A new group's id."""
    made = await owner.ask("chat.create_group", title=title, member_ids=list(members))
    return str(made["conversation_id"])


async def direct(one: Client, other: str) -> str:
    """The id of a direct conversation."""
    return str((await one.ask("chat.open", person_id=other))["conversation_id"])


async def say(
    sender: Client,
    conversation_id: str,
    text: str = "收到",
    client_id: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Send a text; its id, seq and time."""
    return await sender.ask(
        "chat.send",
        conversation_id=conversation_id,
        client_id=client_id or f"client-{next(_numbers)}",
        content={"kind": "text", "text": text, **more},
    )


def texts(client: Client) -> list[str]:
    """The texts a client was told, in order."""
    return [event["message"]["content"]["text"] for event in client.told("chat.sent")]
