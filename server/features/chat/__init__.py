"""Chat: conversations of two and of groups, numbered messages, read marks with names and times."""

from collections.abc import Mapping

from realtime.channel import conversation_channel
from server.feature import Feature, Handler, Rate, allow, staff
from server.features.chat import conversations, membership, messages, reading
from server.features.chat.documents import Conversation, Member, ReadMark, RecalledMessage, Seat
from server.features.chat.duty import ChatDuty
from server.features.chat.mirror import commands as mirror
from server.features.chat.mirror.documents import Mirror, Roll
from server.features.chat.mirror.mirrors import mirroring, mirrors_check
from server.features.chat.mirror.protocol import Mirrored
from server.features.chat.protocol import (
    Configured,
    Joined,
    Left,
    MembersChanged,
    MessageRecalled,
    MessageSent,
    MessagesRead,
    Typed,
)
from server.storage import Store


async def channels_of(store: Store, person_id: str) -> Mapping[str, int]:
    """The conversations a person is in, each from the change that brought the person in."""
    seats = await store.find_as(
        Seat,
        Member.collection.name,
        "person",
        (person_id,),
        limit=messages.CONVERSATIONS_LIMIT,
    )
    return {conversation_channel(seat.conversation_id): seat.joined_position for seat in seats}


feature = Feature(
    "chat",
    commands=[
        Handler(
            messages.send_message,
            staff,
            Rate(burst=60, per_second=20),
            at_once=messages.send_at_once,
        ),
        *allow(
            staff,
            conversations.open_conversation,
            membership.add_members,
            membership.remove_member,
            membership.leave,
            membership.transfer_owner,
            membership.rename,
            messages.recall,
            rate=Rate(burst=30, per_second=2),
        ),
        *allow(staff, conversations.create_group, rate=Rate(burst=60, per_second=0.5)),
        *allow(
            staff,
            conversations.show_conversation,
            conversations.configure,
            reading.mark_read,
        ),
        # A page of 200 long texts is 3 MB to read: nobody turns many of them in a second.
        *allow(staff, messages.history, rate=Rate(burst=60, per_second=5)),
        # These read much at once.
        *allow(
            staff,
            conversations.list_conversations,
            reading.list_readers,
            reading.list_deliveries,
            rate=Rate(burst=30, per_second=3),
        ),
        *allow(staff, mirror.show_mirror),
        *allow(staff, mirror.set_mirror, mirror.retry_mirror, rate=Rate(burst=10, per_second=0.2)),
        *allow(staff, messages.typing, rate=Rate(burst=5, per_second=1)),
        *allow(staff, messages.search_messages, rate=Rate(burst=20, per_second=3)),
    ],
    events=[
        MessageSent,
        MessagesRead,
        MessageRecalled,
        MembersChanged,
        Typed,
        Joined,
        Left,
        Configured,
        Mirrored,
    ],
    documents=[Conversation, Member, ReadMark, RecalledMessage, Mirror, Roll],
    channels_of=channels_of,
    duties=[ChatDuty],
    parts=[mirroring],
    checks={"wecom_groups": mirrors_check},
)
