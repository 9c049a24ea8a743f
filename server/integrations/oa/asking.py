"""Asked once for all who ask the same at the same time."""

import asyncio
import logging
from collections.abc import Coroutine, Hashable
from typing import Any, Final

from server.integrations.oa import OAError

log = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 12.0


class Asking:
    """The questions under way, each a task that goes on when those who asked have waited enough."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, asyncio.Task[bool]] = {}

    @property
    def tasks(self) -> list[asyncio.Task[bool]]:
        return list(self._asked.values())

    async def shared(self, key: Hashable, asking: Coroutine[Any, Any, object]) -> bool:
        """Ask, or wait for whoever asks the same; whether it was answered in time."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(_succeeds(asking))
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        else:
            asking.close()
        done, _ = await asyncio.wait({task}, timeout=ANSWER_WITHIN_S)
        return bool(done) and not task.cancelled() and task.result()


async def _succeeds(asking: Coroutine[Any, Any, object]) -> bool:
    try:
        await asking
    except OAError:
        return False
    except Exception:
        log.exception("a change of somebody's documents could not be stored")
        return False
    return True
