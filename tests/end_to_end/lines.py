"""Lines between a page and its server that do what real ones do only sometimes."""

import json
import re
import time
from typing import Final

from playwright.async_api import WebSocketRoute

RETRY_AFTER_MS: Final = 2_000

Frame = str | bytes


class StrictLine:
    """Refuses the first message as written too fast."""

    def __init__(self) -> None:
        self.attempts: list[float] = []
        """When a message was sent, in seconds."""

    def join(self, socket: WebSocketRoute) -> None:
        """Stand between a page and the server."""
        server = socket.connect_to_server()

        def ask(frame: Frame) -> None:
            sent = re.match(r'42(\d+)\["chat\.send"', str(frame))
            if sent:
                self.attempts.append(time.monotonic())
            if sent and len(self.attempts) == 1:
                error = {"code": "rate_limited", "message": "", "retry_after_ms": RETRY_AFTER_MS}
                socket.send(f"43{sent[1]}{json.dumps([{'ok': False, 'error': error}])}")
            else:
                server.send(frame)

        socket.on_message(ask)


class OutrunningLine:
    """Has a page of history read before a message is sent, and hands it over after the ack."""

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}
        self._page: Frame | None = None
        self._sends: list[Frame] = []

    @property
    def has_outrun(self) -> bool:
        return self._page is not None

    def join(self, socket: WebSocketRoute) -> None:
        """Stand between a page and the server."""
        server = socket.connect_to_server()

        def ask(frame: Frame) -> None:
            named = re.match(r'42(\d+)\["(chat\.history|chat\.send)"', str(frame))
            if named:
                self._asked[named[1]] = named[2]
            if named and named[2] == "chat.send" and self._page is None:
                self._sends.append(frame)
            else:
                server.send(frame)

        def answer(frame: Frame) -> None:
            acked = re.match(r"43(\d+)\[", str(frame))
            name = self._asked.pop(acked[1], "") if acked else ""
            if name == "chat.history" and self._page is None:
                self._page = frame
                for one in self._sends:
                    server.send(one)
                return
            socket.send(frame)
            if name == "chat.send" and self._page is not None:
                socket.send(self._page)

        socket.on_message(ask)
        server.on_message(answer)
