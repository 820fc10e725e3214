"""What the page says about how it goes: am I heard, is it keeping up, what would help.

Pure: from the state to words, so that each sentence can be tested.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from voxtui.events import (
    CaptureChanged,
    CaptureState,
    EngineChanged,
    EngineState,
    EngineStats,
)
from voxtui.ui.words import seconds, span

STEP_S = 0.08
SPEED_OVER_S = 6.0
"""Speed is judged over the steps that cover this much sound."""
SLACK_S = 2.0
"""So much more than delay and interval is still keeping up."""
WORRY_S = 10.0
STILL_S = 15.0
"""Without any progress for so long, what writes the words may hang."""


class Tone(Enum):
    """How it is said."""

    CALM = "calm"
    LIVE = "live"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Health:
    """The status strip: phrases, the most important first; as many are shown as fit."""

    phrases: tuple[str, ...]
    tone: Tone = Tone.CALM


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something stands in the way: what it is, and what to do."""

    what: str
    advice: str = ""


class Speed:
    """How many seconds of sound are written in one second of work."""

    def __init__(self) -> None:
        self._steps: deque[tuple[int, float]] = deque()

    def take(self, stats: EngineStats) -> None:
        """Another report; its times and steps add up over an utterance."""
        work_s = (stats.encoder_ms + stats.decoder_ms) / 1000
        steps = self._steps
        if steps and (stats.steps < steps[-1][0] or work_s < steps[-1][1]):
            steps.clear()
            steps.append((0, 0.0))
        if not steps:
            steps.append((0, 0.0))
        if stats.steps > steps[-1][0]:
            steps.append((stats.steps, work_s))
        while len(steps) > 2 and (steps[-1][0] - steps[1][0]) * STEP_S >= SPEED_OVER_S:
            steps.popleft()

    @property
    def times_real_time(self) -> float | None:
        """2.0 is twice as fast as one speaks; None before there is enough to tell."""
        if len(self._steps) < 2:
            return None
        steps = self._steps[-1][0] - self._steps[0][0]
        work_s = self._steps[-1][1] - self._steps[0][1]
        if steps * STEP_S < 0.5 or work_s <= 0:
            return None
        return steps * STEP_S / work_s


@dataclass(slots=True)
class LiveState:
    """All that the strip, the header and the messages are made from."""

    capture: CaptureChanged = field(
        default_factory=lambda: CaptureChanged(CaptureState.PREPARING, "")
    )
    engine: EngineChanged = field(default_factory=lambda: EngineChanged(EngineState.LOADING))
    stats: EngineStats | None = None
    speed: Speed = field(default_factory=Speed)
    listening: bool = False
    words_due: bool = False
    """Words of what was said are still to come."""
    paused: bool = False
    """Hands-free waits for a voice."""
    still_s: float = 0.0
    """So long no sound was worked off, although words are due."""
    settings_key: str = "S"
    hears_file: bool = False
    kept_in: str = ""
    error: str = ""
    """What ended the listening ("cause: what to do"), until it begins again."""

    @property
    def hearing(self) -> bool:
        """Is sound really coming in, and listened to?"""
        heard = (CaptureState.RUNNING, CaptureState.SILENT, CaptureState.FINISHED)
        return self.listening and (self.hears_file or self.capture.state in heard)

    @property
    def lag_s(self) -> float:
        """Seconds of sound whose words are not out."""
        return self.stats.lag_s if self.stats is not None and self.words_due else 0.0

    @property
    def behind(self) -> bool:
        """Is it more than delay and interval explain?"""
        usual = self.engine.delay_ms / 1000 + self.engine.interval_s
        return self.lag_s > usual + SLACK_S


def health(state: LiveState) -> Health:
    """The strip's phrases."""
    if state.error and not state.listening:
        return Health(("not listening",), Tone.WARNING)
    return _capture_health(state) or _engine_health(state) or _pace(state)


def _capture_health(state: LiveState) -> Health | None:
    match state.capture.state:
        case CaptureState.FAILED:
            return Health(("cannot hear" if state.hears_file else "no microphone",), Tone.WARNING)
        case CaptureState.LOST:
            return Health(("microphone gone", "looking for it"), Tone.WARNING)
        case CaptureState.SILENT:
            return Health(("nothing heard",), Tone.WARNING)
        case CaptureState.PREPARING if not state.hears_file:
            return Health(("preparing microphone",))
        case _:
            return None


def _engine_health(state: LiveState) -> Health | None:
    heard = ("your words are kept",) if state.listening or state.words_due else ()
    match state.engine.state:
        case EngineState.LOADING:
            told = state.engine.detail
            return Health((told[:1].lower() + told[1:] or "loading the model", *heard))
        case EngineState.RESTARTING:
            return Health(("starting again", "nothing is lost"), Tone.WARNING)
        case EngineState.FAILED:
            return Health(("no words", "the sound is kept"), Tone.WARNING)
        case EngineState.STOPPED:
            return Health(("stopped",))
        case _:
            return None


