"""What a feature promises so that its people are told when they are away: a duty.

The notifier knows people, times and WeCom; it does not know what a message or a document is. A feature
knows that, and answers three questions about a *subject* (a conversation, one person's document): who
has something unsettled there, what would a notice say right now, and what is to be written once it is
settled. Places in a subject are integers that only grow (a message's seq; 1 for a thing that is told
once).

All three may be asked again at any time and in any order, for a subject that has changed or is gone;
none has an effect outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from server.integrations.wecom import Button
from server.outbox import Owed, Priority
from server.storage import Op


@dataclass(frozen=True, slots=True)
class Claim:
    """A person has not been told of the places after `after`, up to `upto`.

    `first_at` is when the oldest of these changes was committed, `newest_at` when the newest was:
    presence is asked whether that one has reached a screen.
    """

    person_id: str
    upto: int
    first_at: int
    newest_at: int
    after: int = 0
    count: int = 1
    priority: Priority = Priority.CHAT
    muted: bool = False
    """The person wants no notices from here: settled without one."""
    named: bool = False
    """Somebody named the person: a notice that waits for quiet hours to end is decided again."""
    asked: bool = False
    """The person asked for it in WeCom and waits there: no screen elsewhere settles or delays it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a notice says if it is sent now, and what it settles: everything unsettled now.

    `path` begins with a slash and opens the right screen. Texts are plain and may be cut.
    """

    title: str
    description: str
    path: str
    upto: int
    newest_at: int
    after: int = 0
    count: int = 1
    quotes: int = 0
    """The place whose text is shown, for a duty that is `Quoting`; 0: nobody's words are shown."""
    buttons: tuple[Button, ...] = ()
    """What may be pressed on the card itself, for a duty that is `Acting`."""
    named: bool = False
    asked: bool = False
    """Both as in `Claim`."""


class Duty(Protocol):
    """One kind of subject; `kind` is the one the feature gives to `UnitOfWork.owe`."""

    @property
    def kind(self) -> str: ...

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """Who is unsettled, by subject; a subject left out (or empty) owes nothing to anybody.

        Asked about many subjects at once (up to 100), so that it can read them together. It must
        reflect everything committed before the call: the row is removed on its word.
        """
        ...

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The notice for one person, composed just before it is sent.

        Membership, read state and rights are checked here again. None: there is nothing (any more)
        to tell this person, and the notice is withdrawn.
        """
        ...

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Operations that mark people (person -> place) as told, for `due` and `draft` to see.

        Committed together with the ledger. They must be harmless when repeated or late: raise a mark,
        never set it back, and leave out people who are gone. On a conflict this is asked again.
        """
        ...


@runtime_checkable
class Skimming(Protocol):
    """A duty that can say who is unsettled without reading what it is."""

    async def skim(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """`due`, but for what only a notice needs: `first_at` (0), `after`, `count`, and whether anything
        is left of it. Asked first: mostly nobody is away, and then nothing more is read."""
        ...


@runtime_checkable
class Quoting(Protocol):
    """A duty whose drafts may show what somebody wrote, and may take back."""

    async def may_quote(self, subject: str, place: int) -> bool:
        """Whether the text of a place may still be shown.

        Asked before bytes that show it go again, because nobody knows whether they arrived. If not,
        the notice is composed anew: rather a phone that rings twice than a text that was taken back.
        """
        ...


class NotYet(Exception):
    """Nobody knows yet what came of a press: it is asked again after so many seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"again after {after_s:.0f} s")
        self.after_s = after_s


@runtime_checkable
class Acting(Protocol):
    """A duty whose notices have buttons."""

    async def press(self, person_id: str, subject: str, key: str) -> str:
        """Do what a button asks in the name of the person the card was sent to; what the card says in
        its place from then on, in a few characters.

        Whatever may have happened since the card was sent is checked here. Asked again with the same
        words after a crash, a doubt (`NotYet`), or a second press: it is done once all the same.
        """
        ...


@runtime_checkable
class Unseeing(Protocol):
    """A duty that knows whether something it takes as told was seen all the same: asked before a notice
    that failed is sent again by hand."""

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Whether the person may still see this place and has not."""
        ...
