"""Names of devices."""

import pytest

from server.auth.devices import device_name

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{IPHONE} MicroMessenger/8.0 wxwork/5.0.3", "WeCom · iPhone"),
        (f"{IPHONE} MicroMessenger/8.0", "WeChat · iPhone"),
        (f"{IPHONE} Version/19.0 Mobile Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox · Linux"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) ArkWeb Mobile", "HarmonyOS"),
        ("curl/8", ""),
        ("", ""),
        ("x" * 100_000, ""),
    ],
)
def test_a_device_is_named_by_browser_and_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
