"""A client moves from polling to a WebSocket of its own: it tries the line, lets its last poll come home,
and then says that it has come over. Until then the socket polls on, and may do so if the try fails.
"""

import asyncio

from realtime.frames import PROBED
from realtime.gateway.direct_websocket import DirectWebSocket
from realtime.gateway.engine_socket import EngineSocket
from realtime.gateway.frame_reader import TEXT

UPGRADE_S = 10.0


class Probe:
    """What a WebSocket says before it carries a socket: `2probe`, then `5`."""

    def __init__(self, socket: EngineSocket, ws: DirectWebSocket) -> None:
        self._socket, self._ws = socket, ws
        self._is_tried = False
        socket.upgrading = True
        self._timer = asyncio.get_running_loop().call_later(UPGRADE_S, self._give_up)
        ws.listen(self._heard, socket.count)
        ws.on_lost = self._over

    def _heard(self, opcode: int, payload: bytes) -> None:
        text = payload if opcode == TEXT else b""
        if not self._is_tried and text == b"2probe":
            self._is_tried = True
            self._ws.transport.write(PROBED.wire)
            self._socket.cut_poll()
        elif self._is_tried and text == b"5" and not self._socket.closing:
            self._over()
            self._ws.carry(self._socket)
            self._socket.carry(self._ws, self._ws.transport)
            self._socket.cut_poll()
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._over()
        self._ws.refuse()

    def _over(self) -> None:
        self._timer.cancel()
        self._ws.on_lost = None
        self._socket.upgrading = False
