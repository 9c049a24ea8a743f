"""WeCom as the house the app lives in: signing in by it, whose a WeCom id is, and the use of the phone."""

from server.auth import Role
from server.feature import Feature, Rate, allow, having, staff
from server.features.host.administration import list_bindings, list_claims, show_sync
from server.features.host.commands import show_binding, sign_page, unbind
from server.features.host.documents import Binding, Claim
from server.features.host.routes import add_routes
from server.features.host.sign_in import signing_in

feature = Feature(
    "host",
    commands=[
        *allow(staff, sign_page, rate=Rate(burst=30, per_second=1)),
        *allow(
            having(Role.SYSTEM_ADMIN),
            show_binding,
            unbind,
            list_bindings,
            list_claims,
            show_sync,
            rate=Rate(burst=30, per_second=3),
        ),
    ],
    documents=[Binding, Claim],
    parts=[signing_in],
    routes=add_routes,
)
