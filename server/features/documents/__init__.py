"""Whole documents of the OA: opened, acted on and started from the phone."""

from server.acting.protocol import ActEnded
from server.feature import Feature, Rate, allow, staff
from server.acting.protocol import ActEnded
from server.features.documents import commands, starting
from server.acting.protocol import ActEnded
from server.features.documents.protocol import StartEnded

feature = Feature(
    "documents",
    commands=allow(
        staff,
        commands.open_document,
        commands.list_opinions,
        commands.act,
        commands.mark_read,
        starting.list_kinds,
        starting.open_blank,
        starting.keep_draft,
        starting.start,
        rate=Rate(burst=20, per_second=1),
    ),
    events=[ActEnded, StartEnded],
)
