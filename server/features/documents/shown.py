"""A document as its reader's page gets it: people of the house by id, files by addresses of ours."""

import base64
import hashlib
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

import msgspec

from server.acting.documents import Act
from server.auth import Actor
from server.clock import Millis
from server.directory import Directory
from server.features.documents.protocol import (
    ActionOffer,
    AttachmentCard,
    OpenedCard,
    OpinionCard,
    StepCard,
)
from server.features.documents.seals import FileNote, LogNote, Seals
from server.features.documents.values import field_card, table_card
from server.integrations.oa.documents import Attachment, Field, OpenedDocument, Opinion, Step

FILES: Final = "/api/v1/oa/attachments"
FILE_MS: Final = 600_000
LOG_MS: Final = 3_600_000
MOMENTARY: Final = frozenset({"date", "time"})
"""Kinds that the OA may fill with the present moment each time a form is opened."""


class Shown:
    """Makes cards for one actor of one document."""

    def __init__(
        self, actor: Actor, request_id: str, workflow_id: str, directory: Directory, seals: Seals
    ) -> None:
        self._actor = actor
        self._request_id = request_id
        self._workflow_id = workflow_id
        self._directory = directory
        self._seals = seals

    def document(
        self, opened: OpenedDocument, as_of: Millis, last: Act | None, *, may_urge: bool
    ) -> OpenedCard:
        """The whole of it."""
        creator = self._directory.by_oa(opened.creator)
        return OpenedCard(
            request_id=opened.request_id,
            seen=seen_of(opened),
            title=opened.title,
            kind=opened.kind,
            creator_id=creator.id if creator is not None else None,
            creator_name=opened.creator_name,
            created_at=opened.created_at,
            urgency=opened.urgency,
            status=opened.status,
            node=opened.node,
            actions=[ActionOffer(action=a, label=label) for a, label in opened.actions.items()],
            demands=sorted(opened.demands),
            fields=[field_card(one, self._directory, self._address) for one in opened.fields],
            tables=[table_card(one, self._directory, self._address) for one in opened.tables],
            opinions=self.opinions(opened.opinions),
            more_before=self.more_before(opened.more_before),
            steps=[_step(one) for one in opened.steps],
            phrases=list(opened.phrases),
            draft=opened.draft,
            as_of=as_of,
            last_act=last.card if last is not None else None,
            may_urge=may_urge,
        )

    def opinions(self, opinions: Iterable[Opinion]) -> list[OpinionCard]:
        """Entries of the log."""
        return [self._opinion(one) for one in opinions]

    def more_before(self, place: str) -> str:
        """Where the log goes on, for this reader only."""
        if not place:
            return ""
        note = LogNote(self._request_id, self._workflow_id, place)
        return self._seals.seal(note, self._actor, LOG_MS)

    def _opinion(self, opinion: Opinion) -> OpinionCard:
        person = self._directory.by_oa(opinion.oa_user)
        return OpinionCard(
            id=opinion.id,
            node=opinion.node,
            person_id=person.id if person is not None else None,
            person_name=opinion.person_name,
            department=opinion.department,
            at=opinion.at,
            action=opinion.action,
            html=opinion.html,
            received_by=list(opinion.received_by),
            on_behalf_of=opinion.on_behalf_of,
            attachments=[self._attachment(one) for one in opinion.attachments],
        )

    def _attachment(self, one: Attachment) -> AttachmentCard:
        return AttachmentCard(id=one.id, name=one.name, size=one.size, url=self._address(one))

    def _address(self, attachment: Attachment) -> str:
        name = attachment.name[:200]
        note = FileNote(self._request_id, attachment.id, name)
        token = self._seals.seal(note, self._actor, FILE_MS)
        return f"{FILES}/{token}/{quote(name, safe='') or 'file'}"


def _step(step: Step) -> StepCard:
    return StepCard(
        node=step.node,
        state=step.state,
        since=step.since,
        until=step.until,
        acted=list(step.acted),
        holders=list(step.holders),
    )


def seen_of(opened: OpenedDocument) -> str:
    """What was decided upon, as a few opaque characters: another state has others.

    The step, what is offered and asked there, what the form says, and what came before this step; not what
    others say at the same step, who may act side by side.
    """
    before = next((one.id for one in opened.opinions if one.node_id != opened.node_id), "")
    state = [
        opened.request_id,
        opened.node_id,
        opened.title,
        sorted(opened.actions),
        sorted(opened.demands),
        _values(opened.fields),
        [[_values(row) for row in table.rows] for table in opened.tables],
        before,
    ]
    digest = hashlib.sha256(msgspec.json.encode(state)).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()


def _values(fields: Iterable[Field]) -> list[tuple[str, str]]:
    return [(one.name, one.value) for one in fields if not _is_momentary(one)]


def _is_momentary(field: Field) -> bool:
    return field.may_edit and field.kind in MOMENTARY
