"""From any samples to 16 kHz mono s16: mixdown, gain, resampling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voxtui.events import SAMPLE_RATE

Floats = npt.NDArray[np.float32]

_ONE_SIDED = 1e-3  # 30 dB: the other side is not connected
_CANCELLED = 0.02  # 17 dB: the sides are wired in opposite phase


def to_s16(samples: Floats) -> bytes:
    """Samples in -1..1 as s16le; what is louder is cut off."""
    scaled = np.rint(samples * np.float32(32768.0))
    return bytes(np.clip(scaled, -32768, 32767).astype("<i2").tobytes())


class Mixdown:
    """The first two channels as one.

    Both are averaged, unless one carries nothing (a microphone at one input of two) or they
    cancel each other: then the louder one is taken, so that nobody loses half of their voice.
    """

    def __init__(self) -> None:
        self._energy = np.zeros(3)  # left, right, middle; smoothed
        self._weights: tuple[float, float] | None = None

    def mix(self, block: Floats) -> Floats:
        """`block` is [samples, channels]; returns [samples]."""
        if block.shape[1] == 1:
            return np.ascontiguousarray(block[:, 0])
        left, right = block[:, 0], block[:, 1]
        if left.size == 0:
            return left.copy()
        before = self._weights
        now = self._weights = self._choose(left, right)
        if before is None or before == now:
            return np.ascontiguousarray(left * np.float32(now[0]) + right * np.float32(now[1]))
        ramp = np.linspace(0.0, 1.0, left.size, dtype=np.float32)
        weight_left = before[0] + (now[0] - before[0]) * ramp
        weight_right = before[1] + (now[1] - before[1]) * ramp
        mixed: Floats = (left * weight_left + right * weight_right).astype(np.float32)
        return mixed

    def _choose(self, left: Floats, right: Floats) -> tuple[float, float]:
        middle = (left + right) * np.float32(0.5)
        energy = np.array([float(np.mean(side * side)) for side in (left, right, middle)])
        if self._weights is None or not self._energy.any():
            self._energy = energy
        else:
            self._energy += min(1.0, left.size / 24_000) * (energy - self._energy)
        loud_left, loud_right, loud_middle = self._energy
        louder = max(loud_left, loud_right)
        one_sided = min(loud_left, loud_right) < _ONE_SIDED * louder
        if louder > 0 and (one_sided or loud_middle < _CANCELLED * louder):
            return (1.0, 0.0) if loud_left >= loud_right else (0.0, 1.0)
        return (0.5, 0.5)


class Converter:
    """[samples, channels] floats at `rate` to s16le bytes, block by block."""

    def __init__(self, rate: float, gain_db: float = 0.0) -> None:
        self._gain = np.float32(10.0 ** (gain_db / 20.0))
        self._mixdown = Mixdown()
        self._resampler = None
        if rate != SAMPLE_RATE:
            import soxr

            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")

    def convert(self, block: Floats) -> bytes:
        """The next samples; some stay inside until more come or `finish`."""
        mono = self._mixdown.mix(block)
        if self._gain != 1:
            mono = mono * self._gain
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono)
        return to_s16(mono)

    def finish(self) -> bytes:
        """What was still inside."""
        if self._resampler is None:
            return b""
        return to_s16(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
