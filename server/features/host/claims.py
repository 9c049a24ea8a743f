"""Proving whose a WeCom id is: by a code on the phone the directory knows, or by the account's password.

WeCom's word is needed first; a claim begins with it and belongs to the browser that came. A code has six
digits, ten minutes and five tries, is stored as a digest that nobody can try out, and is counted before
it is compared. How often codes are sent, and how often anybody guesses, is limited per person and per
address. Whether an account exists shows in no answer.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from server.auth import Credential
from server.auth.actor import Actor
from server.auth.failures import SignInLimits
from server.auth.passwords import Passwords
from server.auth.tokens import digest, new_token
from server.clock import Clock, Millis
from server.directory import Directory, Person
from server.errors import (
    ConflictRefused,
    Forbidden,
    Invalid,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from server.features.host.documents import Claim, bound_as
from server.features.host.words import CODE
from server.integrations.sms import Sms, SmsError
from server.storage import Conflict, Duplicate, Store, refusing
from server.work import SystemWork, UnitOfWork

CLAIM_MS: Final = 30 * 60_000
CODE_MS: Final = 10 * 60_000
AGAIN_MS: Final = 60_000
TRIES: Final = 5
SEPARATOR: Final = "~"
"""Stands in no WeCom id and in no token."""

R = TypeVar("R")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claims:
    """`failures` counts wrong codes and passwords together with those of the account form, `sent` the codes
    that went out."""

    store: Store
    system: SystemWork
    clock: Clock
    directory: Directory
    passwords: Passwords
    failures: SignInLimits
    sent: SignInLimits
    sms: Sms

    async def begin(
        self, work: UnitOfWork, wecom_user_id: str, target: str, *, has_shown: bool = False
    ) -> str:
        """Somebody came whom WeCom vouches for; the token that only his browser has."""
        token = new_token()
        work.overwrite(
            Claim(
                id=bound_as(wecom_user_id),
                wecom_user_id=wecom_user_id,
                token_hash=digest(token),
                target=target,
                expires_at=Millis(work.now + CLAIM_MS),
                has_shown=has_shown,
            )
        )
        # The id is part of what the browser holds, so that a claim is found without an index.
        return f"{wecom_user_id}{SEPARATOR}{token}"

    async def read(self, held: str) -> Claim:
        """The claim of a browser. Raises Unauthenticated."""
        return await self._claim(UnitOfWork(self.store, Actor(""), self.clock.now()), held)

    async def send_code(self, held: str, account: str, address: str) -> None:
        """Bring a code to the phone of an account, if it has one. Raises Refused."""
        if not self.sms.is_there:
            raise Unavailable("no codes are sent here; use the password")
        account = account.strip().casefold()
        self.sent.check(account, address)
        person = self.directory.by_account(account)
        code = f"{secrets.randbelow(1_000_000):06d}"

        async def note(work: UnitOfWork) -> None:
            claim = await self._claim(work, held)
            wait_ms = claim.code_sent_at + AGAIN_MS - work.now
            if claim.code_sent_at and wait_ms > 0:
                raise RateLimited("a code was sent a moment ago", retry_after_ms=wait_ms)
            work.put(
                msgspec.structs.replace(
                    claim,
                    person_id=person.id if person else "",
                    code_hash=_code_hash(held, code),
                    code_sent_at=work.now,
                    code_expires_at=Millis(work.now + CODE_MS),
                    tries=0,
                )
            )
            if person is not None:
                work.record("host.send_code", person.id, wecom_user_id=claim.wecom_user_id)

        await self._do(note, Actor("", roles=frozenset(), address=address))
        self.sent.failed(account, address)
        if person is not None and person.mobile:
            await self._send(person, code)

    async def _send(self, person: Person, code: str) -> None:
        try:
            await self.sms.send(person.mobile, CODE.format(code=code, minutes=CODE_MS // 60_000))
        except SmsError as failed:
            log.warning("a code was not sent: %s", failed)
            raise Unavailable("the code could not be sent; use the password") from None

    async def prove(
        self, held: str, account: str, *, code: str, password: str, address: str
    ) -> Person:
        """Who somebody has proved to be. Raises Refused."""
        account = account.strip().casefold()
        if bool(code) == bool(password):
            raise Invalid("give a code or a password")
        claim = await self.read(held)
        self.failures.check(account, address)
        person = self.directory.by_account(account)
        if code:
            is_right = await self._is_code(held, claim, person, code, address)
        else:
            is_right = await self._is_password(person, password, account, address)
        if not is_right or person is None:
            self.failures.failed(account, address)
            await self._refused(claim, person, address)
            raise Forbidden("account, code or password is wrong")
        self.failures.succeeded(account)
        return person

    async def _is_code(
        self, held: str, claim: Claim, person: Person | None, code: str, address: str
    ) -> bool:
        """Counted first, so that guesses side by side are no more than one after another."""

        async def count(work: UnitOfWork) -> Claim:
            claim = await self._claim(work, held)
            if not claim.code_hash or claim.code_expires_at <= work.now or claim.tries >= TRIES:
                raise Invalid("this code is not good any more; ask for another")
            work.put(msgspec.structs.replace(claim, tries=claim.tries + 1))
            return claim

        claim = await self._do(count, Actor("", roles=frozenset(), address=address))
        is_same = hmac.compare_digest(claim.code_hash, _code_hash(held, code.strip()))
        return is_same and person is not None and claim.person_id == person.id

    async def _is_password(
        self, person: Person | None, password: str, account: str, address: str
    ) -> bool:
        work = UnitOfWork(self.store, Actor(""), self.clock.now())
        with refusing():
            credential = await work.get(Credential, person.id if person else "nobody")
        return await self.passwords.verify(
            credential.password_hash if credential else None,
            password,
            still_allowed=lambda: self.failures.check(account, address),
        )

    async def _claim(self, work: UnitOfWork, held: str) -> Claim:
        wecom_user_id, _, token = held.rpartition(SEPARATOR)
        with refusing():
            claim = await work.get(Claim, bound_as(wecom_user_id)[:64]) if wecom_user_id else None
        if (
            claim is None
            or claim.expires_at <= work.now
            or not hmac.compare_digest(claim.token_hash, digest(token))
        ):
            raise Unauthenticated("begin again with WeCom")
        return claim

    async def _refused(self, claim: Claim, person: Person | None, address: str) -> None:
        async def record(work: UnitOfWork) -> None:
            work.record_refusal(
                "host.prove", person.id if person else "", wecom_user_id=claim.wecom_user_id
            )

        await self._do(record, Actor("", roles=frozenset(), address=address))

    async def _do(self, change: Callable[[UnitOfWork], Awaitable[R]], actor: Actor) -> R:
        try:
            with refusing():
                return await self.system.do(change, actor)
        except (Conflict, Duplicate):
            raise ConflictRefused("somebody does the same at this moment; try again") from None


def _code_hash(held: str, code: str) -> str:
    return hashlib.sha256(f"{held} {code}".encode("utf-8", "replace")).hexdigest()
