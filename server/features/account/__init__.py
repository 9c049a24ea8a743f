"""The account: signing in and out, the devices one is signed in on, and how the app looks."""

from server.feature import Feature, Rate, allow, staff
from server.features.account.commands import (
    change_password,
    change_settings,
    list_sessions,
    revoke_session,
    show_me,
    sign_out,
)
from server.features.account.documents import Preferences
from server.features.account.protocol import SettingsChanged
from server.features.account.routes import add_routes

feature = Feature(
    "account",
    commands=[
        *allow(staff, show_me, change_settings, list_sessions, revoke_session, sign_out),
        *allow(staff, change_password, rate=Rate(burst=5, per_second=0.1)),
    ],
    events=[SettingsChanged],
    documents=[Preferences],
    routes=add_routes,
)
