"""A short name for a device, from what its browser says of itself: "WeCom · iPhone"."""

from typing import Final

# The first match counts: many browsers also name those they descend from.
BROWSERS: Final = (
    ("wxwork", "WeCom"),
    ("micromessenger", "WeChat"),
    ("edg", "Edge"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
SYSTEMS: Final = (
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("openharmony", "HarmonyOS"),
    ("harmonyos", "HarmonyOS"),
    ("android", "Android"),
    ("windows", "Windows"),
    ("mac os", "Mac"),
    ("linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Browser and system; "" when neither is known."""
    text = user_agent[:512].lower()
    names = (
        next((name for mark, name in known if mark in text), "") for known in (BROWSERS, SYSTEMS)
    )
    return " · ".join(filter(None, names))
