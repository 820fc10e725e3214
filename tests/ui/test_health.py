"""What the strip and the messages say in each state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ui.support import HEARING, READY, stats
from voxtui.events import CaptureChanged, CaptureState, EngineChanged, EngineState
from voxtui.ui.health import LiveState, Speed, Tone, health, trouble


def live(done_s: float, in_s: float, speed: float = 2.0) -> LiveState:
    state = LiveState(HEARING, READY, listening=True, words_due=True)
    state.stats = stats(done_s, in_s, speed)
    state.speed.take(state.stats)
    return state


def test_keeping_up() -> None:
    said = health(live(60, 60.4, 2.1))
    assert said.phrases == ("keeping up", "0.4 s behind", "2.1× real time")
    assert said.tone is Tone.LIVE
    assert trouble(live(60, 60.4)) is None


def test_behind_and_getting_worse() -> None:
    state = live(40, 62, 0.6)
    said = health(state)
    assert said.phrases == ("22 s behind", "46 s in a minute", "0.6× real time")
    assert said.tone is Tone.WARNING
    wrong = trouble(state)
    assert wrong is not None
    assert wrong.what == "Slower than you speak: 22 s behind, 46 s in a minute."
    assert "Nothing is lost" in wrong.advice
    assert wrong.advice.endswith("Choose a smaller precision or a larger step (S).")
    state.settings_key = "F2"
    state.engine = replace(READY, precision="Q4_K", interval_s=2.0)
    wrong = trouble(state)
    assert wrong is not None
    assert wrong.advice.endswith("Choose a smaller model (F2).")


def test_behind_and_catching_up() -> None:
    said = health(live(40, 46, 1.5))
    assert said.phrases[:2] == ("6.0 s behind", "level in 12 s")
    assert said.tone is Tone.LIVE


@pytest.mark.parametrize("listening", [True, False])
def test_no_progress_is_no_speed(listening: bool) -> None:
    """What it did in a second before it hung tells nothing of when the words come."""
    state = live(40, 62, 10.0)
    state.listening, state.still_s = listening, 14.0
    assert "no words come" not in health(state).phrases
    assert trouble(state) is None
    state.still_s = 65.0
    said = health(state)
    assert said.phrases == ("22 s behind", "no words come")
    assert said.tone is Tone.WARNING
    wrong = trouble(state)
    assert wrong is not None
    assert wrong.what == "No words have come for 1 minute."
    assert "The sound is kept" in wrong.advice
    assert "(S)" in wrong.advice
    state.stats = stats(61.8, 62)
    assert "no words come" not in health(state).phrases, "nothing was said meanwhile"


def test_after_letting_go() -> None:
    state = live(40, 46)
    state.listening = False
    assert health(state).phrases == ("writing the last words", "6.0 s left")
    state.words_due = False
    assert health(state).phrases == ("ready",)


@pytest.mark.parametrize(
    ("capture", "said", "told"),
    [
        (CaptureState.PREPARING, "preparing microphone", None),
        (CaptureState.SILENT, "nothing heard", "only silence"),
        (CaptureState.LOST, "microphone gone", "Desk Mic is gone"),
        (CaptureState.FAILED, "no microphone", "no microphone"),
    ],
)
def test_microphone(capture: CaptureState, said: str, told: str | None) -> None:
    state = LiveState(CaptureChanged(capture, "Desk Mic"), READY, listening=True)
    assert health(state).phrases[0] == said
    wrong = trouble(state)
    assert (wrong is None) == (told is None)
    if wrong is not None and told is not None:
        assert told in wrong.what
        assert wrong.advice, "it says what to do"


@pytest.mark.parametrize(
    ("engine", "said", "tells"),
    [
        (EngineState.LOADING, "loading the model", False),
        (EngineState.RESTARTING, "starting again", True),
        (EngineState.FAILED, "no words", True),
    ],
)
def test_engine(engine: EngineState, said: str, tells: bool) -> None:
    state = LiveState(HEARING, EngineChanged(engine), listening=True)
    assert health(state).phrases[0] == said
    assert (trouble(state) is not None) == tells


def test_a_cause_that_is_known_is_given() -> None:
    detail = "Nothing is delivered: allow it for iTerm2."
    state = LiveState(CaptureChanged(CaptureState.SILENT, "Mic", detail), READY)
    wrong = trouble(state)
    assert wrong is not None
    assert (wrong.what, wrong.advice) == ("Nothing is delivered:", "allow it for iTerm2.")


def test_speed_is_of_the_last_seconds_and_begins_anew_with_an_utterance() -> None:
    speed = Speed()
    assert speed.times_real_time is None
    for second in range(1, 30):
        speed.take(stats(second, second, 2.0))
    assert speed.times_real_time == pytest.approx(2.0, rel=0.05)
    speed.take(stats(1, 1, 4.0))
    assert speed.times_real_time == pytest.approx(4.0, rel=0.1)
