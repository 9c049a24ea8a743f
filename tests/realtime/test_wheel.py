"""When sockets are asked for a sign of life, and when it is looked whether they gave one."""

import asyncio
import tracemalloc

from realtime.gateway.wheel import NOWHERE, Wheel

INTERVAL_S, TIMEOUT_S = 2_000.0, 500.0
SLOT_S = TIMEOUT_S / 10


class Device:
    """Notes when it is asked and when it is found silent; answers unless it is told not to."""

    def __init__(self, wheel: Wheel, *, answers: bool = True) -> None:
        self.slot = NOWHERE
        self.wheel = wheel
        self.answers = answers
        self.asked: list[float] = []
        self.silent: list[float] = []
        self.asked_in: int | None = None
        self.now = 0.0

    def ask(self) -> None:
        if self.asked_in is None:
            self.asked.append(self.now)
            self.asked_in = None if self.answers else self.wheel.turned

    def look(self) -> None:
        if self.asked_in is not None and self.wheel.is_over(self.asked_in):
            self.silent.append(self.now)
            self.wheel.remove(self)


class Ring:
    """A wheel that is turned by hand, far ahead of its own timer."""

    def __init__(self, interval_s: float = INTERVAL_S, timeout_s: float = TIMEOUT_S) -> None:
        self.wheel = Wheel(interval_s, timeout_s)
        self.began = asyncio.get_running_loop().time()
        self.passed = 0.0
        self.devices: list[Device] = []

    def join(self, *, answers: bool = True) -> Device:
        device = Device(self.wheel, answers=answers)
        self.devices.append(device)
        self.wheel.add(device)
        return device

    def run(self, seconds: float, step: float = SLOT_S / 4) -> None:
        for _ in range(round(seconds / step)):
            self.passed += step
            for device in self.devices:
                device.now = self.passed
            self.wheel.turn_to(self.began + self.passed)


async def test_everybody_is_asked_once_in_an_interval_and_never_late() -> None:
    ring = Ring()
    first = ring.join()
    ring.run(INTERVAL_S * 0.7)
    second = ring.join()
    ring.run(INTERVAL_S * 2.4)

    for device, joined in ((first, 0.0), (second, INTERVAL_S * 0.7)):
        due = [joined + INTERVAL_S * n for n in (1, 2, 3)][: len(device.asked)]
        assert len(due) >= 2
        assert all(0 <= d - at <= 1.5 * SLOT_S for d, at in zip(due, device.asked, strict=True))
    assert first.silent == second.silent == []


async def test_who_does_not_answer_is_found_after_one_time_out() -> None:
    ring = Ring()
    silent = ring.join(answers=False)
    ring.run(INTERVAL_S * 2)

    assert len(silent.asked) == len(silent.silent) == 1
    assert 0 <= TIMEOUT_S - (silent.silent[0] - silent.asked[0]) <= SLOT_S
    assert silent.slot == NOWHERE


async def test_who_is_asked_beside_the_order_has_the_whole_time_out() -> None:
    ring = Ring()
    silent = ring.join(answers=False)
    ring.run(INTERVAL_S * 0.4)
    ring.wheel.asked(silent)
    silent.ask()
    ring.run(INTERVAL_S)

    assert 0 <= silent.silent[0] - silent.asked[0] - TIMEOUT_S <= 2 * SLOT_S


async def test_a_time_out_may_be_longer_than_the_interval() -> None:
    ring = Ring(timeout_s=INTERVAL_S * 2.5)
    silent = ring.join(answers=False)
    ring.run(INTERVAL_S * 5)

    assert len(silent.asked) == 1
    assert 0 <= INTERVAL_S * 2.5 - (silent.silent[0] - silent.asked[0]) <= INTERVAL_S / 25


async def test_a_time_out_that_is_short_beside_the_interval_is_kept_to_within_a_tenth() -> None:
    timeout_s = INTERVAL_S / 100
    ring = Ring(timeout_s=timeout_s)
    silent = ring.join(answers=False)
    ring.run(INTERVAL_S * 1.1, step=timeout_s / 40)

    assert 0 <= timeout_s - (silent.silent[0] - silent.asked[0]) <= timeout_s / 10


async def test_an_hour_between_pings_and_a_short_time_out_take_no_memory() -> None:
    tracemalloc.start()
    wheel = Wheel(3_600.0, 0.05)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert wheel.turned == 0
    assert size < 1_000_000


async def test_time_in_which_the_process_was_held_up_counts_for_no_one() -> None:
    ring = Ring()
    device = ring.join(answers=False)
    ring.run(INTERVAL_S + SLOT_S)
    assert device.asked

    ring.run(TIMEOUT_S * 3, step=TIMEOUT_S * 3)

    assert device.silent == []
    ring.run(TIMEOUT_S)
    assert device.silent


async def test_a_short_delay_is_made_up_for() -> None:
    ring = Ring()
    device = ring.join()
    ring.run(INTERVAL_S * 2, step=TIMEOUT_S / 4)

    assert len(device.asked) == 2


async def test_one_who_raises_does_not_keep_the_others_from_being_asked() -> None:
    class Broken(Device):
        def ask(self) -> None:
            raise ValueError("broken")

    ring = Ring()
    broken = Broken(ring.wheel)
    ring.wheel.add(broken)
    others = [ring.join() for _ in range(5)]
    ring.run(INTERVAL_S + SLOT_S)

    assert [len(device.asked) for device in others] == [1] * 5


async def test_one_may_end_another_meanwhile() -> None:
    class Ending(Device):
        def ask(self) -> None:
            for device in ring.devices:
                ring.wheel.remove(device)

    ring = Ring()
    ring.wheel.add(Ending(ring.wheel))
    others = [ring.join() for _ in range(5)]
    ring.run(INTERVAL_S * 2)

    assert all(len(device.asked) <= 1 for device in others)
    assert {device.slot for device in others} == {NOWHERE}


async def test_it_turns_by_itself() -> None:
    wheel = Wheel(0.01, 0.01)
    asked = asyncio.Event()

    class Waited(Device):
        def ask(self) -> None:
            self.wheel.remove(self)
            asked.set()

    wheel.add(Waited(wheel))
    async with asyncio.timeout(10):
        await asked.wait()
