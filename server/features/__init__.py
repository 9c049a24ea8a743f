"""The features of this server. A new one is a folder here and one entry in this list."""

from server.feature import Feature
from server.features import (
    account,
    chat,
    contacts,
    dashboard,
    deputies,
    documents,
    forum,
    host,
    mail,
    notices,
    todos,
    turnaround,
    wecom,
)

FEATURES: tuple[Feature, ...] = (
    account.feature,
    host.feature,
    chat.feature,
    contacts.feature,
    todos.feature,
    documents.feature,
    deputies.feature,
    mail.feature,
    forum.feature,
    dashboard.feature,
    turnaround.feature,
    notices.feature,
    wecom.feature,
)