def _pace(state: LiveState) -> Health:
    speed = state.speed.times_real_time
    pace = (f"{speed:.{0 if speed >= 10 else 1}f}× real time",) if speed is not None else ()
    lag = state.lag_s
    if _hangs(state):
        return Health((f"{seconds(lag)} behind", "no words come"), Tone.WARNING)
    if not state.listening:
        if state.words_due:
            left = (f"{seconds(lag)} left",) if lag >= 1.0 else ()
            return Health(("writing the last words", *left))
        if state.capture.state is CaptureState.FINISHED:
            return Health(("the end", "all is written"))
        return Health(("ready",))
    if state.paused and not state.behind:
        return Health(("waiting for a voice",), Tone.LIVE)
    if not state.behind:
        return Health(("keeping up", f"{seconds(lag)} behind", *pace), Tone.LIVE)
    tone = Tone.WARNING if lag > WORRY_S or (speed or 0) < 1 else Tone.LIVE
    return Health((f"{seconds(lag)} behind", *_trend(speed, lag), *pace), tone)


def _trend(speed: float | None, lag: float) -> tuple[str, ...]:
    if speed is None:
        return ()
    if speed > 1.05:
        return (f"level in {seconds(lag / (speed - 1))}",)
    if speed < 0.95:
        return (f"{seconds(in_a_minute(speed, lag))} in a minute",)
    return ("staying so",)


def in_a_minute(speed: float, lag: float) -> float:
    """How far behind it will be when somebody speaks on for a minute."""
    return lag + (1 - speed) * 60


def trouble(state: LiveState) -> Trouble | None:
    """The gravest thing in the way, with what to do; None when all goes well."""
    engine = state.engine
    if state.error:
        cause, colon, fix = state.error.partition(": ")
        going_on = state.kept_in and not state.hears_file
        again = " Then talk again." if going_on else ""
        return Trouble(cause + colon.strip(), fix + again)
    if engine.state is EngineState.FAILED:
        key = f" ({state.settings_key})" if state.settings_key else ""
        again = "" if state.hears_file else "Talk again to try once more, or "
        advice = f"{again}choose another model{key}."
        detail = f"{engine.detail} " if engine.detail else ""
        return Trouble("Words cannot be written.", detail + advice[0].upper() + advice[1:])
    told = _capture_trouble(state)
    if told is not None:
        return told
    if engine.state is EngineState.RESTARTING:
        return Trouble("One moment:", "the writing stopped and is starting again by itself.")
    return _behind(state)


def _capture_trouble(state: LiveState) -> Trouble | None:
    """What capture says of it ("cause: what to do"), or what can be said without it."""
    capture = state.capture
    if capture.state not in (CaptureState.FAILED, CaptureState.LOST, CaptureState.SILENT):
        return None
    if capture.detail:
        cause, colon, fix = capture.detail.partition(": ")
        return Trouble(cause + colon.strip(), fix)
    if capture.state is CaptureState.FAILED:
        if state.hears_file:
            return Trouble("This cannot be heard.", "Is it a recording?")
        return Trouble(
            "There is no microphone.", f"Plug one in, or choose another ({state.settings_key})."
        )
    if capture.state is CaptureState.LOST:
        name = capture.source or "The microphone"
        return Trouble(
            f"{name} is gone.", f"Plug it in again, or choose another ({state.settings_key})."
        )
    return Trouble(
        "The microphone gives only silence.", "Is it muted, or not allowed for this terminal?"
    )


def _hangs(state: LiveState) -> bool:
    return state.behind and state.still_s > STILL_S


def _behind(state: LiveState) -> Trouble | None:
    if _hangs(state):
        key = f" ({state.settings_key})" if state.settings_key else ""
        return Trouble(
            f"No words have come for {span(state.still_s)}.",
            "The sound is kept, and an engine that hangs is started again by itself. If it stays"
            f" so, choose another model or engine{key}.",
        )
    speed = state.speed.times_real_time
    if not state.behind or state.lag_s <= WORRY_S or speed is None or speed >= 1:
        return None
    lag = state.lag_s
    where = f"{seconds(lag)} behind, {seconds(in_a_minute(speed, lag))} in a minute"
    key = f" ({state.settings_key})" if state.settings_key else ""
    return Trouble(
        f"Slower than you speak: {where}.",
        f"Nothing is lost: the rest comes when you stop. Choose {_remedy(state)}{key}.",
    )


LONG_STEP_S = 1.0
SMALLEST = ("q4", "int4")


def _remedy(state: LiveState) -> str:
    """What would make it quicker, of what is not chosen yet."""
    found = []
    if not state.engine.precision.lower().startswith(SMALLEST):
        found.append("a smaller precision")
    if state.engine.interval_s < LONG_STEP_S:
        found.append("a larger step")
    return " or ".join(found) or "a smaller model"
