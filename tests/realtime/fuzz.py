"""Broken input for everything that reads bytes of clients: frames, packets, heads and polling payloads.

`python -m tests.realtime.fuzz --seconds 3600` mutates what clients really send and looks that readers only
ever read or refuse, that nothing depends on how bytes are cut, and that the quick ways agree with the
complete ones. It prints how many inputs it tried; what breaks a rule is printed and ends it.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator

from realtime.gateway.engine import _packets
from realtime.gateway.frame_reader import (
    TEXT,
    BadWebSocket,
    FrameReader,
    Message,
    unmasked,
    whole_text,
)
from realtime.gateway.front import Head, read_head
from realtime.gateway.packets import EVENT, BadFrame, read_event, read_packet

LIMIT = 4_096
KEY = b"\x12\x34\x56\x78"


def frame(payload: bytes, first: int = 0x80 | TEXT) -> bytes:
    """A client's frame."""
    size = len(payload)
    head = bytes((0x80 | size,)) if size < 126 else bytes((0xFE,)) + size.to_bytes(2, "big")
    return bytes((first,)) + head + KEY + unmasked(payload, KEY)


TEXTS = [
    '2["chat.send",{"conversation_id":"c1","client_id":"a","content":{"kind":"text","text":"你好"}}]',
    '217["stream.catch_up",{"epoch":"e","positions":{"person:s0001":12,"conversation:x":3}}]',
    '0{"ticket":"abcdef"}',
    "1",
    '31["ok",1.5e3,null,true]',
    '2/custom,7["a",{"b":[1,2,{"c":"\\u00e9"}]}]',
    '51-["up",{"_placeholder":true,"num":0}]',
    '62-/custom,9[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]',
    '4{"message":"no"}',
]
STREAMS = [
    *(frame(b"4" + text.encode()) for text in TEXTS),
    frame(b"3"),
    frame(b"2probe"),
    frame(b"x" * 300),
    frame(b"part", first=TEXT) + frame(b"ping", first=0x89) + frame(b"end", first=0x80),
    frame(b"\x00\x01\x02", first=0x82),
    frame(b"\x03\xe8bye", first=0x88),
]
HEADS = [
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
    b"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Version: 13\r\nOrigin: http://a\r\nUser-Agent: wxwork\r\n\r\n",
]
PAYLOADS = ["\x1e".join("4" + text for text in TEXTS[:3]).encode(), b"4hello\x1ebAQIDBA==\x1e3"]


def mutated(sample: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """A sample with up to six things wrong with it."""
    data = bytearray(sample)
    for _ in range(chance.randint(0, 6)):
        at = chance.randint(0, len(data))
        match chance.randint(0, 5):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randint(0, 7)
            case 1:
                data[at:at] = chance.randbytes(chance.randint(1, 9))
            case 2:
                del data[at : at + chance.randint(1, 20)]
            case 3:
                data[at:at] = data[at : at + chance.randint(1, 40)]
            case 4:
                data += chance.choice(others)
            case _ if at < len(data):
                data[at] = chance.choice(b'[]{}",:0129-/\\\x00\x7f\x80\xff')
    return bytes(data)


def cut(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """The same bytes in parts."""
    start = 0
    while start < len(data):
        end = start + chance.choice((1, 1, 2, 5, 13, 200))
        yield data[start:end]
        start = end


def frames_of(parts: Iterator[bytes]) -> tuple[list[Message], int]:
    """Messages, or the number of the refusal."""
    reader, read = FrameReader(LIMIT), []
    try:
        for part in parts:
            read += reader.feed(part)
    except BadWebSocket as refused:
        return [], refused.code
    return read, 0


def try_frames(data: bytes, chance: random.Random) -> None:
    together = frames_of(iter((data,)))
    assert together == frames_of(cut(data, chance)), "frames depend on how they are cut"
    text = whole_text(data)
    if text is not None and len(text) <= LIMIT:
        assert together == ([(TEXT, text)], 0), "the quick way reads another frame"
    for opcode, payload in together[0]:
        if opcode == TEXT:
            try_packet(payload[1:])


def try_packet(data: bytes, _: random.Random | None = None) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    quick = read_event(text)
    try:
        packet = read_packet(text)
    except BadFrame:
        assert quick is None, "the quick way takes what is refused"
        return
    if quick is not None:
        assert (packet.packet_type, packet.namespace) == (EVENT, "/")
        assert quick == (packet.id, packet.data), "the quick way reads another event"


def try_head(data: bytes, _: random.Random) -> None:
    head = read_head(data, "127.0.0.1")
    assert head is None or (isinstance(head, Head) and head.answer.endswith(b"\r\n\r\n"))


def try_payload(data: bytes, _: random.Random) -> None:
    try:
        _packets(data)
    except BadFrame:
        return


Try = Callable[[bytes, random.Random], None]
WHAT: list[tuple[Try, list[bytes]]] = [
    (try_frames, STREAMS),
    (try_packet, [text.encode() for text in TEXTS]),
    (try_head, HEADS),
    (try_payload, PAYLOADS),
]


def fuzz(seed: int, inputs: int) -> None:
    """Try so many inputs. Raises what a reader raised, with the input as a note."""
    chance = random.Random(seed)
    for _ in range(inputs):
        attempt, samples = chance.choice(WHAT)
        data = mutated(chance.choice(samples), samples, chance)
        try:
            attempt(data, chance)
        except Exception as fault:
            fault.add_note(f"{attempt.__name__}({data!r}) in run {seed}")
            raise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    ends, tried, told = time.monotonic() + given.seconds, 0, 0.0
    while time.monotonic() < ends:
        fuzz(given.seed + tried, 5_000)
        tried += 5_000
        if time.monotonic() > told + 30:
            told = time.monotonic()
            print(f"{tried} inputs tried", flush=True)
    print(f"{tried} inputs tried, nothing found")


if __name__ == "__main__":
    main()
