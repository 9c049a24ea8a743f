"""What `GroupChats` promises, against WeCom's interface (on the stand-in) and against the one in memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from server.integrations.wecom import (
    GroupChats,
    Misconfigured,
    Paused,
    RefusedByWeCom,
    Retry,
    WeComError,
)
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.group_client import NoGroups, WeComGroups
from server.integrations.wecom.groups import (
    GROUP_GONE,
    GROUP_SIZE,
    SCOPE,
    create_request,
    text_request,
    update_request,
)
from server.integrations.wecom.memory_groups import MemoryGroups
from tests.clocks import ManualClock
from tests.sandbox.running import PEOPLE, running_sandbox

GROUP = "nightshift1"


class Kept(Protocol):
    """An adapter, and how to see and break what stands behind it."""

    groups: GroupChats

    async def texts(self) -> list[str]: ...

    async def break_with(self, error: type[WeComError]) -> None: ...

    async def mend(self) -> None: ...


class KeptInMemory:
    def __init__(self) -> None:
        out = [person.person_id for person in PEOPLE if not person.in_scope]
        self.memory = MemoryGroups([person.person_id for person in PEOPLE], out)
        self.groups: GroupChats = self.memory

    async def texts(self) -> list[str]:
        return self.memory.texts.get(GROUP, [])

    async def break_with(self, error: type[WeComError]) -> None:
        made: dict[type[WeComError], WeComError] = {
            Retry: Retry("busy", -1),
            Paused: Paused("too often", 60, 45009),
            Misconfigured: Misconfigured("address", 60020),
        }
        self.memory.failures.append(made[error])

    async def mend(self) -> None:
        self.memory.failures.clear()


@pytest.fixture(params=["client", "memory"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    if request.param == "memory":
        yield KeptInMemory()
        return
    clock = ManualClock()
    async with running_sandbox(tmp_path, clock) as sandbox:

        class KeptByClient:
            groups: GroupChats = WeComGroups(
                WeComClient(sandbox.config(), sandbox.http, clock), clock
            )

            async def texts(self) -> list[str]:
                url = f"{sandbox.base}/wecom/appchat/{GROUP}"
                async with sandbox.http.get(url) as answer:
                    return [said["content"] for said in (await answer.json()).get("messages", [])]

            async def break_with(self, error: type[WeComError]) -> None:
                modes: dict[type[WeComError], str] = {
                    Retry: "busy",
                    Paused: "rate_limited",
                    Misconfigured: "untrusted_ip",
                }
                await sandbox.fault(modes[error])

            async def mend(self) -> None:
                await sandbox.fault("off")

        yield KeptByClient()


async def make(kept: Kept, *users: str) -> None:
    users = users or ("s0001", "s0002")
    await kept.groups.call("create", create_request(GROUP, "夜班", users[0], users))


async def refused(kept: Kept, kind: str, request: bytes) -> int:
    with pytest.raises(RefusedByWeCom) as error:
        await kept.groups.call(kind, request)  # type: ignore[arg-type]
    return error.value.code


async def test_a_group_is_there_as_it_was_made(kept: Kept) -> None:
    assert kept.groups.is_there
    assert await kept.groups.look(GROUP) is None

    await make(kept, "s0001", "S0003")

    found = await kept.groups.look(GROUP)
    assert found is not None
    assert (found.name, found.owner.lower()) == ("夜班", "s0001")
    assert found.holds(["s0001", "s0003"])


async def test_making_a_group_twice_makes_one(kept: Kept) -> None:
    await make(kept)

    assert await refused(kept, "create", create_request(GROUP, "又", "s0001", ["s0001", "s0002"]))
    found = await kept.groups.look(GROUP)
    assert found is not None
    assert found.name == "夜班"


async def test_members_name_and_owner_change_and_what_is_not_named_stays(kept: Kept) -> None:
    await make(kept)
    await kept.groups.call("update", update_request(GROUP, adding=["S0003"]))
    await kept.groups.call("update", update_request(GROUP, name="白班"))
    change = update_request(GROUP, owner="s0002", removing=["s0001"])
    await kept.groups.call("update", change)
    await kept.groups.call("update", change)

    found = await kept.groups.look(GROUP)
    assert found is not None
    assert (found.name, found.owner.lower()) == ("白班", "s0002")
    assert found.holds(["s0002", "s0003"])


async def test_a_message_shows_as_often_as_it_is_sent_and_in_that_order(kept: Kept) -> None:
    await make(kept)
    for text in ("一", "二", "二"):
        await kept.groups.call("send", text_request(GROUP, text))

    assert await kept.texts() == ["一", "二", "二"]


async def test_an_owner_goes_only_when_another_is_named(kept: Kept) -> None:
    await make(kept, "s0001", "s0002", "S0003")

    await refused(kept, "update", update_request(GROUP, removing=["s0001"]))
    await refused(kept, "update", update_request(GROUP, owner="s0004"))

    found = await kept.groups.look(GROUP)
    assert found is not None
    assert found.holds(["s0001", "s0002", "s0003"])


async def test_a_group_nobody_has_made_is_gone(kept: Kept) -> None:
    for kind, request in (
        ("update", update_request(GROUP, name="x")),
        ("send", text_request(GROUP, "x")),
    ):
        assert await refused(kept, kind, request) in GROUP_GONE


async def test_fewer_than_two_are_no_group(kept: Kept) -> None:
    alone = create_request(GROUP, "夜班", "s0001", ["s0001"])
    assert await refused(kept, "create", alone) in GROUP_SIZE

    await make(kept)
    last = update_request(GROUP, removing=["s0002"])
    assert await refused(kept, "update", last) in GROUP_SIZE


async def test_whom_wecom_will_not_have_is_refused_and_found_by_asking(kept: Kept) -> None:
    with_hidden = create_request(GROUP, "夜班", "s0001", ["s0001", "s0005"])
    assert await refused(kept, "create", with_hidden) == SCOPE
    await refused(kept, "create", create_request(GROUP, "夜班", "s0001", ["s0001", "nobody"]))

    assert await kept.groups.look(GROUP) is None
    names = ("s0001", "S0003", "s0003", "s0005", "nobody")
    may = {name: await kept.groups.may_join(name) for name in names}
    assert may == {"s0001": True, "S0003": True, "s0003": True, "s0005": False, "nobody": False}


@pytest.mark.parametrize("error", [Retry, Paused, Misconfigured])
async def test_what_goes_wrong_is_one_of_the_ports_errors_and_leaves_nothing(
    kept: Kept, error: type[WeComError]
) -> None:
    await kept.break_with(error)
    with pytest.raises(error):
        await make(kept)
    await kept.mend()

    await make(kept)
    assert await kept.groups.look(GROUP) is not None


async def test_without_a_wecom_nothing_is_told_to_anybody() -> None:
    groups = NoGroups()

    assert not groups.is_there
    with pytest.raises(Misconfigured):
        await groups.call("send", text_request(GROUP, "x"))
