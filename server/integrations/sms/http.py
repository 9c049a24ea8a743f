"""The hospital's SMS gateway over HTTP: one POST of a number and a text, with a bearer secret.

Gateways differ; this is the smallest form that a few lines of adapter in front of any of them can take
(docs/operations.md). Only a 2xx means that the text was accepted. Redirects are not followed: they would
take the secret elsewhere.
"""

from typing import Final

import aiohttp

from server.integrations.sms import SmsError

WAIT_S: Final = 8.0


class HttpSms:
    """Keeps the promise of `Sms`."""

    def __init__(self, url: str, secret: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._secret = secret
        self._session = session

    @property
    def is_there(self) -> bool:
        """Whether an address is set."""
        return bool(self._url)

    async def send(self, mobile: str, text: str) -> None:
        try:
            async with self._session.post(
                self._url,
                json={"mobile": mobile, "text": text},
                headers={"Authorization": f"Bearer {self._secret}"} if self._secret else None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=WAIT_S),
            ) as response:
                status = response.status
        except TimeoutError:
            failed = "the gateway did not answer in time"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failed = f"the connection to the gateway failed ({type(error).__name__})"
        else:
            if 200 <= status < 300:
                return
            failed = f"the gateway answered with HTTP status {status}"
        # Raised out here, so that no exception that holds number or address is its context.
        raise SmsError(failed)
