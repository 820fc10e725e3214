"""How loud a block of samples is."""

from __future__ import annotations

import numpy as np

from voxtui.events import Level

FLOOR_DBFS = -120.0
FULL_SCALE = 32768.0
_NEARLY_FULL = 32700
"""Three samples in a row beyond this were cut off by something."""


def measure(pcm: bytes) -> Level:
    """The level of s16le samples; silence and nothing at all are -120 dBFS."""
    samples = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2)
    if samples.size == 0:
        return Level(FLOOR_DBFS, FLOOR_DBFS)
    values = samples.astype(np.float64)
    magnitude = np.abs(values)
    peak = float(magnitude.max())
    rms = float(np.sqrt(np.mean(values * values)))
    return Level(_dbfs(rms), _dbfs(peak), clipped=_clipped(magnitude, peak))


def _dbfs(value: float) -> float:
    if value <= 0.0:
        return FLOOR_DBFS
    return max(FLOOR_DBFS, 20.0 * float(np.log10(value / FULL_SCALE)))


def _clipped(magnitude: np.ndarray, peak: float) -> bool:
    """Full scale was reached, or the wave has a flat top just below it."""
    if peak >= 32767:
        return True
    if peak < _NEARLY_FULL or magnitude.size < 3:
        return False
    top = magnitude == peak
    return bool(np.any(top[:-2] & top[1:-1] & top[2:]))
