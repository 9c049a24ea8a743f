"""Turn-around times: how long documents wait for the people they come to, before and since Yuanxin."""

from server.feature import Feature, Rate, allow, staff
from server.features.turnaround import commands
from server.features.turnaround.closing import counted_days
from server.features.turnaround.documents import DayCut, Progress
from server.features.turnaround.seeding import seed

feature = Feature(
    "turnaround",
    commands=[
        *allow(staff, commands.show_mine),
        # The longest range is a second of counting.
        *allow(commands.sees_all, commands.show_processes, rate=Rate(burst=20, per_second=1)),
    ],
    documents=[DayCut, Progress],
    parts=[counted_days],
    seed=seed,
)
