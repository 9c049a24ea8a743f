"""A picture that looks like a QR code. Nobody can scan it; the page beside it says so."""

import hashlib
from collections.abc import Iterator
from typing import Final

SIDE: Final = 25
_EYE: Final = 7


def picture(text: str) -> str:
    """Always the same for the same text, as SVG."""
    cells = "".join(f'<rect x="{x}" y="{y}" width="1" height="1"/>' for x, y in _dark(text))
    return (
        f'<svg viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="二维码" '
        f'shape-rendering="crispEdges">{cells}</svg>'
    )


def _dark(text: str) -> Iterator[tuple[int, int]]:
    chance = hashlib.shake_256(text.encode()).digest(SIDE * SIDE // 8 + 1)
    for place in range(SIDE * SIDE):
        x, y = place % SIDE, place // SIDE
        eye = _in_eye(x, y)
        if eye if eye is not None else chance[place // 8] >> place % 8 & 1:
            yield x, y


def _in_eye(x: int, y: int) -> bool | None:
    """Whether a cell of one of the three eyes is dark; None outside of them, and of their margin."""
    far = SIDE - _EYE
    for left, top in ((0, 0), (far, 0), (0, far)):
        a, b = x - left, y - top
        if 0 <= a < _EYE and 0 <= b < _EYE:
            ring = max(abs(a - 3), abs(b - 3))
            return ring != 2
        if -1 <= a <= _EYE and -1 <= b <= _EYE:
            return False
    return None
