"""When what was late was told: never sooner than it was, and in bounded memory."""

from realtime.lateness import MOST, Lateness


def test_only_what_was_late_and_began_by_then_counts() -> None:
    lateness = Lateness(allowed_ms=1_000)
    lateness.note(10_000, 10_900)
    lateness.note(20_000, 25_000)
    lateness.note(0, 99_000)
    assert [lateness.told_by(at) for at in (10_000, 19_999, 20_000, 90_000)] == [
        0,
        0,
        25_000,
        25_000,
    ]


def test_what_is_forgotten_counts_for_every_moment() -> None:
    lateness = Lateness(allowed_ms=1_000)
    for second in range(MOST + 10):
        lateness.note(second * 1_000, second * 1_000 + 5_000)
    assert lateness.told_by(0) == 9 * 1_000 + 5_000
    assert lateness.told_by(50_000) == 55_000
    assert len(lateness._told) == MOST
