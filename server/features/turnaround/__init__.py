"""Turn-around times: how long documents wait for the people they come to, before and since Yuanxin; and how
many of the copies that are circulated are read."""

from server.feature import Feature, Rate, allow, staff
from server.features.turnaround import commands
from server.features.turnaround.closing import counted_days
from server.features.turnaround.documents import CopyTour, DayCut, Progress
from server.features.turnaround.reading import show_reading
from server.features.turnaround.seeding import seed
from server.features.turnaround.tallying import tallies
from server.features.turnaround.touring import copy_tour

feature = Feature(
    "turnaround",
    commands=[
        *allow(staff, commands.show_mine),
        # The longest range is a second of counting.
        *allow(
            commands.sees_all,
            commands.show_processes,
            show_reading,
            rate=Rate(burst=20, per_second=1),
        ),
    ],
    documents=[CopyTour, DayCut, Progress],
    parts=[counted_days, copy_tour, tallies],
    seed=seed,
)
