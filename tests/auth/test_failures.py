"""Limits of failed sign-ins."""

import pytest

from server.auth.failures import SignInLimits
from server.errors import RateLimited
from tests.clocks import ManualClock


def refused(limits: SignInLimits, account: str, address: str) -> int | None:
    try:
        limits.check(account, address)
    except RateLimited as refusal:
        return refusal.retry_after_ms
    return None


def test_an_account_closes_whatever_the_address() -> None:
    limits = SignInLimits(ManualClock(), per_account=2)
    limits.failed("ann", "10.0.0.1")
    limits.failed("ann", "10.0.0.2")

    assert refused(limits, "ann", "10.0.0.3") == 900_000
    assert refused(limits, "bob", "10.0.0.1") is None


def test_an_address_closes_whatever_the_account() -> None:
    limits = SignInLimits(ManualClock(), per_address=3)
    for account in "abc":
        limits.failed(account, "10.0.0.1")

    assert refused(limits, "d", "10.0.0.1") == 900_000
    assert refused(limits, "a", "10.0.0.2") is None


def test_an_address_of_the_newer_kind_is_the_network_its_holder_chooses_from() -> None:
    limits = SignInLimits(ManualClock(), per_address=3)
    for number in range(3):
        limits.failed(f"account {number}", f"2001:db8:1:2::{number:x}")

    assert refused(limits, "d", "2001:db8:1:2:ffff::9") == 900_000
    assert refused(limits, "d", "2001:db8:1:3::1") is None
    assert refused(limits, "d", "::ffff:10.0.0.1") is None


def test_a_failure_that_was_none_is_taken_back_and_the_others_stay() -> None:
    limits = SignInLimits(ManualClock(), per_account=2)
    limits.failed("ann", "10.0.0.1")
    limits.failed("ann", "10.0.0.1")
    limits.taken_back("ann", "10.0.0.1")

    assert refused(limits, "ann", "10.0.0.1") is None
    limits.failed("ann", "10.0.0.1")
    assert refused(limits, "ann", "10.0.0.1") == 900_000


def test_the_window_slides() -> None:
    clock = ManualClock()
    limits = SignInLimits(clock, per_account=2)
    limits.failed("ann", "x")
    clock.advance(600)
    limits.failed("ann", "x")

    assert refused(limits, "ann", "x") == 300_000
    clock.advance(300)
    assert refused(limits, "ann", "x") is None
    limits.failed("ann", "x")
    assert refused(limits, "ann", "x") == 600_000


def test_of_several_nodes_each_allows_its_part() -> None:
    nodes = 1
    limits = SignInLimits(ManualClock(), per_account=10, nodes=lambda: nodes)
    for _ in range(5):
        limits.failed("ann", "x")
    assert refused(limits, "ann", "x") is None
    nodes = 2
    assert refused(limits, "ann", "x") == 900_000
    nodes = 100
    limits.failed("bob", "y")
    assert refused(limits, "bob", "y") is None, "one mistake is always forgiven"


def test_success_forgives_the_account_and_not_the_address() -> None:
    limits = SignInLimits(ManualClock(), per_account=2, per_address=3)
    limits.failed("ann", "x")
    limits.succeeded("ann")
    limits.failed("ann", "x")
    limits.succeeded("ann")
    limits.failed("ann", "x")

    assert refused(limits, "ann", "elsewhere") is None
    assert refused(limits, "bob", "x") is not None


def test_memory_is_bounded_and_what_is_over_is_forgotten() -> None:
    clock = ManualClock()
    limits = SignInLimits(clock, most_keys=100)
    for number in range(1_000):
        limits.failed(f"account-{number}", f"10.0.{number // 256}.{number % 256}")

    assert len(limits) == 100
    clock.advance(901)
    limits.check("account-999", "10.0.3.231")
    assert len(limits) == 98


@pytest.mark.parametrize("times", [1, 9])
def test_below_the_limit_nothing_happens(times: int) -> None:
    limits = SignInLimits(ManualClock())
    for _ in range(times):
        limits.failed("ann", "x")

    assert refused(limits, "ann", "x") is None
