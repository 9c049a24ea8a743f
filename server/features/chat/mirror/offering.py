"""What the hospital allows to be shown in WeCom."""

from server.features.chat.mirror.protocol import Offer
from server.integrations.wecom import GroupChats
from server.settings import Settings


def is_kept_out(title: str, settings: Settings) -> bool:
    """Whether a word in a group's name keeps it out of WeCom."""
    name = title.casefold()
    return any(word in name for word in settings.wecom_group_words)


def offered(title: str, settings: Settings, groups: GroupChats) -> Offer:
    """What the owner of a group of this name may wish."""
    if not groups.is_there or is_kept_out(title, settings):
        return "nothing"
    match settings.wecom_groups:
        case "owner_chooses":
            return "members"
        case "messages":
            return "messages"
        case _:
            return "nothing"
