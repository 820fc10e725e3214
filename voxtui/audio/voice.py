"""Is anybody speaking? By loudness alone: for pauses in hands-free listening."""

from __future__ import annotations

from voxtui.events import Level

PEAK_OVER_RMS_DB = 12.0
"""A peak so far above the threshold is a voice too: a consonant in a quiet block."""


class QuietGate:
    """Quiet when every block of the last `after_s` seconds was below the threshold; a voice ends
    it at once. With `after_s` 0 it is never quiet."""

    def __init__(self, threshold_dbfs: float, after_s: float) -> None:
        self._threshold_dbfs = threshold_dbfs
        self._after_s = after_s
        self._quiet_s = 0.0

    def hear(self, level: Level, seconds: float) -> None:
        """Take in one block."""
        loud = level.rms_dbfs >= self._threshold_dbfs
        loud = loud or level.peak_dbfs >= self._threshold_dbfs + PEAK_OVER_RMS_DB
        self._quiet_s = 0.0 if loud else self._quiet_s + seconds

    def begin(self) -> None:
        """Listening begins: wait for the whole time before a pause."""
        self._quiet_s = 0.0

    @property
    def quiet(self) -> bool:
        """Has nobody spoken for long enough?"""
        return 0 < self._after_s <= self._quiet_s
