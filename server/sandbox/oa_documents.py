"""A document of the stand-in OA: who has to act on it, and what acting does.

It goes from step to step. At a step all of its people approve, or one of them, or each in turn; after the
last one it is archived; one refusal sends it back to its creator, who may submit it again. Beside its
way, somebody it was forwarded to may note something, and somebody who got a copy reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from server.sandbox.oa_forms import OFFERED

FIRST_ID: Final = 10_001
LISTS: Final = ("ToDo", "CC", "Hendled", "Processed", "My", "All")

Mode = Literal["all", "any", "in_turn"]
MODES: Final[tuple[Mode, ...]] = ("all", "any", "in_turn")
Row = Mapping[str, str]

CREATED: Final = "1"
APPROVING: Final = "2"
ARCHIVED: Final = "3"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a document's way. `offers` are its own buttons; none: those of the document."""

    name: str
    people: tuple[int, ...]
    mode: Mode = "all"
    offers: dict[str, str] = field(default_factory=dict)

    def first(self) -> tuple[int, ...]:
        return self.people[:1] if self.mode == "in_turn" else self.people

    def left(self, pending: tuple[int, ...], user: int) -> tuple[int, ...]:
        """Who still has it after somebody approved; nobody: the step is over."""
        match self.mode:
            case "any":
                return ()
            case "in_turn":
                after = self.people.index(user) + 1
                return self.people[after : after + 1]
            case _:
                return tuple(person for person in pending if person != user)


