"""Tells a hanging engine from a slow one."""

from __future__ import annotations

from collections.abc import Callable

from voxtui.engine.config import Timing

Activity = tuple[int, ...] | None
"""Numbers that change while a process works; None where they cannot be read."""

AWAY_S = 5.0
"""Not asked for so long, whoever asks was stopped, and with it what hears the process."""


class Watchdog:
    """Hanging: something is owed, and for long nothing was said and nothing computed.

    A process that computes without a word is let go on for `stall_busy`, and while it loads for
    ever; so is every process where its activity cannot be read.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._heard_at = 0.0
        self._activity: Activity = None
        self._active_at = 0.0
        self._looked_at = 0.0
        self._asked_at = 0.0

    def heard(self, now: float) -> None:
        """The process was started or said something."""
        self._heard_at = self._active_at = now

    def hangs(
        self, now: float, activity: Callable[[], Activity], *, owes: bool, loading: bool
    ) -> bool:
        """Asked often: does a process hang that loads, or `owes` words?"""
        away = now - self._asked_at > AWAY_S
        self._asked_at = now
        if away or not (owes or loading):
            self.heard(now)
            return False
        stall = self._timing.stall_loading if loading else self._timing.stall
        if now - self._looked_at >= stall / 10:
            self._looked_at = now
            seen = activity()
            if seen is None or seen != self._activity:
                self._active_at = now
            self._activity = seen
        silent, still = now - self._heard_at, now - self._active_at
        if silent > self._timing.stall_busy and not loading:
            return True
        return silent > stall and still > stall
