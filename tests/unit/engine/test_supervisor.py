"""Everything goes well: words, times, utterances, stats, changes while it runs, the end."""

from __future__ import annotations

import os
import time

import pytest

from tests.unit.engine.conftest import HALF_SECOND, Rig, gone, speech, words
from voxtui.events import (
    Alternative,
    EngineChanged,
    EngineState,
    EngineStats,
    Notice,
    Severity,
    UtteranceEnded,
)


def test_words_come_in_order_with_session_times(rig: Rig) -> None:
    rig.ready()
    rig.utter(1, 2, 3)
    rig.page.wait_ended()
    assert rig.page.words() == words(1, 2, 3)
    assert [token.time_s for token in rig.page.tokens if token.word_start] == [0.5, 1.0, 1.5]
    assert rig.page.tokens[0].alternatives == ()
    assert rig.page.of(UtteranceEnded) == [UtteranceEnded(1.5)]


@pytest.mark.parametrize("background", [False, True])
def test_in_the_background_others_come_first(rig: Rig, background: bool) -> None:
    rig.engine.reload(rig.config(background=background))
    rig.ready()
    own, its = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, rig.starts()[-1]["pid"]))
    assert (its > own) is (background and own < 10)


def test_alternatives_where_they_are_wanted(rig: Rig) -> None:
    rig.engine.reload(rig.config(alternatives=1))
    rig.ready()
    rig.utter(1)
    rig.page.wait_ended()
    assert rig.page.tokens[0].alternatives == (Alternative("x", 0.25),)


def test_the_second_utterance_starts_where_the_first_ended(rig: Rig) -> None:
    rig.ready()
    rig.utter(1)
    rig.utter(2, 3)
    rig.say(4)
    rig.page.wait_words(4)
    rig.engine.end_utterance()
    rig.page.wait_ended(3)
    assert rig.page.words() == words(1, 2, 3, 4)
    assert [token.time_s for token in rig.page.tokens if token.word_start] == [0.5, 1, 1.5, 2]
    assert rig.page.of(UtteranceEnded) == [
        UtteranceEnded(0.5),
        UtteranceEnded(1.5),
        UtteranceEnded(2),
    ]


def test_sound_from_before_the_engine_is_ready_is_transcribed(rig: Rig) -> None:
    rig.environment(FAKE_MODE="slow")
    rig.engine.start()
    rig.utter(5, 6)
    rig.page.wait_ended()
    assert rig.page.words() == words(5, 6)


def test_what_is_done_once_is_told_while_it_is_done(rig: Rig) -> None:
    rig.environment(FAKE_MODE="prepare")
    rig.engine.start()
    rig.page.wait_state(EngineState.READY)
    details = [e.detail for e in rig.page.of(EngineChanged) if e.state is EngineState.LOADING]
    parts = (20, 40, 60, 80, 100)
    assert details == ["", *(f"Preparing, once: {percent} %" for percent in parts)]


def test_ready_tells_who_works(rig: Rig) -> None:
    rig.engine.start()
    ready = rig.page.wait_state(EngineState.READY)
    assert ready == EngineChanged(
        EngineState.READY,
        detail="python, 1 threads",
        engine="fake",
        model="fake",
        precision="exact",
        backend="cpu",
        delay_ms=480,
        interval_s=0.5,
        load_ms=1.5,
    )
    assert rig.page.states() == [EngineState.LOADING, EngineState.READY]


def test_the_choices_reach_the_command_line(rig: Rig) -> None:
    command = rig.config(delay_ms=960, interval_s=0.25, threads=3, alternatives=2, precision="f32")
    assert command.command(rig.binary)[1:] == [
        *("-d", "/models/fake", "--framed", "--events", "-I", "0.25", "--delay", "960"),
        *("--threads", "3", "--precision", "f32", "--alt", "0.95"),
    ]


def test_idle_only_when_all_words_are_out(rig: Rig) -> None:
    assert rig.engine.idle()
    rig.ready()
    rig.say(1)
    rig.page.wait_words(1)
    assert not rig.engine.idle()
    rig.engine.end_utterance()
    rig.page.wait_ended()
    assert rig.engine.idle()


def test_an_utterance_without_sound_ends_at_once(rig: Rig) -> None:
    rig.ready()
    rig.engine.end_utterance()
    rig.page.wait_ended()
    rig.utter(1)
    rig.engine.end_utterance()
    rig.page.wait_ended(2)
    assert rig.engine.idle()
    assert rig.page.of(UtteranceEnded)[:2] == [UtteranceEnded(0.0), UtteranceEnded(0.5)]


def test_stats_are_in_session_time_and_add_up(rig: Rig) -> None:
    rig.ready()
    rig.utter(1, 2)
    rig.page.wait_ended()
    rig.utter(3)
    rig.page.wait_ended(2)
    last = rig.page.of(EngineStats)[-1]
    assert last == EngineStats(1.5, 1.5, 6.0, 9.0, 3, 12.5)
    assert rig.page.events[-2:] == [last, UtteranceEnded(1.5)]


