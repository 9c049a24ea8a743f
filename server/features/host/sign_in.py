"""Signing in by WeCom: from the code a browser brings to a session, or to a claim that has to be proved.

Whatever WeCom hands on is exchanged by us, never believed. What goes wrong ends on a page in words
(`NotSignedIn`); nothing here sends anybody back to WeCom by itself.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from server.auth import Session
from server.auth.actor import Actor
from server.auth.failures import SignInLimits
from server.auth.passwords import Passwords
from server.auth.sessions import Sessions
from server.auth.states import States
from server.clock import Clock
from server.directory import Directory, Person, card_of
from server.directory.access import begin_session
from server.errors import ConflictRefused, Refused
from server.features.host import words
from server.features.host.bindings import Bindings, Gone
from server.features.host.claims import Claims
from server.features.host.documents import Claim, How, bound_as
from server.features.host.protocol import Arrived, Prove
from server.features.host.showing import person_shown
from server.features.host.words import Words
from server.integrations.sms import Sms
from server.integrations.wecom import (
    SPENT,
    Host,
    Misconfigured,
    RefusedByWeCom,
    Visitor,
    WeComError,
)
from server.nodes import Leader
from server.outbox import Phone, phone_id
from server.settings import Settings
from server.storage import Conflict, Duplicate, Store, refusing
from server.work import SystemWork, UnitOfWork

CODES_AN_HOUR: Final = 5
CODES_AN_ADDRESS: Final = 100
SPENT_TOGETHER: Final = 2_000
"""Codes worth nothing in 15 minutes, of all addresses together; 100 of one."""
BACK: Final = "/api/v1/auth/wecom/callback"

R = TypeVar("R")

log = logging.getLogger(__name__)


class NotSignedIn(Exception):
    """Why not, in words for the person."""

    def __init__(self, words: Words, target: str = "/") -> None:
        super().__init__(words.en)
        self.words, self.target = words, target


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody is signed in now; the token is given this once."""

    token: str
    session: Session
    target: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """WeCom vouches for somebody we do not know; `held` is for his browser only."""

    held: str


