"""Substitution within the house: a deputy sees what waits for somebody else, for a period.

Nothing of it reaches the OA. A deputy sees the list and is told of what arrives; opening and acting stay
what the OA allows the deputy's own account.
"""

from server.feature import Feature, Rate, allow, staff
from server.features.deputies import commands, lists
from server.features.deputies.documents import Deputation, PassedOn, Represented
from server.features.deputies.duty import DeputedDuty, DeputyDuty
from server.features.deputies.protocol import DeputiesChanged
from server.features.deputies.turning import turning

feature = Feature(
    "deputies",
    commands=[
        *allow(
            staff,
            commands.show_deputies,
            lists.list_deputed,
            lists.open_deputed,
            rate=Rate(burst=30, per_second=3),
        ),
        *allow(
            staff,
            commands.name_deputy,
            commands.end_deputation,
            lists.remind_principal,
            rate=Rate(burst=10, per_second=0.2),
        ),
    ],
    events=[DeputiesChanged],
    documents=[Deputation, Represented, PassedOn],
    duties=[DeputyDuty, DeputedDuty],
    parts=[turning],
)
