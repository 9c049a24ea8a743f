"""How busy the sandbox hospital's departments are, for past days that look like a hospital's."""

from dataclasses import dataclass
from typing import Final

from server.integrations.his import RegistrationType


@dataclass(frozen=True, slots=True)
class Busyness:
    """An ordinary weekday of a department: outpatients, beds, operations."""

    outpatients: int = 0
    beds: int = 0
    operations: int = 0


BUSYNESS: Final[dict[str, Busyness]] = {
    "cardiology": Busyness(260, 72, 6),
    "respiratory": Busyness(210, 64),
    "gastroenterology": Busyness(220, 58),
    "neurology": Busyness(200, 66),
    "endocrinology": Busyness(190, 38),
    "nephrology": Busyness(120, 42),
    "haematology": Busyness(70, 40),
    "rheumatology": Busyness(90, 24),
    "geriatrics": Busyness(60, 36),
    "infectious": Busyness(80, 34),
    "ccu": Busyness(0, 14),
    "general-surgery": Busyness(150, 70, 14),
    "orthopaedics": Busyness(190, 78, 13),
    "neurosurgery": Busyness(60, 46, 5),
    "thoracic": Busyness(45, 32, 4),
    "urology": Busyness(120, 42, 9),
    "cardiac-surgery": Busyness(30, 30, 3),
    "colorectal": Busyness(55, 26, 5),
    "breast": Busyness(90, 32, 8),
    "burns": Busyness(40, 20, 3),
    "obstetrics-1": Busyness(130, 40, 6),
    "obstetrics-2": Busyness(120, 38, 5),
    "gynaecology": Busyness(210, 44, 9),
    "paediatric-ward": Busyness(320, 46),
    "neonatology": Busyness(40, 40),
    "emergency": Busyness(330, 18),
    "icu": Busyness(0, 26),
    "oncology": Busyness(110, 60),
    "rehabilitation": Busyness(90, 44),
    "ophthalmology": Busyness(190, 24, 12),
    "ent": Busyness(200, 26, 7),
    "stomatology": Busyness(230, 8, 3),
    "dermatology": Busyness(260, 6),
    "chinese-medicine": Busyness(180, 16),
}
EMERGENCY: Final = "emergency"

TYPE_SHARES: Final[dict[RegistrationType, float]] = {
    "general": 0.56,
    "expert": 0.28,
    "special": 0.05,
    "online": 0.11,
}
"""Of the outpatients of every department but the emergency's, which are all of that type."""

WEEK: Final = (1.12, 1.06, 1.0, 0.98, 0.95, 0.56, 0.42)
"""Monday to Sunday; the emergency department's weekends are the busier days."""

_DAYTIME = (0, 0, 0, 0, 0, 0, 1, 7, 17, 18, 14, 7, 2, 6, 11, 9, 6, 2, 0, 0, 0, 0, 0, 0)
_ONLINE = (1, 1, 0, 0, 0, 0, 1, 3, 6, 8, 8, 7, 7, 7, 7, 7, 6, 6, 6, 7, 8, 7, 4, 2)
_ALL_DAY = (4, 3, 2, 2, 2, 2, 3, 4, 5, 5, 5, 5, 4, 4, 4, 4, 4, 5, 6, 7, 7, 7, 6, 5)
_THEATRE = (0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 12, 14, 12, 10, 12, 12, 9, 5, 3, 2, 1, 1, 1, 0)


def _shares(weights: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(weight / sum(weights) for weight in weights)


ARRIVING: Final[dict[RegistrationType, tuple[float, ...]]] = {
    "general": _shares(_DAYTIME),
    "expert": _shares(_DAYTIME),
    "special": _shares(_DAYTIME),
    "emergency": _shares(_ALL_DAY),
    "online": _shares(_ONLINE),
}
"""The shares of the day's hours in those who register, by type."""

OPERATING: Final = _shares(_THEATRE)
