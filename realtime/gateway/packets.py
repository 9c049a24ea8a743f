"""Socket.IO packets: python-socketio's codec with JSON by msgspec and a strict, bounded reader.

The stock reader takes any digit Unicode knows, ten-digit attachment counts and payloads of any shape;
what it lets through fails later, somewhere else. Here everything the protocol does not allow is a
BadFrame at once; what an event may hold is left to whoever handles it.
"""

import json
import re
from typing import Any, NoReturn

import msgspec
from socketio import packet as stock

CONNECT: int = stock.CONNECT
DISCONNECT: int = stock.DISCONNECT
EVENT: int = stock.EVENT
ACK: int = stock.ACK
CONNECT_ERROR: int = stock.CONNECT_ERROR
BINARY_EVENT: int = stock.BINARY_EVENT
BINARY_ACK: int = stock.BINARY_ACK

RESERVED = frozenset(("connect", "connect_error", "disconnect", "disconnecting"))


class BadFrame(Exception):
    """What came is not Engine.IO or Socket.IO; the sentence says why."""


class Unreadable(BadFrame):
    """An event of JSON that cannot be taken in: nested so deeply that the parser gave up, or with half a
    character in a text (JSON.stringify writes those). `ack_id` if an answer is awaited."""

    def __init__(self, why: str, ack_id: int | None, namespace: str) -> None:
        super().__init__(why)
        self.ack_id = ack_id
        self.namespace = namespace


class WireJson:
    """msgspec as the `json` module that python-socketio asks for; `msgspec.Raw` is written as it is."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        return msgspec.json.decode(text)


_HEAD = re.compile(
    r"(?P<type>[0-6])(?:(?P<count>[0-9]{1,4})-)?(?P<namespace>/[^,]*,?)?(?P<id>[0-9]{1,18})?",
    re.ASCII,
)
_WITH_COUNT = (BINARY_EVENT, BINARY_ACK)


class Packet(stock.Packet):  # type: ignore[misc]
    """One Socket.IO packet, read strictly."""

    json = WireJson

    def decode(self, encoded_packet: Any) -> int:
        """Read a packet's text; the number of attachments that must follow."""
        head = _HEAD.match(encoded_packet) if isinstance(encoded_packet, str) else None
        if head is None:
            raise BadFrame("not a Socket.IO packet")
        self.packet_type = int(head["type"])
        if (head["count"] is not None) != (self.packet_type in _WITH_COUNT):
            raise BadFrame("attachments where none belong, or none where some do")
        self.namespace = (head["namespace"] or "/").rstrip(",").partition("?")[0]
        self.id = int(head["id"]) if head["id"] is not None else None
        self.data = self._read_json(encoded_packet[head.end() :])
        self._check()
        return int(head["count"] or 0)

    def _read_json(self, text: str) -> Any:
        if not text:
            return None
        try:
            return WireJson.loads(text)
        except RecursionError:
            self._give_up("nested too deeply to be read")
        except (msgspec.DecodeError, ValueError):
            if _is_json_for_others(text):
                self._give_up("a text holds half a character")
            _bad("not JSON")

    def _give_up(self, why: str) -> NoReturn:
        ack_id = self.id if self.packet_type == EVENT else None
        raise Unreadable(why, ack_id, self.namespace) from None

    def _check(self) -> None:
        data, kind = self.data, self.packet_type
        if kind == CONNECT:
            if not isinstance(data, dict | None):
                _bad("CONNECT takes one object")
        elif kind == DISCONNECT:
            if data is not None:
                _bad("DISCONNECT takes nothing")
        elif kind in (EVENT, BINARY_EVENT):
            if not isinstance(data, list) or not data or not isinstance(data[0], str):
                _bad("an event is a list that begins with a name")
            if data[0] in RESERVED:
                _bad("a reserved event name")
        elif kind in (ACK, BINARY_ACK):
            if not isinstance(data, list) or self.id is None:
                _bad("an acknowledgement is a list with the number it answers")
        else:
            _bad("CONNECT_ERROR is the server's to send")


def read_event(text: str) -> tuple[int | None, list[Any]] | None:
    """Number and arguments of the commonest packet, an event of the namespace `/` without attachments.

    None for everything else, good or bad: `read_packet` knows what it is.
    """
    start = text.find("[", 1, 20)
    number = text[1:start]
    if start < 0 or text[0] != "2" or not (not number or (number.isascii() and number.isdigit())):
        return None
    try:
        args = msgspec.json.decode(text[start:])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not args or not isinstance(args[0], str) or args[0] in RESERVED:
        return None
    return int(number) if number else None, args


def read_packet(text: str) -> Packet:
    """A packet from its text. Raises BadFrame."""
    if not text:
        raise BadFrame("an empty packet")
    return Packet(encoded_packet=text)


def complete(packet: Packet, attachment: bytes) -> bool:
    """Add an attachment; whether it was the last. Raises BadFrame."""
    try:
        return bool(packet.add_attachment(attachment))
    except (IndexError, TypeError, ValueError, RecursionError):
        raise BadFrame("attachments do not fit their packet") from None


def encode(
    packet_type: int, data: Any, namespace: str, ack_id: int | None = None
) -> list[str | bytes]:
    """A packet as the Engine.IO messages that carry it."""
    packet = Packet(packet_type, data=data, namespace=namespace, id=ack_id)
    encoded: str | list[str | bytes] = packet.encode()
    return [encoded] if isinstance(encoded, str) else encoded


def _is_json_for_others(text: str) -> bool:
    """Whether a more lenient reader takes it: one for whom halves of characters are characters."""
    try:
        json.loads(text, parse_constant=_bad)
    except (BadFrame, ValueError, RecursionError):
        return False
    return True


def _bad(why: str) -> NoReturn:
    raise BadFrame(why)