@dataclass(frozen=True, slots=True)
class Document:
    """One document. People are OA user ids; moments are milliseconds.

    `received` says since when somebody has it, `done` when somebody acted, `read` who opened it.
    `forwarded` may note something; `opened_copies` have read their copy, `copies_to_submit` are those
    who have to say so. `values` and `rows` are the form, `draft` somebody's unsent words.
    """

    request_id: int
    title: str
    creator: int
    kind: str
    urgency: int
    created_at: int
    approvers: tuple[int, ...]
    copies: tuple[int, ...] = ()
    node: str = APPROVING
    pending: tuple[int, ...] = ()
    received: dict[int, int] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    read: tuple[int, ...] = ()
    log: tuple[dict[str, Any], ...] = ()
    needs_opinion: bool = False
    needs_affirmance: bool = False
    message_type: str = "0"
    steps: tuple[Step, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    rows: tuple[tuple[Row, ...], ...] = ()
    offers: dict[str, str] = field(default_factory=lambda: dict(OFFERED))
    forwarded: tuple[int, ...] = ()
    copies_to_submit: tuple[int, ...] = ()
    opened_copies: tuple[int, ...] = ()
    drafts: dict[int, str] = field(default_factory=dict)

    @property
    def way(self) -> tuple[Step, ...]:
        return self.steps or (Step("审批", self.approvers),)

    @property
    def step(self) -> int:
        """0 where it is started, 1 at the first step of its way."""
        return 0 if self.node == CREATED else _step_of(self.node)

    @property
    def node_name(self) -> str:
        return self.name_of_node(self.node)

    def name_of_node(self, node: str) -> str:
        if node in (CREATED, ARCHIVED):
            return "创建" if node == CREATED else "归档"
        at = _step_of(node) - 1
        return self.way[at].name if at < len(self.way) else "审批"

    @property
    def is_archived(self) -> bool:
        return self.node == ARCHIVED

    @property
    def people(self) -> frozenset[int]:
        on_the_way = (person for step in self.way for person in step.people)
        reading = (*self.copies, *self.forwarded)
        return frozenset((self.creator, *on_the_way, *self.pending, *reading, *self.done))

    def lies_in(self, which: str, user: int) -> bool:
        """Whether it is in this list of this person."""
        waits = user in self.pending or user in self.forwarded
        is_done = (user in self.done or user in self.opened_copies) and not waits
        match which:
            case "ToDo":
                return waits
            case "CC":
                return user in self.copies and user not in self.opened_copies
            case "Hendled":
                return is_done and not self.is_archived
            case "Processed":
                return is_done and self.is_archived
            case "My":
                return user == self.creator
            case _:
                return user in self.people

    def received_at(self, user: int) -> int:
        return self.received.get(user, self.created_at)

    def waits_for(self, user: int) -> bool:
        """Whether somebody may act on it, or at least note something."""
        unread = user in self.copies_to_submit and user not in self.opened_copies
        return user in self.pending or user in self.forwarded or unread

    def offered_to(self, user: int) -> dict[str, str]:
        """The buttons of this person now, by action."""
        forward = {k: v for k, v in self.offers.items() if k == "forward"}
        if user in self.pending and self.node == CREATED:
            return {"submit": "提交", **forward}
        if user in self.pending:
            return self.way[self.step - 1].offers or self.offers
        if user in self.forwarded:
            return {"submit": "批注", **forward}
        if user in self.copies_to_submit and user not in self.opened_copies:
            return {"submit": "已阅"}
        return forward if user in self.done or user == self.creator else {}

    # What acting makes of it

    def submitted(self, user: int, act: str, remark: str, now: int, **more: Any) -> "Document":
        """What it is after somebody who has it acted on it: `act` is `approve` or `reject`."""
        acted = replace(self, done=self.done | {user: now}, drafts=_without(self.drafts, user))
        if user not in self.pending:
            return acted._noted(user, remark, now, more)
        if self.node == CREATED:
            return acted.sent_out(now, remark)
        if act == "reject":
            back = replace(acted, node=CREATED, pending=(self.creator,))
            back = back._received((self.creator,), now)
            return back._logged(self, user, act, remark, now, back.pending, more)
        left = self.way[self.step - 1].left(self.pending, user)
        if left:
            on = replace(acted, pending=left)._received(set(left) - set(self.pending), now)
        else:
            on = acted._at(self.step + 1, now)
        got = tuple(person for person in on.pending if person not in self.pending or not left)
        return on._logged(self, user, act, remark, now, got, more)

    def sent_out(self, now: int, remark: str = "") -> "Document":
        """From its creator to the first step, whose people have not seen it yet."""
        sent = self._at(1, now)._received(self.copies, now)
        whole = replace(
            sent, read=tuple(person for person in self.read if person not in sent.pending)
        )
        return whole._logged(self._created(), self.creator, "create", remark, now, sent.pending, {})

    def given_on(
        self, user: int, to: Sequence[int], remark: str, now: int, **more: Any
    ) -> "Document":
        """Forwarded: those who have it already get nothing new."""
        new = tuple(one for one in dict.fromkeys(to) if one not in (*self.pending, *self.forwarded))
        read = tuple(one for one in self.read if one not in new)
        given = replace(self, forwarded=(*self.forwarded, *new), read=read)._received(new, now)
        return given._logged(self, user, "forward", remark, now, tuple(to), more)

    def opened(self, user: int) -> "Document":
        """Seen by somebody: a copy that is only to be read is done with."""
        seen = self if user in self.read else replace(self, read=(*self.read, user))
        only_reads = user in self.copies and user not in self.copies_to_submit
        if only_reads and user not in self.opened_copies:
            return replace(seen, opened_copies=(*self.opened_copies, user))
        return seen

    def _noted(self, user: int, remark: str, now: int, more: dict[str, Any]) -> "Document":
        left = tuple(one for one in self.forwarded if one != user)
        copies = (user,) if user in self.copies_to_submit and user not in self.forwarded else ()
        noted = replace(self, forwarded=left, opened_copies=(*self.opened_copies, *copies))
        return noted._logged(self, user, "note", remark, now, (), more)

    def _at(self, step: int, now: int) -> "Document":
        """At this step, counted from 1; past the last one it is archived."""
        if step > len(self.way):
            return replace(self, node=ARCHIVED, pending=())
        there = replace(self, node=_node_of(step), pending=self.way[step - 1].first())
        return there._received(there.pending, now)

    def _created(self) -> "Document":
        return replace(self, node=CREATED)

    def _received(self, people: Any, now: int) -> "Document":
        return replace(self, received=self.received | dict.fromkeys(people, now))

    def _logged(
        self,
        before: "Document",
        user: int,
        act: str,
        remark: str,
        now: int,
        got: tuple[int, ...],
        more: dict[str, Any],
    ) -> "Document":
        entry = {"user": user, "act": act, "remark": remark, "at": now, "node": before.node}
        return replace(self, log=(*self.log, entry | {"received": list(got)} | more))

    @classmethod
    def from_line(cls, line: dict[str, Any]) -> "Document":
        """As it was kept; what an older line does not say is as it used to be."""
        fields = dict(line)
        for name, kept in line.items():
            if isinstance(kept, list):
                fields[name] = tuple(kept)
        for name in ("received", "done", "drafts"):
            fields[name] = {int(user): kept for user, kept in fields.get(name, {}).items()}
        fields["steps"] = tuple(
            Step(one["name"], tuple(one["people"]), one["mode"], one.get("offers", {}))
            for one in line.get("steps", ())
        )
        fields["rows"] = tuple(tuple(table) for table in line.get("rows", ()))
        return cls(**fields)


def _node_of(step: int) -> str:
    """The second step's node is 4: 3 has always been the archive."""
    return APPROVING if step == 1 else str(step + 2)


def _step_of(node: str) -> int:
    return 1 if node in (APPROVING, ARCHIVED) else int(node) - 2


def _without(drafts: dict[int, str], user: int) -> dict[int, str]:
    return {person: words for person, words in drafts.items() if person != user}
