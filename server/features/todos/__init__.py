"""To-dos: documents of the OA that wait for one person, and finding the person."""

from server.feature import Feature, Rate, allow, staff
from server.features.todos import commands, listing
from server.features.todos.approving import approving
from server.features.todos.documents import SeenList, Todo
from server.features.todos.duty import TodoDuty
from server.features.todos.keeping import keeping
from server.features.todos.protocol import TodosCounted
from server.features.todos.webhook import add_routes, check_webhook
from server.notify.reminders import TodoUrged, Urge, UrgedToday

feature = Feature(
    "todos",
    commands=allow(
        staff,
        listing.list_todos,
        commands.count_todos,
        commands.open_todo,
        rate=Rate(burst=30, per_second=3),
    ),
    events=[TodosCounted, TodoUrged],
    documents=[SeenList, Todo, Urge, UrgedToday],
    duties=[TodoDuty],
    parts=[approving, keeping],
    checks={"oa_webhook": check_webhook},
    routes=add_routes,
)