@dataclass(frozen=True, slots=True)
class WeComSignIn:
    """What the routes do. `back` is where WeCom sends browsers; `spent` counts codes that were worth nothing,
    by address: each costs a question to WeCom, which takes so many of all of us."""

    host: Host
    states: States
    system: SystemWork
    clock: Clock
    directory: Directory
    sessions: Sessions
    bindings: Bindings
    claims: Claims
    spent: SignInLimits
    back: str

    async def leave_for(self, browser: str, target: str, *, picture: bool, asks: bool) -> str:
        """The address to send a browser to. Raises NotSignedIn."""
        if not self.host.is_there:
            raise NotSignedIn(words.NOT_OFFERED, target)
        try:
            state = await self.states.begin(browser, target)
        except Refused:
            raise NotSignedIn(words.BUSY, target) from None
        if picture:
            return self.host.picture(self.back, state)
        return self.host.door(self.back, state, asks=asks)

    async def arrive(
        self, browser: str, state: str, code: str, *, address: str, device: str
    ) -> Began | Claimed:
        """A browser comes back. Raises NotSignedIn; `words.USED` when it was here with this before."""
        if not self.host.is_there:
            raise NotSignedIn(words.NOT_OFFERED)
        try:
            taken = await self.states.take(state, browser)
        except Refused:
            raise NotSignedIn(words.BUSY) from None
        if taken is None:
            raise NotSignedIn(words.STALE)
        if taken.again:
            raise NotSignedIn(words.USED, taken.target)
        if not code:
            raise NotSignedIn(words.NO_CODE, taken.target)
        visitor = await self._visitor(code, taken.target, address)
        try:
            came = await self._enter(visitor, taken.target, address, device)
            if isinstance(came, Claimed) and visitor.ticket:
                return await self._known_by_what_is_shown(visitor, came, address, device)
            return came
        except Gone:
            raise NotSignedIn(words.GONE, taken.target) from None
        except Refused:
            raise NotSignedIn(words.BUSY, taken.target) from None

    async def prove(
        self, held: str, form: Prove, address: str, device: str
    ) -> tuple[Began, Arrived]:
        """Somebody with a claim says who he is. Raises Refused."""
        person = await self.claims.prove(
            held, form.account, code=form.code, password=form.password, address=address
        )
        claim = await self.claims.read(held)
        how: How = "code" if form.code else "password"
        began = await self._bind(claim, person, how, address, device)
        card = card_of(person, self.directory, online=True)
        return began, Arrived(person=card, target=claim.target)

    async def _bind(
        self, claim: Claim, person: Person, how: How, address: str, device: str
    ) -> Began:
        """The claim is proved: its id is this person's, who is signed in. Raises Refused."""
        token, session = self._session(person, device, address)

        async def bind(work: UnitOfWork) -> None:
            if (kept := await work.get(Claim, claim.id)) is not None:
                work.delete(kept)
            await self.bindings.bind(work, claim.wecom_user_id, person, how)
            await self._begin(work, session, claim.wecom_user_id)

        await self._do(bind, _actor(person, session))
        return Began(token, session, claim.target)

    async def _known_by_what_is_shown(
        self, visitor: Visitor, claimed: Claimed, address: str, device: str
    ) -> Began | Claimed:
        """Whoever is not known by it proves the claim in another way."""
        try:
            shown = await self.host.shown(visitor.ticket)
        except WeComError as failed:
            log.warning("WeCom did not show what a member agreed to show: %s", failed)
            return claimed
        person = person_shown(self.directory.active(), shown)
        if person is None or bound_as(shown.user_id) != bound_as(visitor.user_id):
            return claimed
        claim = await self.claims.read(claimed.held)
        try:
            return await self._bind(claim, person, "shown", address, device)
        except ConflictRefused:
            return claimed

    async def _visitor(self, code: str, target: str, address: str) -> Visitor:
        """Asked once: whatever became of the question, the code is not shown again."""
        try:
            visitor = await self._asked(code, address)
        except Refused:
            raise NotSignedIn(words.BUSY, target) from None
        except RefusedByWeCom as refused:
            spent = refused.code in SPENT
            if not spent:
                log.warning("WeCom refused a sign-in: %s", refused)
            raise NotSignedIn(words.USED if spent else words.NO_CODE, target) from None
        except Misconfigured as wrong:
            log.error("signing in by WeCom does not work: %s", wrong)
            raise NotSignedIn(words.MISCONFIGURED, target) from None
        except WeComError as failed:
            log.warning("WeCom could not say who somebody is: %s", failed)
            raise NotSignedIn(words.AWAY, target) from None
        if not visitor.user_id:
            raise NotSignedIn(words.OUTSIDER, target)
        return visitor

    async def _asked(self, code: str, address: str) -> Visitor:
        """Counted as spent while WeCom is asked: codes side by side are no more than one after another.
        Raises RateLimited, WeComError."""
        self.spent.check("", address)
        self.spent.failed("", address)
        was_spent = False
        try:
            return await self.host.visitor(code)
        except RefusedByWeCom as refused:
            was_spent = refused.code in SPENT
            raise
        finally:
            if not was_spent:
                self.spent.taken_back("", address)

    async def _enter(
        self, visitor: Visitor, target: str, address: str, device: str
    ) -> Began | Claimed:
        user_id, has_shown = visitor.user_id, bool(visitor.ticket)

        async def enter(work: UnitOfWork) -> Began | Claimed:
            person = await self.bindings.person_of(work, user_id)
            if person is None:
                held = await self.claims.begin(work, user_id, target, has_shown=has_shown)
                return Claimed(held)
            token, session = self._session(person, device, address)
            work.actor = _actor(person, session)
            await self._begin(work, session, user_id)
            return Began(token, session, target)

        return await self._do(enter, Actor("", roles=frozenset(), address=address))

    def _session(self, person: Person, device: str, address: str) -> tuple[str, Session]:
        return self.sessions.begin(person.id, device, address, by_wecom=True)

    async def _begin(self, work: UnitOfWork, session: Session, wecom_user_id: str) -> None:
        await begin_session(work, self.sessions, session)
        # Whoever comes through the app has it, also where the callback that said so was lost.
        phone = await work.get(Phone, phone_id(wecom_user_id))
        if phone is not None and phone.left_at is not None:
            work.put(msgspec.structs.replace(phone, left_at=None))
        work.record(
            "host.sign_in", session.person_id, device=session.device, wecom_user_id=wecom_user_id
        )

    async def _do(self, change: Callable[[UnitOfWork], Awaitable[R]], actor: Actor) -> R:
        try:
            with refusing():
                return await self.system.do(change, actor)
        except (Conflict, Duplicate):
            raise ConflictRefused("this account is being changed at the same time") from None


def _actor(person: Person, session: Session) -> Actor:
    return Actor(person.id, session.id, frozenset(person.roles), session.address)


@asynccontextmanager
async def signing_in(
    host: Host,
    states: States,
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    sessions: Sessions,
    passwords: Passwords,
    failures: SignInLimits,
    leader: Leader,
    sms: Sms,
    settings: Settings,
) -> AsyncIterator[WeComSignIn]:
    """The part that is wired from the server's services."""
    sent = SignInLimits(
        clock,
        per_account=CODES_AN_HOUR,
        per_address=CODES_AN_ADDRESS,
        window_s=3_600,
        nodes=lambda: leader.nodes,
        sentence="too many codes were asked for; wait, or use the password",
    )
    spent = SignInLimits(clock, per_account=SPENT_TOGETHER, nodes=lambda: leader.nodes)
    yield WeComSignIn(
        host,
        states,
        system,
        clock,
        directory,
        sessions,
        Bindings(directory, settings.wecom_binding),
        Claims(store, system, clock, directory, passwords, failures, sent, sms),
        spent,
        settings.url + BACK,
    )
