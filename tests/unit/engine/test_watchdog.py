"""Hanging or slow: what is told from what is said, computed and asked, by a clock of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voxtui.engine.config import Timing
from voxtui.engine.watchdog import Activity, Watchdog

TIMING = Timing(stall=30, stall_busy=300, stall_loading=120)


def still() -> Activity:
    return (0, 7, 1)


def unknown() -> Activity:
    return None


class Busy:
    """Something that computes, or waits for the disk."""

    def __init__(self) -> None:
        self._ticks = 0

    def __call__(self) -> Activity:
        self._ticks += 1
        return (self._ticks, 0, 0)


def killed_after(
    activity: Callable[[], Activity], *, owes: bool = True, loading: bool = False
) -> int | None:
    """Seconds until it is taken for hanging, within half an hour."""
    dog = Watchdog(TIMING)
    dog.heard(1000)
    for second in range(1800):
        if dog.hangs(1000 + second, activity, owes=owes, loading=loading):
            return second
    return None


def test_one_that_stands_still_hangs() -> None:
    assert killed_after(still) in range(30, 40)


def test_one_that_owes_nothing_may_stand_still() -> None:
    assert killed_after(still, owes=False) is None


@pytest.mark.parametrize("activity", [Busy(), unknown])
def test_one_that_computes_without_a_word_gets_longer(activity: Callable[[], Activity]) -> None:
    assert killed_after(activity) in range(300, 310)


def test_loading_may_take_for_ever_but_not_stand_still() -> None:
    assert killed_after(Busy(), loading=True) is None
    assert killed_after(unknown, loading=True) is None
    assert killed_after(still, loading=True) in range(120, 140)


def test_any_word_of_it_counts() -> None:
    dog = Watchdog(TIMING)
    for second in range(1800):
        if second % 29 == 0:
            dog.heard(second)
        assert not dog.hangs(second, still, owes=True, loading=False)


def test_whoever_was_stopped_themselves_begins_to_wait_anew() -> None:
    """Ctrl+Z for an hour, and what was said meanwhile is not read yet: that is no hanging."""
    dog = Watchdog(TIMING)
    dog.heard(0)
    assert not dog.hangs(1, still, owes=True, loading=False)
    assert not dog.hangs(3600, still, owes=True, loading=False)
    assert not dog.hangs(3602, still, owes=True, loading=False)
