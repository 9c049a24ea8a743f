"""An office with chat, a notifier over its store, and a phone for everybody."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from realtime.presence.memory import MemoryPresence
from server.auth import Role
from server.clock import Millis
from server.features import chat, notices
from server.features.chat.duty import ChatDuty
from server.integrations.wecom import Finding, TokenState, WeComDesk
from server.integrations.wecom.memory import MemoryWeCom
from server.notify import Notifier
from server.settings import Settings
from tests.features.office import Office, open_office
from tests.memory import tmp_path

__all__ = ["tmp_path"]


class Desk:
    """WeCom as an administrator finds it in a test."""

    def __init__(self) -> None:
        self.findings = [Finding("settings", "good"), Finding("address", "bad", 60020, "1.2.3.4")]
        self.asked_about: str | None = None

    async def examine(self, wecom_user: str | None) -> list[Finding]:
        self.asked_about = wecom_user
        return self.findings

    async def token(self) -> TokenState | None:
        return TokenState(Millis(1_000), Millis(2_000))


@dataclass
class Hospital:
    """The office, its phones and its notifier, moved by hand."""

    office: Office
    phones: MemoryWeCom
    notifier: Notifier
    desk: Desk
    count: int = 0

    async def pass_time(self, seconds: float, each_s: float = 1.0) -> None:
        """Time goes by, and the notifier works as it would."""
        left = seconds
        while left > 0:
            self.office.clock.advance(min(each_s, left))
            left -= each_s
            await self.notifier.step()

    async def ask(self, who: str, name: str, **fields: Any) -> dict[str, Any]:
        return await self.office.ask(who, name, fields)

    async def write(self, to: str = "bob", text: str = "在吗") -> str:
        """Ann writes to somebody: the conversation."""
        opened = await self.ask("ann", "chat.open", person_id=to)
        conversation_id: str = opened["conversation_id"]
        await self.say(conversation_id, text)
        return conversation_id

    async def say(self, conversation_id: str, text: str = "在吗", **more: Any) -> None:
        """Ann says something in a conversation."""
        self.count += 1
        await self.ask(
            "ann",
            "chat.send",
            conversation_id=conversation_id,
            client_id=f"m{self.count}",
            content={"kind": "text", "text": text, **more},
        )


@pytest.fixture
async def hospital(tmp_path: Path) -> AsyncIterator[Hospital]:
    desk = Desk()
    services: dict[type, Any] = {WeComDesk: desk}
    async with open_office(tmp_path, [chat.feature, notices.feature], services) as office:
        settings = Settings(wecom_api_base="http://wecom/cgi-bin/", notice_merge_seconds=0)
        phones = MemoryWeCom()
        notifier = Notifier(
            office.store,
            MemoryPresence([office.hub]),
            phones,
            office.clock,
            settings,
            [ChatDuty(office.store, office.directory, settings)],
            lambda person: person,
        )
        office.roles["eve"] = frozenset({Role.STAFF, Role.SYSTEM_ADMIN})
        yield Hospital(office, phones, notifier, desk)