def test_the_lag_grows_while_the_engine_is_silent(rig: Rig) -> None:
    rig.environment(FAKE_MODE="deaf")
    rig.ready()
    for value in range(4):
        rig.say(value)
        rig.page.wait(
            lambda count=value + 1: any(
                stats.audio_in_s == count / 2 for stats in rig.page.of(EngineStats)
            )
        )
    assert rig.page.of(EngineStats)[-1].lag_s == 2.0


def test_configure_needs_no_restart(rig: Rig) -> None:
    rig.ready()
    rig.engine.configure(delay_ms=960, interval_s=0.25)
    rig.page.wait_state(EngineState.READY, 2)
    changed = rig.page.of(EngineChanged)[-1]
    assert (changed.delay_ms, changed.interval_s, changed.engine) == (960, 0.25, "fake")
    assert len(rig.starts()) == 1


def test_a_warning_becomes_a_notice(rig: Rig) -> None:
    rig.ready()
    rig.engine.configure(delay_ms=81)
    rig.page.wait(lambda: bool(rig.page.of(Notice)))
    assert rig.page.of(Notice) == [Notice(Severity.WARNING, "The delay must be a multiple of 80.")]


def test_what_was_configured_outlives_a_crash(rig: Rig) -> None:
    rig.ready()
    rig.engine.configure(delay_ms=960)
    rig.page.wait_state(EngineState.READY, 2)
    rig.kill_process()
    rig.page.wait_state(EngineState.READY, 3)
    assert rig.page.of(EngineChanged)[-1].delay_ms == 960


def test_reload_replays_what_is_not_settled(rig: Rig) -> None:
    rig.ready()
    rig.utter(1, 2)
    rig.page.wait_ended()
    rig.say(3, 4, 5)
    rig.page.wait_words(5)
    rig.engine.settled(1.5)
    rig.engine.reload(rig.config(delay_ms=800))
    rig.page.wait_state(EngineState.READY, 2)
    rig.engine.end_utterance()
    rig.page.wait_ended(2)
    assert rig.page.words() == words(1, 2, 3, 4, 5)
    assert "800" in rig.starts()[1]["args"]
    assert EngineState.RESTARTING not in rig.page.states()
    assert gone(rig.starts()[0]["pid"])


def test_a_new_session_counts_from_zero_in_another_file(rig: Rig) -> None:
    rig.ready()
    rig.utter(1, 2)
    rig.page.wait_ended()
    other = speech(7, 8)
    rig.engine.new_session(lambda start, n: other[2 * start : 2 * (start + n)])
    assert rig.engine.idle()
    rig.engine.audio_written(2 * HALF_SECOND)
    rig.engine.end_utterance()
    rig.page.wait_ended(2)
    assert [token.time_s for token in rig.page.tokens if token.word_start] == [0.5, 1, 0.5, 1]
    assert rig.page.words() == words(1, 2, 7, 8)
    assert rig.page.of(EngineStats)[-1].steps == 2
    assert len(rig.starts()) == 1


def test_a_new_session_in_mid_utterance_forgets_it(rig: Rig) -> None:
    rig.ready()
    rig.say(1)
    rig.page.wait_words(1)
    other = speech(9)
    rig.engine.new_session(lambda start, n: other[2 * start : 2 * (start + n)])
    rig.engine.audio_written(HALF_SECOND)
    rig.engine.end_utterance()
    rig.page.wait_ended()
    assert rig.page.words() == words(1, 9)
    assert rig.page.of(UtteranceEnded) == [UtteranceEnded(0.5)]


# ---- the end -----------------------------------------------------------------------------


def test_stop_ends_the_process(rig: Rig) -> None:
    rig.ready()
    rig.utter(1)
    rig.page.wait_ended()
    rig.engine.stop()
    assert rig.page.states()[-1] is EngineState.STOPPED
    assert gone(rig.starts()[0]["pid"])
    count = len(rig.page.events)
    rig.engine.stop()
    assert len(rig.page.events) == count


def test_stop_lets_pending_words_come(rig: Rig) -> None:
    rig.environment(FAKE_SPEED="0.02")
    rig.ready()
    rig.say(1, 2, 3, 4, 5, 6)
    rig.engine.stop()
    assert rig.page.words() == words(1, 2, 3, 4, 5, 6)
    assert rig.page.of(UtteranceEnded) == [UtteranceEnded(3.0)]


@pytest.mark.parametrize("mode", ["stubborn", "deaf"])
def test_stop_does_not_wait_for_ever(rig: Rig, mode: str) -> None:
    rig.environment(FAKE_MODE=mode)
    rig.ready()
    rig.utter(*range(40))  # more than a pipe holds
    begun = time.monotonic()
    rig.engine.stop(0.5)
    assert time.monotonic() - begun < 30
    assert gone(rig.starts()[0]["pid"])


def test_stop_while_loading(rig: Rig) -> None:
    rig.environment(FAKE_MODE="slow", FAKE_LOADING="60")
    rig.engine.start()
    rig.page.wait_state(EngineState.LOADING)
    begun = time.monotonic()
    rig.engine.stop()
    assert time.monotonic() - begun < 30, "the model is not waited for"
    assert rig.page.states()[-1] is EngineState.STOPPED


def test_stop_without_start(rig: Rig) -> None:
    rig.engine.stop()
    assert rig.page.events == []
