"""Looking at one screen after another, in a chosen look, and writing down what is wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import TimeoutError

from tests.end_to_end.browser import DESKTOP, PHONE, PICTURES, Screen, Window

LARGE_TEXT_PX = 18


@dataclass(frozen=True, slots=True)
class Look:
    """Size, language, colours and font of a walk; judging by axe takes most of its time."""

    name: str
    screen: Screen
    settings: dict[str, str]
    judged_by_axe: bool = False

    @property
    def is_large(self) -> bool:
        return self.settings["font"] == "large"


def look(name: str, screen: Screen, *, judged_by_axe: bool = False) -> Look:
    language, theme, font = name.split("-")[1:]
    settings = {"language": language, "theme": theme, "font": font}
    return Look(name, screen, settings, judged_by_axe)


LOOKS = (
    look("phone-zh-light-normal", PHONE, judged_by_axe=True),
    look("phone-en-dark-normal", PHONE),
    look("phone-zh-light-large", PHONE),
    look("desktop-en-dark-normal", DESKTOP, judged_by_axe=True),
)
EVERYDAY = ("phone-zh-light-normal", "desktop-en-dark-normal")
"""The looks that are taken every time; the others at night."""


def looks() -> list[Any]:
    """The looks as parameters of a test."""
    return [
        pytest.param(one, id=one.name, marks=() if one.name in EVERYDAY else pytest.mark.nightly)
        for one in LOOKS
    ]


class Walker:
    """Goes from screen to screen and writes down what is wrong."""

    def __init__(self, look: Look, pictures: Path) -> None:
        self.look, self._pictures = look, pictures
        self.faults: list[str] = []

    async def judge(self, window: Window, name: str, sign: str) -> None:
        """Once its sign is there, look at what is on the screen."""
        try:
            await window.see(sign)
        except TimeoutError:
            self.faults.append(f"{name}: {sign} is not there")
            return
        await window.settle()
        if PICTURES:
            await window.shot(self._pictures, f"{self.look.name}-{name}")
        found = [f"sideways: {one}" for one in await window.sideways()]
        if self.look.is_large:
            found += [f"small: {one}" for one in await window.small_texts(LARGE_TEXT_PX)]
        if self.look.judged_by_axe:
            found += [f"axe: {one}" for one in await window.axe()]
        self.faults += [f"{name}: {fault}" for fault in found]
