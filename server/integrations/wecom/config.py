"""What has to be known to speak to one WeCom app. Nothing here has a default host."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class WeComConfig:
    """One app of one company. An empty `api_base` means: send nothing, and say so."""

    api_base: str
    """Where the interface lives, ending with `/cgi-bin/`."""
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    connect_timeout_s: float = 5.0
    total_timeout_s: float = 10.0
    """For every call, the one for a token too."""

    def __post_init__(self) -> None:
        if not self.api_base:
            return
        parts = urlsplit(self.api_base)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the WeCom API base must be an http(s) address, or empty")
        if parts.query or parts.fragment or parts.username or not parts.path.endswith("/"):
            raise ValueError("the WeCom API base must be a plain address ending with /")

    @property
    def complete(self) -> bool:
        """Whether there is anybody to send to."""
        return bool(self.api_base and self.corp_id and self.secret)
