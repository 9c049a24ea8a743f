"""Notices seen by people: what each wishes, why somebody did or did not get one, and their administration.

Deciding and sending are `server.notify`'s; here is what is asked and shown.
"""

from server.auth import Role
from server.feature import Feature, Rate, allow, having, staff
from server.features.notices import administration, preferences
from server.features.notices.protocol import PreferencesChanged

feature = Feature(
    "notices",
    commands=[
        *allow(
            staff,
            preferences.show_preferences,
            preferences.show_why,
            rate=Rate(burst=30, per_second=3),
        ),
        *allow(staff, preferences.set_preferences, rate=Rate(burst=10, per_second=0.5)),
        *allow(
            having(Role.SYSTEM_ADMIN),
            administration.show_sender,
            administration.show_ledger,
            rate=Rate(burst=20, per_second=2),
        ),
        *allow(
            having(Role.SYSTEM_ADMIN),
            administration.resend_notice,
            rate=Rate(burst=50, per_second=5),
        ),
        *allow(
            having(Role.SYSTEM_ADMIN),
            administration.examine_wecom,
            rate=Rate(burst=5, per_second=0.1),
        ),
    ],
    events=[PreferencesChanged],
)
