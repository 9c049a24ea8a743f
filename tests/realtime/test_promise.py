"""An answer that comes later without a task."""

import gc
import weakref

import msgspec

from realtime.application import Promise

ANSWER = msgspec.Raw(b'{"ok":true}')


def heard_once(answers: list[msgspec.Raw]) -> "weakref.ref[object]":
    """Give a promise twice to somebody who knows it, as the gateway does."""
    promise = Promise()

    def heard(answer: msgspec.Raw) -> None:
        assert promise is not None
        answers.append(answer)

    promise.heard = heard
    promise.give(ANSWER)
    promise.give(msgspec.Raw(b"another"))
    return weakref.ref(heard)


def test_a_promise_is_heard_once_and_leaves_nothing_to_the_garbage_collector() -> None:
    answers: list[msgspec.Raw] = []
    gc.disable()
    try:
        left = heard_once(answers)()
    finally:
        gc.enable()

    assert answers == [ANSWER]
    assert left is None


async def test_a_promise_may_be_awaited_before_and_after_it_is_given() -> None:
    promise = Promise()
    promise.give(ANSWER)

    assert await promise == ANSWER == await promise
