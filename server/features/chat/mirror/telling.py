"""One call of one group: planned and stored, made, written down.

    read on -> call stored -> WeCom -> outcome stored with what WeCom was told

Planning and writing down are units of work, so that they never cross a change of the switch. A crash
before the call is stored has told nothing; after it the same bytes go again, but never a text that was
recalled or is wished no more: that one counts as told, and its recall is told in its turn. Once WeCom has
said that it took nothing, the call is planned anew.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from msgspec.structs import replace

from realtime.channel import conversation_channel
from server.clock import Clock, Millis
from server.directory import Directory
from server.features.chat.messages import to_message
from server.features.chat.mirror import wording
from server.features.chat.mirror.documents import Call, Mirror, Roll
from server.features.chat.mirror.following import Line, follow
from server.features.chat.mirror.offering import offered
from server.features.chat.mirror.outcomes import Setback, Told, settled, told
from server.features.chat.mirror.protocol import Mirrored, Trouble
from server.features.chat.mirror.quota import Quota
from server.features.chat.mirror.wanted import Wanted, next_call, wanted
from server.ids import new_id
from server.integrations.wecom import GroupChats, text_request
from server.settings import Settings
from server.work import SystemWork, UnitOfWork
from server.work.entry import Entry

READ_AT_ONCE: Final = 200
TOO_OLD_MS: Final = 24 * 3_600_000
"""Messages that could not be told for so long are counted, not told."""
LEFT_OUT_MS: Final = 24 * 3_600_000
"""How long somebody WeCom would not take is left out before it is tried again."""


@dataclass(frozen=True, slots=True)
class Next:
    """What a group needs now: a call that is stored and may be made; or to be looked at again at once,
    after a while, or (all empty) once something happens."""

    call: Call | None = None
    chat_id: str = ""
    users: tuple[str, ...] = ()
    failures: int = 0
    more: bool = False
    wait_s: float = 0.0


class Telling:
    """Plans calls and writes down what came of them."""

    def __init__(
        self,
        system: SystemWork,
        clock: Clock,
        directory: Directory,
        settings: Settings,
        groups: GroupChats,
        quota: Quota,
    ) -> None:
        self._system = system
        self._clock = clock
        self._directory = directory
        self._settings = settings
        self._groups = groups
        self._quota = quota

    async def plan(self, id: str) -> Next:
        """Read on and store the next call of a group, if it needs one."""
        planned = await self._system.do(lambda work: self._plan(work, id))
        if planned.call is not None:
            self._quota.take(planned.call.kind, planned.users)
        return planned

    async def _plan(self, work: UnitOfWork, id: str) -> Next:
        kept = await Kept.read(work, id)
        if kept is None or not kept.mirror.is_on or kept.mirror.due_at > work.now:
            return Next()
        mirror, roll = kept.mirror, kept.roll
        if mirror.call is not None:
            if await self._may_repeat(work, mirror, mirror.call):
                return self._next(mirror, roll, mirror.call)
            mirror = _dropped(mirror, mirror.call)
        if roll.left_out and work.now - roll.left_out_at > LEFT_OUT_MS:
            roll = replace(roll, left_out=())
        return await self._read_on(work, kept, mirror, roll)

    def _next(self, mirror: Mirror, roll: Roll, call: Call | None) -> Next:
        """A call, if the throttle lets it through now."""
        wait_s = self._quota.wait_s(call.kind, roll.users) if call is not None else 0.0
        return Next(
            call=None if wait_s else call,
            chat_id=mirror.chat_id,
            users=roll.users,
            failures=mirror.failures,
            wait_s=wait_s,
        )

    async def _may_repeat(self, work: UnitOfWork, mirror: Mirror, call: Call) -> bool:
        offer = offered(mirror.title, self._settings, self._groups)
        if offer == "nothing" or not call.upto:
            return offer != "nothing"
        if offer != "messages" or not mirror.with_messages:
            return False
        if not call.seq:
            return True
        if call.seq <= mirror.from_seq:
            return False
        entry = await work.log.by_number(conversation_channel(mirror.id), call.seq)
        return entry is not None and to_message(entry).recalled_at is None

    async def _read_on(self, work: UnitOfWork, kept: "Kept", mirror: Mirror, roll: Roll) -> Next:
        channel = conversation_channel(mirror.id)
        tails = await work.log.tails({channel: mirror.position}, READ_AT_ONCE)
        followed = follow(
            mirror,
            roll.people,
            tails[channel],
            may_tell=lambda at, people: self._may_tell(at, people, roll),
            oldest=Millis(work.now - TOO_OLD_MS),
        )
        roll = replace(roll, people=followed.people)
        wish = wanted(followed.mirror, roll.people, roll, self._directory.wecom_user_of)
        call, trouble = self._next_call(followed.mirror, roll, wish, followed.line, work.now)
        is_behind = call is None and len(tails[channel]) == READ_AT_ONCE
        after = replace(followed.mirror, left_out=wish.without_account)
        # Where nothing is left to tell nothing stands in the way.
        is_over = after.trouble in STANDING or (call is None and not is_behind)
        if trouble != after.trouble and (trouble or is_over):
            after = replace(after, trouble=trouble, code=0, trouble_at=work.now)
        planned = self._next(after, roll, call)
        kept.put(work, replace(after, call=planned.call), roll)
        return Next(more=True) if is_behind else planned

    def _may_tell(self, mirror: Mirror, people: tuple[str, ...], roll: Roll) -> bool:
        """Whether messages go out, and there is a group to hear them."""
        if not mirror.with_messages:
            return False
        if offered(mirror.title, self._settings, self._groups) != "messages":
            return False
        return wanted(mirror, people, roll, self._directory.wecom_user_of).is_enough

    def _next_call(
        self, mirror: Mirror, roll: Roll, wish: Wanted, line: Line | None, now: Millis
    ) -> tuple[Call | None, Trouble]:
        """The call to make, or what stands in its way for now."""
        id = new_id(now)
        if offered(mirror.title, self._settings, self._groups) == "nothing":
            return None, self._why_nothing(mirror)
        if not wish.is_enough:
            return None, "too_few"
        change = next_call(mirror, roll, wish, id)
        if change is not None:
            return change, ""
        url = f"{self._settings.url}/c/{mirror.id}"
        if not mirror.is_greeted:
            carried = mirror.with_messages
            text = wording.greeting(mirror.title, with_messages=carried, url=url)
            return self._send(mirror, id, text), ""
        if line is None:
            return None, ""
        if mirror.passed_over:
            return self._send(mirror, id, wording.passed_over(mirror.passed_over, url)), ""
        if line.message is None:
            return self._send(mirror, id, wording.recalled(self._name(line.by)), line), ""
        name = self._name(line.message.sender_id)
        return self._send(mirror, id, wording.said(name, line.message, url), line), ""

    def _why_nothing(self, mirror: Mirror) -> Trouble:
        is_offered = offered("", self._settings, self._groups) != "nothing"
        return "kept_out" if is_offered else "withdrawn"

    def _send(self, mirror: Mirror, id: str, text: str, line: Line | None = None) -> Call:
        request = text_request(mirror.chat_id, text).decode()
        message = line.message if line is not None else None
        return Call(
            id=id,
            kind="send",
            request=request,
            upto=line.upto if line is not None else 0,
            seq=message.seq if message is not None else 0,
        )

    def _name(self, person_id: str) -> str:
        person = self._directory.person(person_id)
        return person.name if person is not None else person_id

    async def took(self, id: str, call: Call) -> None:
        """WeCom has taken the call."""
        await self._system.do(lambda work: self._write(work, id, call, told))

    async def turned(self, id: str, call: Call, setback: Setback) -> None:
        """It has not, or nobody knows."""
        await self._system.do(
            lambda work: self._write(work, id, call, partial(settled, setback=setback))
        )

    async def held(self, id: str, setback: Setback) -> None:
        """Every call has to wait because of another group's: say so on this one, which is behind."""
        await self._system.do(lambda work: self._hold(work, id, setback))

    async def _hold(self, work: UnitOfWork, id: str, setback: Setback) -> None:
        kept = await Kept.read(work, id)
        if kept is None or kept.mirror.trouble or not kept.mirror.is_on:
            return
        hindered = replace(
            kept.mirror, trouble=setback.trouble, code=setback.code, trouble_at=work.now
        )
        kept.put(work, hindered, kept.roll)

    async def _write(self, work: UnitOfWork, id: str, call: Call, change: Told) -> None:
        kept = await Kept.read(work, id)
        if kept is None or kept.mirror.call is None or kept.mirror.call.id != call.id:
            return
        kept.put(work, *change(kept.mirror, kept.roll, call, work.now))


