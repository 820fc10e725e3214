"""The talk gesture, step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtui.ui.gestures import (
    DEBOUNCE_S,
    LONGEST_HOLD_S,
    LONGEST_QUIET_S,
    REPEAT_GAP_S,
    TAP_S,
    Hint,
    Rung,
    TalkGesture,
)


@pytest.fixture
def gesture() -> TalkGesture:
    return TalkGesture()


def tick(gesture: TalkGesture) -> None:
    assert gesture.wake_at is not None
    gesture.tick(gesture.wake_at)


def test_hold(gesture: TalkGesture) -> None:
    gesture.press(10)
    assert gesture.listening
    assert gesture.held
    gesture.release(12)
    assert gesture.listening, "a release is believed only after a moment"
    tick(gesture)
    assert not gesture.listening


def test_short_tap_latches_until_the_next_press(gesture: TalkGesture) -> None:
    gesture.press(10)
    gesture.release(10 + TAP_S / 2)
    tick(gesture)
    assert gesture.listening
    assert not gesture.held
    gesture.press(20)
    assert not gesture.listening
    gesture.release(20.1)
    assert not gesture.listening
    assert gesture.wake_at is None


def test_up_and_down_in_pairs_are_one_hold(gesture: TalkGesture) -> None:
    gesture.press(10)
    for number in range(30):
        at = 10.5 + number * 0.03
        gesture.release(at)
        gesture.press(at + 0.001)
    assert gesture.held
    gesture.release(12)
    tick(gesture)
    assert not gesture.listening
    gesture.press(12 + DEBOUNCE_S / 2)
    assert not gesture.listening, "the last bounce begins nothing"


def test_presses_told_again_while_held_change_nothing(gesture: TalkGesture) -> None:
    for at in (10, 10.5, 11):
        gesture.press(at)
    assert gesture.held


def test_losing_the_focus_ends_a_hold_but_not_hands_free(gesture: TalkGesture) -> None:
    gesture.press(10)
    gesture.lost_focus()
    assert not gesture.listening
    gesture.toggle_live(20)
    gesture.lost_focus()
    assert gesture.listening


def test_taps_toggle_where_releases_are_not_told(gesture: TalkGesture) -> None:
    gesture.tap(10)
    assert gesture.listening
    gesture.tap(13)
    assert not gesture.listening


def test_a_quick_second_tap_stops_after_a_doubt(gesture: TalkGesture) -> None:
    gesture.tap(10)
    gesture.tap(10.5)
    assert gesture.listening
    tick(gesture)
    assert not gesture.listening


def test_auto_repeat_is_no_second_tap(gesture: TalkGesture) -> None:
    gesture.tap(10)
    at = 10.5
    while at < 14:
        gesture.tap(at)
        gesture.tick(at)
        at += 0.033
    gesture.tick(at + REPEAT_GAP_S)
    assert gesture.listening
    assert gesture.take_hint() is Hint.NO_RELEASE_HERE
    assert gesture.take_hint() is None
    gesture.tap(20)
    assert not gesture.listening


def test_live_key_makes_a_hold_hands_free(gesture: TalkGesture) -> None:
    gesture.press(10)
    gesture.toggle_live(11)
    gesture.release(12)
    assert gesture.listening
    gesture.toggle_live(13)
    assert not gesture.listening


def test_longest_hold(gesture: TalkGesture) -> None:
    gesture.press(10)
    gesture.tick(10 + LONGEST_HOLD_S - 1)
    assert gesture.listening
    tick(gesture)
    assert not gesture.listening
    assert gesture.take_hint() is Hint.HELD_TOO_LONG


def test_a_forgotten_microphone_ends_but_not_while_words_come(gesture: TalkGesture) -> None:
    gesture.toggle_live(10)
    gesture.heard_words(1000)
    gesture.tick(10 + LONGEST_QUIET_S)
    assert gesture.listening
    tick(gesture)
    assert not gesture.listening
    assert gesture.take_hint() is Hint.QUIET_TOO_LONG


def test_latching_while_held(gesture: TalkGesture) -> None:
    gesture.latch(5)
    assert not gesture.listening, "nothing is held"
    gesture.press(10, mouse=True)
    assert gesture.rung is Rung.MOUSE
    gesture.latch(11)
    assert gesture.hands_free
    assert gesture.rung is Rung.SLID
    gesture.release(12)
    assert gesture.listening
    gesture.press(20)
    assert gesture.rung is Rung.IDLE


def test_limits_are_settings() -> None:
    gesture = TalkGesture(longest_hold_s=5, longest_quiet_s=0)
    gesture.press(10)
    assert gesture.wake_at == 15
    gesture.latch(11)
    assert gesture.wake_at is None, "for ever"


CALLS = st.sampled_from(
    ["press", "latch", "release", "tap", "toggle_live", "lost_focus", "tick", "stop"]
)


@given(st.lists(st.tuples(CALLS, st.floats(0, 2)), max_size=60))
def test_any_order_ends_where_stop_says(calls: list[tuple[str, float]]) -> None:
    gesture, now = TalkGesture(), 0.0
    for call, wait in calls:
        now += wait
        method = getattr(gesture, call)
        method() if call in ("lost_focus", "stop") else method(now)
        assert gesture.listening == (gesture.wake_at is not None)
        assert gesture.listening == (gesture.rung is not Rung.IDLE)
        assert gesture.listening == (gesture.held or gesture.hands_free)
        assert gesture.listening or not gesture.held
    gesture.stop()
    assert not gesture.listening
