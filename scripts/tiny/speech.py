"""What a synthesiser returns, and small operations on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from tiny.vocabulary import SAMPLE_RATE

Samples = NDArray[np.float32]


@dataclass
class Span:
    """A spoken word and its place in the samples, in seconds."""

    word: str
    start: float
    end: float

    def moved(self, offset: float, speed: float = 1.0) -> Span:
        """The span after playing `speed` times as fast and shifting by `offset` seconds."""
        return Span(self.word, self.start / speed + offset, self.end / speed + offset)


@dataclass
class Utterance:
    """Speech of one voice: samples [n] at 16 kHz in -1…1, and its words."""

    samples: Samples
    words: list[Span]
    voice: str

    @property
    def text(self) -> str:
        """The words, with spaces."""
        return " ".join(span.word for span in self.words)


def resample(samples: NDArray[np.floating[Any]], rate: float) -> Samples:
    """Samples of another rate, in hertz, at 16 kHz."""
    if rate == SAMPLE_RATE:
        return samples.astype(np.float32, copy=False)
    return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE), dtype=np.float32)


def loud_range(samples: Samples, threshold: float = 0.02) -> tuple[int, int]:
    """First and last sample of what is not silence, in steps of 5 ms."""
    n = len(samples) // 80
    if n == 0:
        return 0, len(samples)
    level = np.sqrt((samples[: n * 80].reshape(n, 80) ** 2).mean(1))
    loud = np.flatnonzero(level > threshold * max(float(level.max()), 1e-6))
    return (0, len(samples)) if len(loud) == 0 else (int(loud[0]) * 80, int(loud[-1] + 1) * 80)


def trim_span(samples: Samples, span: Span) -> Span:
    """The span without the silence at its ends."""
    a, b = int(span.start * SAMPLE_RATE), int(span.end * SAMPLE_RATE)
    start, end = loud_range(samples[a:b])
    return Span(span.word, (a + start) / SAMPLE_RATE, (a + end) / SAMPLE_RATE)
