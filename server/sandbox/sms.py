"""The stand-in of the hospital's SMS gateway: takes texts, and shows what a phone number was sent."""

import json
from collections import deque
from typing import Any, Final

from aiohttp import web

from server.sandbox.config import SandboxConfig
from server.sandbox.faults import Faults

MODES: Final = ("down", "slow")
MOST_KEPT: Final = 2_000


class SmsStandIn:
    """Texts are kept in memory, the newest of all numbers."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._mobiles = {person.person_id.lower(): person.mobile for person in config.people}
        self._texts: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self.faults = Faults(MODES, config.clock)

    def routes(self) -> list[web.RouteDef]:
        """Everything below `/sms/`."""
        return [
            web.post("/sms/send", self._send),
            web.get("/sms/inbox/{whose}", self._inbox),
            web.get("/sms/faults", self.faults.show),
            web.post("/sms/faults", self.faults.turn),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.faults.mode == "down":
            return web.Response(status=502, text="bad gateway")
        if self.faults.mode == "slow":
            await self.faults.slowness(self._config.slow_s)
        if request.headers.get("Authorization") != f"Bearer {self._config.sms_secret}":
            return web.json_response({"error": "unknown sender"}, status=401)
        try:
            given = json.loads(body)
            mobile, text = str(given["mobile"]), str(given["text"])
        except (ValueError, TypeError, KeyError):
            return web.json_response({"error": "mobile and text are needed"}, status=400)
        sent_at = self._config.clock.now()
        self._texts.append({"mobile": mobile, "text": text, "received_at": sent_at})
        return web.json_response({"accepted": True}, status=202)

    async def _inbox(self, request: web.Request) -> web.Response:
        """By number, or by whose phone it is."""
        whose = request.match_info["whose"]
        mobile = self._mobiles.get(whose.lower(), whose)
        return web.json_response([text for text in self._texts if text["mobile"] == mobile])
