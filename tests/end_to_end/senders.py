"""People who send while the server dies: each writes down what was tried, answered and shown.

A history is a file of JSON lines, one person's each. A sender behaves as the app does: a send without an
ack is repeated with the same client id after reconnecting, and what was missed is caught up with.
"""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import aiohttp

from realtime.testing import ConnectRefused, Disconnected, SocketClient

ACK_WITHIN_S = 4.0
TROUBLE = (aiohttp.ClientError, Disconnected, ConnectRefused, TimeoutError, OSError)


class History:
    """One person's file of what happened."""

    def __init__(self, folder: Path, person: str) -> None:
        self.person = person
        self._file = (folder / f"{person}.jsonl").open("a", encoding="utf-8")

    def note(self, what: str, **facts: Any) -> None:
        line = {"what": what, "person": self.person, **facts}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()


async def sign_in(http: aiohttp.ClientSession, url: str, person: str) -> str:
    """A session token, which outlives the server's deaths."""
    form = {"account": person, "password": "yuanxin"}
    async with http.post(f"{url}/api/v1/auth/login", json=form) as answer:
        answer.raise_for_status()
        token: str = (await answer.json())["token"]
        return token


async def command(
    http: aiohttp.ClientSession, url: str, token: str, name: str, **fields: Any
) -> dict[str, Any]:
    """A command over HTTP; its result."""
    headers = {"Authorization": f"Bearer {token}"}
    place = f"{url}/api/v1/commands/{name}"
    async with http.post(place, json=fields, headers=headers) as answer:
        body: dict[str, Any] = await answer.json()
        assert body["ok"], body
        result: dict[str, Any] = body["result"]
        return result


class Sender:
    """One person's page, sending to some conversations until told to stop."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: str,
        conversations: list[str],
        history: History,
        *,
        pause_s: float,
        chance: random.Random,
    ) -> None:
        self._http, self._url, self._token = http, url, token
        self._conversations = conversations
        self._history = history
        self._pause_s = pause_s
        self._chance = chance
        self._socket: SocketClient | None = None
        self._noted = 0
        self._epoch: str | None = None
        self._positions: dict[str, int] = {}
        self.acked = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Send until stopped; then what is on its way is sent to its end."""
        number = 0
        while not stop.is_set():
            number += 1
            await self._send(f"{self._history.person}-{number}")
            await asyncio.sleep(self._pause_s * self._chance.uniform(0.5, 1.5))

    async def finish(self) -> None:
        """See everything there is to see, then leave."""
        await self._reconnect()
        await asyncio.sleep(0.5)
        self._note_shown()
        await self._drop()

    async def _send(self, client_id: str) -> None:
        conversation = self._chance.choice(self._conversations)
        fields = {
            "conversation_id": conversation,
            "client_id": client_id,
            "content": {"kind": "text", "text": f"{client_id} 查房完毕"},
        }
        self._history.note("tried", conversation=conversation, client_id=client_id)
        while True:
            if self._socket is None:
                await self._reconnect()
            assert self._socket is not None
            try:
                async with asyncio.timeout(ACK_WITHIN_S):
                    ack = await self._socket.call("chat.send", fields)
            except TROUBLE:
                await self._drop()
                continue
            if ack["ok"]:
                facts = {k: ack["result"][k] for k in ("seq", "message_id")}
                self._history.note("acked", conversation=conversation, client_id=client_id, **facts)
                self.acked += 1
                return
            self._history.note("refused", client_id=client_id, code=ack["error"]["code"])
            await asyncio.sleep(ack["error"].get("retry_after_ms", 200) / 1000)

    async def _drop(self) -> None:
        if self._socket is not None:
            self._note_shown()
            socket, self._socket = self._socket, None
            await socket.close()

    async def _reconnect(self) -> None:
        await self._drop()
        while True:
            try:
                async with asyncio.timeout(10):
                    self._socket = await SocketClient.connect(self._url, await self._ticket())
                    self._noted = 0
                    await self._catch_up()
                return
            except TROUBLE:
                await self._drop()
                await asyncio.sleep(self._chance.uniform(0.1, 0.4))

    async def _ticket(self) -> str:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._http.post(f"{self._url}/api/v1/auth/ticket", headers=headers) as answer:
            answer.raise_for_status()
            ticket: str = (await answer.json())["ticket"]
            return ticket

    async def _catch_up(self) -> None:
        """Ask for what was missed, before anything told live is shown."""
        assert self._socket is not None
        complete = False
        while not complete:
            asked = {"epoch": self._epoch, "positions": self._positions}
            ack = await self._socket.call("stream.catch_up", asked if self._epoch else {})
            if not ack["ok"]:
                raise Disconnected(ack["error"]["code"])
            result = ack["result"]
            assert not result["reload"], "nothing was restored, so nothing needs reloading"
            self._epoch = result["epoch"]
            complete = True
            for channel, tail in result["channels"].items():
                for event in tail["events"]:
                    self._show(event["event"], event["data"])
                self._positions[channel] = tail["position"]
                complete = complete and tail["complete"]

    def _note_shown(self) -> None:
        """Show what was told live and is newer than what is on the screen."""
        assert self._socket is not None
        for name, event in self._socket.events[self._noted :]:
            channel, position = event.get("channel"), event.get("position")
            if position is None or position <= self._positions.get(channel, 0):
                continue
            if (
                channel.startswith("conversation:")
                and position > self._positions.get(channel, 0) + 1
            ):
                self._history.note("gap", channel=channel, position=position)
            self._positions[channel] = position
            self._show(name, event)
        self._noted = len(self._socket.events)

    def _show(self, name: str, event: dict[str, Any]) -> None:
        if name == "chat.sent":
            message = event["message"]
            self._history.note(
                "shown",
                conversation=event["conversation_id"],
                position=event["position"],
                seq=message["seq"],
                message_id=message["message_id"],
            )
