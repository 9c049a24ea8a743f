"""WeCom talking to us: typed words, the menu, buttons of cards, people who come and go."""

from server.feature import Feature
from server.features.wecom.documents import Heard, Reply
from server.features.wecom.duty import ReplyDuty
from server.features.wecom.keeping import keeping
from server.features.wecom.routes import add_routes

feature = Feature(
    "wecom",
    documents=[Heard, Reply],
    duties=[ReplyDuty],
    parts=[keeping],
    routes=add_routes,
)
