"""Signing in with a password, the ticket for a socket, and signing out: what is no command.

Whether an account exists shows neither in the answer nor in the time it takes. Every attempt leaves an
audit row; what was typed leaves none, because people type passwords into the account field.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from realtime.publisher import Publisher
from server.auth import Actor, Credential
from server.auth.failures import SignInLimits
from server.auth.passwords import Passwords
from server.auth.sessions import Sessions
from server.auth.tickets import LIFETIME_S, Tickets
from server.clock import Clock
from server.directory import Directory, Person, card_of
from server.directory.access import begin_session
from server.dispatch import ATTEMPTS
from server.errors import ConflictRefused, Unauthenticated
from server.features.account.commands import sign_out
from server.features.account.protocol import SignedIn, SignInForm, SignOut, TicketIssued
from server.storage import Conflict, Duplicate, Store, refusing
from server.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the routes do."""

    store: Store
    publisher: Publisher
    clock: Clock
    directory: Directory
    passwords: Passwords
    failures: SignInLimits
    sessions: Sessions
    tickets: Tickets

    async def sign_in(self, form: SignInForm, address: str, device: str) -> SignedIn:
        """Raises Unauthenticated, RateLimited, Busy, Unavailable."""
        account = form.account.strip().casefold()
        person = self.directory.by_account(account)
        self.failures.check(account, address)
        credential = await self._credential(person)
        hashed = credential.password_hash if credential else None
        if not await self.passwords.verify(
            hashed, form.password, still_allowed=lambda: self.failures.check(account, address)
        ):
            self.failures.failed(account, address)
            await self._refused(person, address)
            raise Unauthenticated("account or password is wrong")
        assert person is not None, "nobody without a person has a password"
        self.failures.succeeded(account)
        fresh_hash = await self._fresh_hash(hashed or "", form.password)
        token, session = self.sessions.begin(person.id, device, address)

        async def begin(work: UnitOfWork) -> None:
            await begin_session(work, self.sessions, session)
            if fresh_hash:
                work.patch(Credential, person.id, password_hash=fresh_hash)
            work.record("account.sign_in", person.id, device=device)

        await self._do(Actor(person.id, session.id, frozenset(person.roles), address), begin)
        card = card_of(person, self.directory, online=True)
        return SignedIn(token=token, expires_at=session.expires_at, person=card)

    async def issue_ticket(self, actor: Actor) -> TicketIssued:
        """Raises Busy."""
        ticket = await self.tickets.issue(actor.session_id)
        return TicketIssued(ticket=ticket, expires_in=LIFETIME_S)

    async def sign_out(self, actor: Actor) -> None:
        """End the session of a request."""

        async def end(work: UnitOfWork) -> None:
            await sign_out(SignOut(), work, self.sessions)

        await self._do(actor, end)

    async def _credential(self, person: Person | None) -> Credential | None:
        # An unknown account is looked for too: the store's time must not tell them apart.
        work = UnitOfWork(self.store, Actor(""), self.clock.now())
        with refusing():
            return await work.get(Credential, person.id if person else "nobody")

    async def _fresh_hash(self, hashed: str, password: str) -> str | None:
        if not self.passwords.is_outdated(hashed):
            return None
        return await self.passwords.hash(password)

    async def _refused(self, person: Person | None, address: str) -> None:
        async def record(work: UnitOfWork) -> None:
            work.record_refusal("account.sign_in", person.id if person else "")

        await self._do(Actor("", roles=frozenset(), address=address), record)

    async def _do(self, actor: Actor, act: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        for _ in range(ATTEMPTS):
            work = UnitOfWork(self.store, actor, self.clock.now())
            try:
                with refusing():
                    await act(work)
                    await work.commit(self.publisher)
            except (Conflict, Duplicate):
                continue
            return
        raise ConflictRefused("this account is being changed at the same time; try again")
