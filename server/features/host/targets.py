"""Where a sign-in may lead: to an address of this app and nowhere else.

A target is written into a redirect, so whatever a browser might read as another host is none: two slashes,
backslashes, and the tabs and line ends that browsers leave out before they look.
"""

import re
from typing import Final

HOME: Final = "/"
LONGEST: Final = 512
_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*\Z")
"""One slash, then visible ASCII without a backslash; browsers escape all else themselves."""
_NOT_SCREENS: Final = ("/api/", "/wecom/", "/socket.io/", "/sign-in", "/bind")


def own_path(wanted: str) -> str:
    """The path, when it is one of our screens; else the first screen."""
    if len(wanted) > LONGEST or not _PATH.match(wanted) or wanted.startswith(_NOT_SCREENS):
        return HOME
    return wanted
