"""What a node that missed something reads again is what the others were told."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from realtime.channel import conversation_channel, person_channel
from realtime.errors import Closing
from realtime.publisher import Publication, Publisher
from server.auth import Role
from server.dispatch import Dispatcher
from server.features import chat, forum
from server.history import StoredHistory
from server.stream import Streams
from tests.features.forum.talk import post, save_board, watch
from tests.features.office import NAMES, Office, open_office


class Recording:
    """A publisher that remembers what it was given, and hands it on."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.told: dict[str, list[Publication]] = {}
        self.commits: list[Sequence[Publication]] = []

    def publish(self, publications: Sequence[Publication]) -> None:
        self.commits.append(publications)
        for publication in publications:
            if publication.position is not None:
                self.told.setdefault(publication.channel, []).append(publication)
        self._publisher.publish(publications)

    def disconnect(
        self, person_id: str, reason: Closing, *, session_ids: frozenset[str] | None = None
    ) -> None:
        self._publisher.disconnect(person_id, reason, session_ids=session_ids)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path, [chat.feature, forum.feature]) as office:
        yield office


@pytest.fixture
def recording(office: Office) -> Recording:
    recording = Recording(office.hub)
    office.dispatcher = Dispatcher(
        office.features, office.store, recording, office.clock, office.services
    )
    return recording


@pytest.fixture
def history(office: Office) -> StoredHistory:
    return StoredHistory(office.store, office.streams)


async def missed(history: StoredHistory, channel: str, after: int = 0) -> Sequence[Publication]:
    return (await history.missed({channel: after}, 200))[channel]


async def group_of_three(office: Office) -> str:
    """A group that ann makes with bob, into which cai comes, and that bob and cai leave; its channel."""
    made = await office.ask("ann", "chat.create_group", {"title": "夜班", "member_ids": ["bob"]})
    id: str = made["conversation_id"]

    async def ask(person_id: str, name: str, /, **fields: Any) -> None:
        await office.ask(person_id, name, {"conversation_id": id, **fields})

    content = {"kind": "text", "text": "今晚谁在？"}
    await ask("ann", "chat.add_members", member_ids=["cai"])
    await ask("bob", "chat.send", client_id="1", content=content)
    await ask("cai", "chat.mark_read", seq=1)
    await ask("ann", "chat.remove_member", person_id="bob")
    await ask("ann", "chat.send", client_id="2", content=content)
    await ask("cai", "chat.leave")
    return conversation_channel(id)


async def test_every_event_of_a_conversation_is_read_as_it_was_told(
    office: Office, recording: Recording, history: StoredHistory
) -> None:
    channel = await group_of_three(office)
    told = recording.told[channel]
    assert await missed(history, channel) == told
    assert await missed(history, channel, 3) == told[3:]
    assert [(p.joins, p.leaves) for p in told if p.joins or p.leaves] == [
        (("ann", "bob"), ()),
        (("cai",), ()),
        ((), ("bob",)),
        ((), ("cai",)),
    ]
    assert await history.ends([channel, "conversation:none"]) == {channel: len(told)}


async def test_an_event_that_only_newer_nodes_know_is_handed_on_as_it_is(
    office: Office, recording: Recording
) -> None:
    channel = await group_of_three(office)
    older = StoredHistory(office.store, Streams([forum.feature]))
    read = await missed(older, channel)
    assert [(p.name, p.position, p.joins, p.leaves) for p in read] == [
        (p.name, p.position, p.joins, p.leaves) for p in recording.told[channel]
    ]


async def test_of_a_person_s_channel_the_newest_values_are_read(
    office: Office, recording: Recording, history: StoredHistory
) -> None:
    await group_of_three(office)
    for person_id in NAMES:
        told = recording.told.get(person_channel(person_id), [])
        newest = {publication.key: publication for publication in told}
        assert {p.key: p for p in await missed(history, person_channel(person_id))} == newest


async def test_whoever_comes_or_goes_is_told_so_on_the_own_channel_in_the_same_commit(
    office: Office, recording: Recording
) -> None:
    await group_of_three(office)
    for publications in recording.commits:
        channels = {publication.channel for publication in publications}
        for publication in publications:
            people = (*publication.joins, *publication.leaves)
            assert {person_channel(person_id) for person_id in people} <= channels


async def test_a_board_that_sends_its_watchers_away_does_so_when_read_again(
    office: Office, recording: Recording, history: StoredHistory
) -> None:
    eve, ann = await office.client("eve"), await office.client("ann")
    office.roles["eve"] = frozenset({Role.STAFF, Role.SYSTEM_ADMIN})
    board_id = await save_board(eve)
    await watch(ann, board_id)
    await post(ann, board_id)
    await save_board(eve, board_id=board_id, title="产房")
    channel = f"forum:{board_id}"
    assert await missed(history, channel) == recording.told[channel]
    assert recording.told[channel][-1].dismisses


async def test_where_a_person_hears_from_is_read_with_the_channels(
    office: Office, recording: Recording, history: StoredHistory
) -> None:
    channel = await group_of_three(office)
    conversation_id = channel.removeprefix("conversation:")
    fields = {"conversation_id": conversation_id, "member_ids": ["dan"]}
    await office.ask("ann", "chat.add_members", fields)
    assert (await history.channels_of("dan"))[channel] == recording.told[channel][-1].position
    assert channel not in await history.channels_of("bob")
