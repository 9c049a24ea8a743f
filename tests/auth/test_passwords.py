"""Password hashes: what matches, what it costs, and what happens when everybody comes at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.auth.passwords import HASHER, NOBODYS, Passwords
from server.errors import Busy, RateLimited

HASH = HASHER.hash("secret")


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    opened = Passwords(threads=1, most_waiting=2)
    yield opened
    opened.close()


async def test_only_the_right_password_matches(passwords: Passwords) -> None:
    assert await passwords.verify(HASH, "secret")
    assert not await passwords.verify(HASH, "Secret")
    assert not await passwords.verify("no hash at all", "secret")
    assert not await passwords.verify(None, "secret")
    assert not await passwords.verify(HASH, "\ud800")


async def test_a_new_hash_has_todays_parameters(passwords: Passwords) -> None:
    made = await passwords.hash("secret")

    assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.is_outdated(made)


def test_nobodys_hash_costs_as_much_as_anybodys() -> None:
    assert not HASHER.check_needs_rehash(NOBODYS)


async def test_who_would_wait_too_long_is_told_to_come_back(passwords: Passwords) -> None:
    outcomes = await asyncio.gather(
        *(passwords.verify(HASH, "secret") for _ in range(6)), return_exceptions=True
    )

    assert [outcome is True for outcome in outcomes] == [True] * 3 + [False] * 3
    assert all(isinstance(outcome, Busy) for outcome in outcomes[3:])
    assert await passwords.verify(HASH, "secret")


async def test_those_who_wait_are_asked_again_whether_they_may(passwords: Passwords) -> None:
    failures = 0

    def check() -> None:
        if failures:
            raise RateLimited("no")

    async def attempt() -> bool:
        nonlocal failures
        matches = await passwords.verify(HASH, "wrong", still_allowed=check)
        failures += 1
        return matches

    outcomes = await asyncio.gather(*(attempt() for _ in range(3)), return_exceptions=True)

    assert outcomes[0] is False
    assert all(isinstance(outcome, RateLimited) for outcome in outcomes[1:])


async def test_those_who_leave_free_their_place_only_when_the_thread_is_free(
    passwords: Passwords,
) -> None:
    for _ in range(10):
        attempts = [asyncio.create_task(passwords.verify(HASH, "secret")) for _ in range(3)]
        await asyncio.sleep(0)
        for attempt in attempts:
            attempt.cancel()
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert all(isinstance(o, asyncio.CancelledError | Busy) for o in outcomes)

    # One thread computes at most one abandoned hash at a time; the next turn comes after it.
    while True:
        try:
            assert await passwords.verify(HASH, "secret")
            break
        except Busy:
            await asyncio.sleep(0)
