"""What a reader of captions is told of the sound and of the words, in one short sentence. Pure."""

from __future__ import annotations

from enum import Enum

from voxtui.events import CaptureState, EngineState, Level
from voxtui.ui.health import LiveState
from voxtui.ui.words import seconds

HELD_S = 1.5
"""So long a voice is still heard after its last sound: between words the sentence stays."""
QUIET_S = 4.0
LOUD_DB = -8.0
FULL_DB = -14.0
"""Here the bar is full."""
SOFT_DB = 6.0
"""A voice less than this above the threshold is soft."""
STEPS = 5
FULL, EMPTY = "█", "·"


class Sound(Enum):
    """What is heard, for somebody who does not hear it."""

    QUIET = "It is quiet."
    PAUSE = "A pause."
    SOFT = "Somebody speaks softly."
    VOICE = "Somebody is speaking."
    LOUD = "It is loud."
    TOO_LOUD = "It is too loud: some words may be lost."


class Hearing:
    """Levels in, calm words out: nothing changes twice within a breath."""

    def __init__(self, voice_dbfs: float = -45.0) -> None:
        self.voice_dbfs = voice_dbfs
        self._began: float | None = None
        self._voice_at = self._clip_at = -1e9
        self._loudest, self._loudest_at = -120.0, -1e9
        self._level = -120.0

    def hear(self, level: Level, now: float) -> None:
        """Take in how loud it is."""
        if self._began is None:
            self._began = now
        self._level = level.rms_dbfs
        if level.clipped:
            self._clip_at = now
        if level.rms_dbfs >= self.voice_dbfs:
            self._voice_at = now
        if level.rms_dbfs >= self._loudest or now - self._loudest_at > HELD_S:
            self._loudest, self._loudest_at = level.rms_dbfs, now

    def sound(self, now: float) -> Sound:
        """What is heard now."""
        if now - self._clip_at < HELD_S:
            return Sound.TOO_LOUD
        began = now if self._began is None else self._began
        quiet = now - max(self._voice_at, began)
        if now - self._voice_at >= HELD_S:
            return Sound.PAUSE if quiet < QUIET_S else Sound.QUIET
        if self._loudest >= LOUD_DB:
            return Sound.LOUD
        return Sound.SOFT if self._loudest < self.voice_dbfs + SOFT_DB else Sound.VOICE

    @property
    def bar(self) -> tuple[str, str]:
        """How loud it is just now in a few signs: those that are full, and the others."""
        over = (self._level - self.voice_dbfs) / (FULL_DB - self.voice_dbfs)
        full = min(STEPS, max(0, 1 + int(over * (STEPS - 1)))) if over >= 0 else 0
        return FULL * full, EMPTY * (STEPS - full)


def sentence(state: LiveState, sound: Sound, live_key: str) -> str:
    """How it stands, while nothing is in the way (`health.trouble` says what is)."""
    if state.engine.state is EngineState.LOADING:
        kept = " What is said is kept." if state.listening else ""
        return f"One moment: the model is being loaded.{kept}"
    if not state.listening:
        if state.words_due:
            return "The last words are being written."
        if state.capture.state is CaptureState.FINISHED:
            return "The recording is over."
        return f"Not listening. {live_key} begins." if live_key else "Not listening."
    if not state.hearing:
        return "One moment: no sound comes from the microphone yet."
    if state.behind:
        return f"The words come {seconds(state.lag_s)} late. None is lost."
    if state.paused:
        return "Waiting for a voice."
    return sound.value
