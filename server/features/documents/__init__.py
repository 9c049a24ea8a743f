"""Whole documents of the OA: opened, acted on and started from the phone."""

from server.acting.protocol import ActEnded
from server.feature import Feature, Rate, allow, staff
from server.features.documents import acting, commands, files, starting, urging
from server.features.documents.documents import SealKey
from server.features.documents.protocol import StartEnded
from server.features.documents.seals import sealing
from server.features.documents.starting_keeping import keeping
from server.features.documents.starting_kinds import start_kinds
from server.features.documents.starting_once import starting as starts
from server.features.documents.starting_records import Begun, StartDraft

feature = Feature(
    "documents",
    commands=[
        *allow(
            staff,
            commands.open_document,
            commands.list_opinions,
            urging.urge_holders,
            starting.list_kinds,
            starting.open_blank,
            starting.keep_draft,
            starting.start,
            rate=Rate(burst=20, per_second=1),
        ),
        # Fifty calls to the OA each: whoever marks hundreds must not keep others from opening.
        *allow(staff, commands.mark_read, rate=Rate(burst=5, per_second=0.25)),
        *allow(staff, acting.act, rate=Rate(burst=10, per_second=0.5)),
    ],
    events=[ActEnded, StartEnded],
    documents=[SealKey, StartDraft, Begun],
    parts=[sealing, acting.telling, start_kinds, starts, keeping],
    routes=files.add_routes,
)
