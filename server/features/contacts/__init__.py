"""Contacts: the hospital's departments and people, and finding somebody by what one remembers."""

from server.feature import Feature, Rate, allow, staff
from server.features.contacts.commands import (
    name_people,
    search_people,
    show_card,
    show_department,
    show_tree,
)

feature = Feature(
    "contacts",
    commands=[
        *allow(staff, show_tree, show_department, search_people, name_people),
        # Enough for looking people up, too slow for copying a hospital's numbers.
        *allow(staff, show_card, rate=Rate(burst=60, per_second=1)),
    ],
)
