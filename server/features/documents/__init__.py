"""Whole documents of the OA: opened, acted on and started from the phone."""

from server.feature import Feature, Rate, allow, staff
from server.features.documents import commands, starting, urging
from server.features.documents.protocol import ActEnded, StartEnded
from server.features.documents.starting_kinds import start_kinds
from server.features.documents.starting_once import starting as starts
from server.features.documents.starting_records import Begun, StartDraft

feature = Feature(
    "documents",
    commands=allow(
        staff,
        commands.open_document,
        commands.list_opinions,
        commands.act,
        commands.mark_read,
        urging.urge_holders,
        starting.list_kinds,
        starting.open_blank,
        starting.keep_draft,
        starting.start,
        rate=Rate(burst=20, per_second=1),
    ),
    events=[ActEnded, StartEnded],
    documents=[StartDraft, Begun],
    parts=[start_kinds, starts],
)
