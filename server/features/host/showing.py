"""Whom somebody is known to be by what he has shown in WeCom: phone number, or the company's mail address.

WeCom has checked the number and the company has given the address, so both say as much as a code on that
phone. They are compared here and kept nowhere.
"""

from collections.abc import Iterable
from typing import Final

from server.directory import Person
from server.integrations.wecom import Shown

SHORTEST_NUMBER: Final = 7
CHINA: Final = "86"


def person_shown(people: Iterable[Person], shown: Shown) -> Person | None:
    """The one person who has that number or that address; nobody when two have, or each is another's."""
    number, mail = _number(shown.mobile), shown.mail.strip().casefold()
    found = [
        person
        for person in people
        if (number and _number(person.mobile) == number)
        or (mail and person.email.strip().casefold() == mail)
    ]
    return found[0] if len(found) == 1 else None


def _number(written: str) -> str:
    """A number as it is dialled at home; "" for what is none."""
    digits = "".join(char for char in written if char.isdecimal() and char.isascii())
    if len(digits) == 13 and digits.startswith(CHINA):
        digits = digits.removeprefix(CHINA)
    return digits if len(digits) >= SHORTEST_NUMBER else ""
