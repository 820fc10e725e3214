"""Tells a hanging engine from a slow one."""

from __future__ import annotations

from voxtui.engine.feeder import Feeder
from voxtui.engine.process import EngineProcess
from voxtui.events import SAMPLE_RATE


class Watchdog:
    """Hanging: sound waits, nothing is said and nothing is computed for `stall_s` seconds.

    A process that computes without a word gets `stall_busy_s`; so does every process where its
    activity cannot be read.
    """

    def __init__(self, stall_s: float, stall_busy_s: float) -> None:
        self._stall_s = stall_s
        self._stall_busy_s = stall_busy_s
        self._heard_at = 0.0
        self._activity: tuple[int, ...] | None = None
        self._active_at = 0.0
        self._looked_at = 0.0

    def heard(self, now: float) -> None:
        """The process said something."""
        self._heard_at = self._active_at = now

    def hangs(
        self, now: float, feeder: Feeder, process: EngineProcess, done: int, slack_s: float
    ) -> bool:
        """Asked often; `done` samples are transcribed and `slack_s` may be held back."""
        fed, all_ended = feeder.progress()
        waiting = fed - done > (0 if all_ended else slack_s * SAMPLE_RATE)
        if not waiting:
            self.heard(now)
            return False
        if now - self._looked_at >= self._stall_s / 10:
            self._looked_at = now
            activity = process.activity()
            if activity is None or activity != self._activity:
                self._active_at = now
            self._activity = activity
        silent = now - self._heard_at
        still = now - self._active_at
        return silent > self._stall_busy_s or (silent > self._stall_s and still > self._stall_s)
