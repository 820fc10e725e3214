from __future__ import annotations

import itertools
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from voxtui.engine.timeline import CHUNK, Feed, Flush, Timeline


def nothing(start: int, samples: int) -> bytes:
    return bytes(samples * 2)


def walk(timeline: Timeline, start: int) -> tuple[list[tuple[int, int]], bool]:
    """What a feeder sends from `start` on: (utterances, the last is open)."""
    position, open_, begun = start, False, start
    utterances: list[tuple[int, int]] = []
    while True:
        step = timeline.next(0, position, open_=open_, interrupted=lambda: True)
        if isinstance(step, Feed):
            assert step.start == position
            assert 0 < step.samples <= CHUNK
            if not open_:
                begun = position
            position, open_ = position + step.samples, True
        elif isinstance(step, Flush):
            assert open_
            assert step.end == position
            utterances.append((begun, position))
            open_ = False
        else:
            return ([*utterances, (begun, position)] if open_ else utterances), open_


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3 * CHUNK), st.booleans()), max_size=8),
    st.floats(0, 1),
)
def test_every_sample_is_fed_once_with_the_same_ends(
    parts: list[tuple[int, bool]], settled_part: float
) -> None:
    timeline = Timeline(nothing)
    total = 0
    ends: list[int] = []
    for samples, ends_here in parts:
        total += samples
        timeline.written(total)
        if ends_here:
            told = timeline.end_utterance()
            assert told == (total > (ends[-1] if ends else 0))
            if told:
                ends.append(total)
    settled = int(total * settled_part)
    timeline.settle(settled)
    start, _ = timeline.back_to_settled()
    assert start == settled
    utterances, open_ = walk(timeline, start)
    bounds = [start, *(end for end in ends if end > start)]
    expected = list(itertools.pairwise(bounds))
    if total > bounds[-1]:
        expected.append((bounds[-1], total))
    assert utterances == expected
    assert open_ == (total > bounds[-1])
    for end in ends:
        if end > start:
            assert timeline.finished(0, end)
    assert timeline.idle() == (total == bounds[-1])


def test_old_news_changes_nothing() -> None:
    timeline = Timeline(nothing)
    timeline.written(100)
    timeline.end_utterance()
    timeline.restart(nothing)
    assert not timeline.finished(0, 100)
    timeline.progressed(0, 50)
    assert timeline.idle()
    assert timeline.positions().done == 0
    assert timeline.next(0, 0, open_=False, interrupted=lambda: False) is None


def test_next_waits_for_sound() -> None:
    timeline = Timeline(nothing)
    found: list[object] = []
    thread = threading.Thread(
        target=lambda: found.append(timeline.next(0, 0, open_=False, interrupted=lambda: False))
    )
    thread.start()
    timeline.wake()
    timeline.written(10)
    thread.join(5)
    assert found == [Feed(0, 10, nothing)]


def test_nobody_settles_what_is_not_there() -> None:
    timeline = Timeline(nothing)
    timeline.written(100)
    timeline.settle(5_000)
    assert timeline.positions().settled == 100
