"""Two hubs over one line, as two nodes are."""

from realtime.backplane.memory import MemoryLine
from realtime.errors import Closing
from tests.realtime.ward import running_ward


async def test_what_one_node_is_told_the_others_people_hear_in_order() -> None:
    line = MemoryLine()
    async with (
        running_ward(backplane=line.plug()) as first,
        running_ward(backplane=line.plug()) as second,
    ):
        for ward in (first, second):
            ward.application.channels = {"li": ["conversation:1"], "wu": ["conversation:1"]}
        li, wu = await first.connect("li"), await second.connect("wu")
        for position in range(1, 51):
            first.tell("conversation:1", position)
        first.tell("conversation:1", 51, "chat.members_changed", leaves=("wu",))
        first.tell("conversation:1", 52)
        first.tell("person:wu", 1, "end")
        await wu.wait_for("end")
        await li.wait_for("chat.sent", lambda event: event["position"] == 52)
        assert [event["position"] for _, event in wu.events] == [*range(1, 52), 1]
        assert len(li.named("chat.sent")) == 51


async def test_a_disconnect_reaches_the_persons_sockets_on_every_node() -> None:
    line = MemoryLine()
    async with (
        running_ward(backplane=line.plug()) as first,
        running_ward(backplane=line.plug()) as second,
    ):
        desk = await first.connect("li/desk")
        phone = await second.connect("li/phone")
        first.hub.disconnect("li", Closing.REVOKED, session_ids=frozenset({"phone"}))
        await phone.ended()
        assert phone.named("closing") == [{"reason": "revoked", "reconnect": False}]
        assert desk.is_open
