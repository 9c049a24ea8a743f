"""One HTTP exchange with WeCom: a JSON object, or an error that names no address.

The token and the secret travel in the query string, so nothing raised here may carry a URL, an
aiohttp exception (its text and its request hold one), or such an exception as its context.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from server.integrations.wecom import Misconfigured, Retry, WeComError
from server.integrations.wecom.config import WeComConfig

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""A department list of a large company has some hundred KiB; nobody needs more than this."""


async def exchange(
    session: aiohttp.ClientSession,
    config: WeComConfig,
    method: str,
    endpoint: str,
    params: Mapping[str, str],
    body: bytes | aiohttp.FormData | None = None,
) -> dict[str, Any]:
    """Ask once. The answer's errcode is for the caller to judge; it is always there, an int."""
    if not config.complete:
        raise Misconfigured("no WeCom API base, corp id or secret is set: nothing is sent")
    status, content = await _ask(session, config, method, endpoint, params, body)
    if status != 200:
        raise _status_failure(status)
    return _answer(content)


async def _ask(
    session: aiohttp.ClientSession,
    config: WeComConfig,
    method: str,
    endpoint: str,
    params: Mapping[str, str],
    body: bytes | aiohttp.FormData | None,
) -> tuple[int, bytes]:
    failed: WeComError
    try:
        async with session.request(
            method,
            config.api_base + endpoint,
            params=params,
            data=body,
            headers={"Content-Type": "application/json"} if isinstance(body, bytes) else None,
            # A redirect would take the token to another host.
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=config.total_timeout_s, sock_connect=config.connect_timeout_s
            ),
        ) as response:
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    break
            return response.status, bytes(content)
    except TimeoutError:
        failed = Retry("WeCom did not answer in time")
    except (aiohttp.ClientError, OSError) as error:
        failed = Retry(f"the connection to WeCom failed ({type(error).__name__})")
    # Raised out here, so that the exception with the address in it is not its context.
    raise failed


def _status_failure(status: int) -> WeComError:
    if status in {408, 425, 429} or status >= 500 or status < 400:
        return Retry(f"WeCom answered with HTTP status {status}")
    # WeCom reports its own errors with status 200: this is some other server.
    return Misconfigured(f"the WeCom API base answers with HTTP status {status}")


def _answer(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content, strict=False)
        code = int(answer["errcode"])
    except (ValueError, TypeError, KeyError, RecursionError):
        answer, code = None, 0
    if not isinstance(answer, dict):
        raise Retry("WeCom's answer is not one of WeCom's")
    answer["errcode"] = code
    return answer
