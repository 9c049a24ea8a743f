"""Who hears what, and in which order."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from realtime.errors import Busy, Closing
from realtime.limits import ConnectionLimits
from realtime.testing import ConnectRefused
from tests.realtime.ward import Ward, eventually, running_ward


@pytest.fixture
async def ward() -> AsyncIterator[Ward]:
    async with running_ward() as ward:
        yield ward


async def test_an_event_reaches_every_connection_of_every_member_in_order(ward: Ward) -> None:
    ward.application.channels = {"li": ["conversation:1"], "wu": ["conversation:1"], "xu": []}
    clients = [await ward.connect(ticket) for ticket in ("li", "li", "wu")]
    outsider = await ward.connect("xu")
    for position in range(1, 101):
        ward.tell("conversation:1", position, text="早上好")
    for client in clients:
        await client.wait_for("chat.sent", lambda event: event["position"] == 100)
        assert [event["position"] for event in client.named("chat.sent")] == list(range(1, 101))
        assert client.events[0][1] == {
            "text": "早上好", "channel": "conversation:1", "position": 1
        }  # fmt: skip
    assert outsider.events == []


async def test_everybody_hears_their_own_channel(ward: Ward) -> None:
    client = await ward.connect("li")
    ward.tell("person:li", 1, "todos.counted", pending=3)
    assert (await client.wait_for("todos.counted"))["pending"] == 3


async def test_who_joins_hears_the_event_that_brings_them(ward: Ward) -> None:
    client = await ward.connect("li")
    ward.tell("conversation:1", 1, "chat.members_changed", joins=("li",))
    ward.tell("conversation:1", 2)
    await client.wait_for("chat.sent")
    assert [name for name, _ in client.events] == ["chat.members_changed", "chat.sent"]


async def test_who_leaves_hears_the_event_that_says_so_and_nothing_after(ward: Ward) -> None:
    ward.application.channels = {"li": ["conversation:1"]}
    client = await ward.connect("li")
    ward.tell("conversation:1", 1, "chat.members_changed", leaves=("li",))
    ward.tell("conversation:1", 2)
    ward.tell("person:li", 1, "end")
    await client.wait_for("end")
    assert [name for name, _ in client.events] == ["chat.members_changed", "end"]


async def test_what_is_told_while_the_snapshot_is_read_wins_over_it(ward: Ward) -> None:
    application = ward.application
    application.channels = {"li": ["conversation:old", "conversation:kept"]}

    async def meanwhile(_: str) -> None:
        ward.tell("conversation:old", 1, "chat.members_changed", leaves=("li",))
        ward.tell("conversation:new", 1, "chat.members_changed", joins=("li",))

    application.reading = meanwhile
    client = await ward.connect("li")
    for channel in ("conversation:old", "conversation:new", "conversation:kept"):
        ward.tell(channel, 2)
    await client.wait_for("chat.sent", lambda event: event["channel"] == "conversation:kept")
    heard = [event["channel"] for event in client.named("chat.sent")]
    assert heard == ["conversation:new", "conversation:kept"]


async def test_the_channels_of_a_person_are_read_once_for_twenty_connections(ward: Ward) -> None:
    readings = []

    async def count(person_id: str) -> None:
        readings.append(person_id)
        await asyncio.sleep(0)

    ward.application.channels = {"li": ["conversation:1"]}
    ward.application.reading = count
    clients = await asyncio.gather(*(ward.connect("li") for _ in range(20)))
    ward.tell("conversation:1", 1)
    for client in clients:
        await client.wait_for("chat.sent")
        assert len(client.events) == 1
    assert readings == ["li"]


async def test_a_person_is_gone_when_the_last_connection_ends(ward: Ward) -> None:
    gone: list[str] = []
    ward.hub.on_gone = gone.append
    first, second = await ward.connect("li"), await ward.connect("li")
    await first.close()
    await eventually(lambda: len(ward.hub.connections_of("li")) == 1)
    assert gone == []
    await second.close()
    await eventually(lambda: gone == ["li"])
    assert not ward.hub.is_online("li")
    ward.application.channels = {"li": ["conversation:later"]}
    again = await ward.connect("li")
    ward.tell("conversation:later", 1)
    await again.wait_for("chat.sent")


async def test_a_watcher_hears_a_channel_until_it_stops_watching(ward: Ward) -> None:
    client, other = await ward.connect("li"), await ward.connect("li")
    (connection,) = (c for c in ward.hub.connections_of("li") if c.id == client.sid)
    ward.hub.watch(connection, "forum:news")
    ward.tell("forum:news", 1, "forum.posted")
    ward.hub.unwatch(connection, "forum:news")
    ward.tell("forum:news", 2, "forum.posted")
    ward.tell("person:li", 1, "end")
    await client.wait_for("end")
    await other.wait_for("end")
    assert [event["position"] for event in client.named("forum.posted")] == [1]
    assert other.named("forum.posted") == []


async def test_visible_is_told_for_the_first_page_on_screen_and_the_last(ward: Ward) -> None:
    told: list[tuple[str, bool]] = []
    ward.hub.on_visible = lambda person_id, visible: told.append((person_id, visible))
    await ward.connect("li")
    await ward.connect("li")
    first, second = ward.hub.connections_of("li")
    ward.hub.set_visible(first, True)
    ward.hub.set_visible(second, True)
    ward.hub.set_visible(first, False)
    assert told == [("li", True)]
    second.close(Closing.GOING_AWAY)
    assert told == [("li", True), ("li", False)]


async def test_a_person_whose_channels_cannot_be_read_is_refused_and_may_try_again(
    ward: Ward,
) -> None:
    async def fail(_: str) -> None:
        raise OSError("storage is away")

    ward.application.reading = fail
    with pytest.raises(ConnectRefused) as refused:
        await ward.connect("li")
    assert refused.value.code == "unavailable"
    ward.application.reading = None
    await ward.connect("li")
    assert ward.hub.is_online("li")


async def test_watchers_who_are_dismissed_hear_the_event_that_says_so_and_nothing_after(
    ward: Ward,
) -> None:
    ward.application.channels = {"wu": ["forum:1"]}
    watcher, member = await ward.connect("li"), await ward.connect("wu")
    ward.hub.watch(ward.hub.connections_of("li")[0], "forum:1")
    ward.tell("forum:1", 1, "forum.board_changed", dismisses=True)
    ward.tell("forum:1", 2, "forum.posted")
    ward.tell("person:li", 1, "end")
    await watcher.wait_for("end")
    assert [name for name, _ in watcher.events] == ["forum.board_changed", "end"]
    await member.wait_for("forum.posted")


async def test_a_connection_watches_so_many_channels_and_no_more() -> None:
    async with running_ward(limits=ConnectionLimits(watched_channels=2)) as ward:
        await ward.connect("li")
        (connection,) = ward.hub.connections_of("li")
        for channel in ("forum:1", "forum:2"):
            ward.hub.watch(connection, channel)
        with pytest.raises(Busy):
            ward.hub.watch(connection, "forum:3")
        ward.hub.unwatch(connection, "forum:1")
        ward.hub.watch(connection, "forum:3")


async def test_who_cannot_be_admitted_for_a_fault_of_ours_is_told_to_come_back(ward: Ward) -> None:
    with pytest.raises(ConnectRefused) as refused:
        await ward.connect(7)  # type: ignore[arg-type]
    assert refused.value.code == "unavailable"
    assert not ward.hub.online_people()
