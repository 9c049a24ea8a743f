"""Live figures: what the HIS tells of the day, on screen within seconds, and sums over days."""

from server.clock import Clock
from server.feature import Feature, Rate, allow, staff
from server.features.dashboard.commands import show_range, show_scopes
from server.features.dashboard.documents import DaySums, Fact, Heard, TakenEvent, Told
from server.features.dashboard.protocol import DashboardUpdated
from server.features.dashboard.rights import FAMILY, check_watching
from server.features.dashboard.routes import add_routes
from server.features.dashboard.seeding import seed
from server.features.dashboard.ticker import Ticker, ticking
from server.http.health import Check
from server.settings import Settings


async def check_his(ticker: Ticker, settings: Settings, clock: Clock) -> Check:
    """Whether the HIS was heard within two periods."""
    if not settings.his_keys:
        return Check(False, "not configured")
    silent = ticker.source(clock.now()).stale
    return Check(not silent, "not heard for two periods" if silent else "")


feature = Feature(
    "dashboard",
    commands=[
        *allow(staff, show_scopes),
        # The longest range is a second of reading.
        *allow(staff, show_range, rate=Rate(burst=20, per_second=1)),
    ],
    events=[DashboardUpdated],
    documents=[TakenEvent, Fact, DaySums, Heard, Told],
    watching={FAMILY: check_watching},
    parts=[ticking],
    checks={"his": check_his},
    routes=add_routes,
    seed=seed,
)
