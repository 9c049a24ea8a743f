"""The OA port: what a hospital's office system is asked, in words no single product owns.

Promises every adapter keeps (tests/contracts/test_oa.py):

- **Ids are opaque strings.** An item has its own id beside the id of its document (request);
  either may be negative, long or hexadecimal elsewhere. They are compared, never counted with.
- **One call, one moment.** Nothing is cached, retried or guessed: an answer is what the OA said
  just now, a failure is one of four kinds below. A value that is missing where it must not be is
  a failure (`NotUnderstood`), never a silent nothing.
- **Zero is only what was said.** Some products swallow their errors and answer 0 or an empty page.
  Whether to believe it is decided by the reader (`mirror.py`), not here.
- **Every call to the outside is paid for** from the call budget, in the lane named by the caller,
  and ends within the adapter's time-out; while the circuit is open it fails at once (`budget.py`,
  `breaker.py`).
- **Text is plain.** Titles and names carry no markup, no entities, no control characters.

`oa_user` is the OA's own user id. It comes from the mapping of the hospital's directory and never
from a client: most OA products believe whatever user id they are handed.

Whole documents, acting on them and starting new ones are the port's second half
(`documents.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from server.clock import Millis
from server.integrations.oa.budget import Lane as Lane

State = Literal["pending", "done", "read", "started"]
"""A person's lists: waiting for them, handled by them, copies to take note of, started by them."""

Urgency = Literal["normal", "important", "urgent"]

PAGE_ROWS = 20
"""Rows of a page; the last page of a list may be shorter."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits for a person; `to_read` is None when it was not asked for."""

    pending: int
    to_read: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A row of a list: a document as it concerns one person."""

    item_id: str
    request_id: str
    title: str
    creator_name: str
    received_at: Millis | None
    urgency: Urgency
    node: str
    source: str
    kind: str = ""
    creator: str = ""
    """The creator's OA user id, where the OA tells."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, newest first, each document once; `total` is None when the OA does not
    tell.
    """

    items: tuple[Item, ...]
    total: int | None


class OAError(Exception):
    """The OA gave no usable answer; the text is a sentence for operators, without personal data.

    `never_arrived`: it is certain that the OA did not get the call, so nothing was done there.
    """

    kind = "failed"

    def __init__(self, sentence: str = "", *, never_arrived: bool = False) -> None:
        super().__init__(sentence)
        self.never_arrived = never_arrived

    @property
    def sentence(self) -> str:
        return str(self)


class Unreachable(OAError):
    """No answer: refused, timed out, overloaded, or not asked because the circuit is open."""

    kind = "unreachable"


class Blocked(OAError):
    """Something in front of the OA refuses us (security filter, login page); an operator has to
    act.
    """

    kind = "blocked"


class RefusedByOA(OAError):
    """The OA answered that it will not or cannot do this."""

    kind = "refused_by_oa"


class NotUnderstood(OAError):
    """An answer came and does not mean anything we can rely on."""

    kind = "not_understood"


class OA(Protocol):
    """What the product asks of an office system."""

    async def open(self) -> None:
        """Get ready (read interface descriptions); does not call the OA's service."""
        ...

    async def close(self) -> None: ...

    async def counts(
        self, oa_user: str, *, lane: Lane = Lane.INTERACTIVE, with_copies: bool = False
    ) -> Counts:
        """How many documents wait for a person, the cheapest question there is; with copies it
        costs more.
        """
        ...

    async def list_items(
        self,
        oa_user: str,
        state: State,
        page: int = 1,
        total: int | None = None,
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Page:
        """One page (from 1) of a list.

        `total` is the list's true length if the caller just learnt it; some products cut the page
        by it, so a wrong one gives a wrong page. Without it the adapter asks first, which is one
        call more. A page past the end is empty and is not asked for.
        """
        ...

    async def are_new(
        self, oa_user: str, request_ids: Sequence[str], *, lane: Lane = Lane.INTERACTIVE
    ) -> tuple[bool, ...]:
        """Whether this person has yet to see each of the documents, in the order asked; one call. Raises
        `RefusedByOA` where a build does not tell."""
        ...


class FindsUsers(Protocol):
    """Who somebody is in the OA. Not every build tells."""

    @property
    def finds_users(self) -> bool:
        """Whether it tells at all."""
        ...

    async def user_of(self, employee_number: str) -> str | None:
        """The OA user id of whoever has this number; None when it knows nobody."""
        ...