STANDING: Final = frozenset({"withdrawn", "kept_out", "too_few"})
"""Troubles that end by themselves once their reason is gone; others end with a call that succeeds."""


def _dropped(mirror: Mirror, call: Call) -> Mirror:
    """Without a call that must not be repeated; what it held counts as told."""
    return replace(mirror, call=None, position=max(mirror.position, call.upto))


@dataclass(frozen=True, slots=True)
class Kept:
    """A mirror and its roll as this unit of work has read them."""

    mirror: Mirror
    roll: Roll

    @classmethod
    async def read(cls, work: UnitOfWork, id: str) -> "Kept | None":
        mirror = await work.get(Mirror, id)
        if mirror is None:
            return None
        return cls(mirror, await work.get(Roll, id) or Roll(id=id))

    def put(self, work: UnitOfWork, mirror: Mirror, roll: Roll) -> None:
        """Store what has changed, and tell the group when what its members see has."""
        if mirror != self.mirror:
            work.put(mirror)
        if roll != self.roll:
            work.put(roll)
        if mirror.shown() != self.mirror.shown():
            tell(work, mirror)


def tell(work: UnitOfWork, mirror: Mirror) -> Entry:
    """Log how a group is shown in WeCom now."""
    event = Mirrored(
        conversation_id=mirror.id, mirror=mirror.shown(), by=work.actor.person_id, at=work.now
    )
    return work.append(conversation_channel(mirror.id), event)
