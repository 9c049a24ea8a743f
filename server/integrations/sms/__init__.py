"""Texts to phones (短信): the one road to a person that needs neither a password nor WeCom.

The promise is one call: bring this text to this number. Nothing is kept or repeated here: a text is
worth something for minutes, and whoever waits for it asks again.

Adapter: `http.py` (the hospital's gateway).
"""

from typing import Protocol


class SmsError(Exception):
    """The text did not go out, as far as anybody knows. Names neither number nor text."""


class Sms(Protocol):
    """Sends texts."""

    @property
    def is_there(self) -> bool:
        """Whether any gateway is set."""
        ...

    async def send(self, mobile: str, text: str) -> None:
        """Hand a text to the gateway, which accepted it when this returns. Ends within ten seconds.
        Raises SmsError."""
        ...
