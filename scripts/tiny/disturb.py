"""What happens to clean speech on its way to the model: rooms, noises, levels, colours."""

from __future__ import annotations

import functools
import random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tiny.mel import FFT, compress, mel_filters, power_spectrum
from tiny.speech import Samples
from tiny.vocabulary import SAMPLE_RATE

_BINS = FFT // 2 + 1
_TRACTS = 300


def silence(seconds: float) -> Samples:
    """Zeros of that length."""
    return np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)


def change_speed(samples: Samples, speed: float) -> Samples:
    """Samples played `speed` times as fast; pitch and formants move along."""
    places = np.arange(int(len(samples) / speed)) * speed
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def _room(samples: Samples, rng: random.Random, noise: np.random.Generator) -> Samples:
    """Add the tail of a room: an exponentially dying noise, 60 dB down in 0.1 to 0.5 s."""
    seconds = rng.uniform(0.1, 0.5)
    n = int(seconds * SAMPLE_RATE)
    tail = noise.standard_normal(n, dtype=np.float32)
    tail *= np.exp(-6.9 * np.arange(n) / n).astype(np.float32)
    tail[: int(0.003 * SAMPLE_RATE)] = 0
    tail *= rng.uniform(0.1, 0.6) / np.sqrt((tail**2).sum() + 1e-9)
    tail[0] = 1.0
    size = 1 << (len(samples) + n - 1).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(tail, size)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


def _noise(n: int, rng: random.Random, noise: np.random.Generator) -> Samples:
    """Coloured noise, a mains hum or both, of unit power."""
    white = noise.standard_normal(n, dtype=np.float32)
    colour = rng.random()
    if colour < 0.4:
        result = white
    else:
        slope = rng.uniform(0.3, 1.0)  # 0.5 is pink, 1 is brown
        spectrum = np.fft.rfft(white)
        spectrum *= (np.arange(len(spectrum)) + 20.0) ** -slope
        result = np.fft.irfft(spectrum, n).astype(np.float32)
    if rng.random() < 0.15:
        mains, t = rng.choice((50.0, 60.0)), np.arange(n) / SAMPLE_RATE
        hum = sum(np.sin(2 * np.pi * mains * k * t) / k for k in (1, 2, 3, 5))
        result = result / (result.std() + 1e-9) + rng.uniform(0.3, 2.0) * hum
    if rng.random() < 0.3:  # a slow swell
        period = rng.uniform(0.5, 3.0) * SAMPLE_RATE
        result = result * (1 + 0.7 * np.sin(2 * np.pi * np.arange(n) / period))
    return np.asarray(result / (result.std() + 1e-9), dtype=np.float32)


def disturbed(samples: Samples, rng: random.Random, noise: np.random.Generator) -> Samples:
    """A stream [n] as some microphone in some room might hear it."""
    if rng.random() < 0.3:
        samples = _room(samples, rng, noise)
    peak = float(np.abs(samples).max())
    level = 10 ** (-(rng.uniform(0, 12) if rng.random() < 0.6 else rng.uniform(12, 42)) / 20)
    if peak > 0:
        samples = samples * (level / peak)
    if rng.random() < 0.8:
        ratio = 10 ** (-rng.uniform(6, 45) / 20)
        loud = samples[np.abs(samples) > 0.05 * level]
        power = float(np.sqrt((loud**2).mean())) if len(loud) else 0.1 * level
        samples = samples + _noise(len(samples), rng, noise) * (power * ratio)
    if rng.random() < 0.05:  # overdriven
        samples = samples * rng.uniform(1.5, 4.0)
    whole = np.round(np.clip(samples, -1, 1) * 32767)
    return np.asarray(whole / 32768, dtype=np.float32)


@functools.cache
def _tract_filters(number: int) -> Tensor:
    """Mel filters [128, 201] that hear another speaker: one of many bendings of the frequencies.

    The whole axis is stretched by up to an eighth, and its parts a little more or less than that.
    """
    rng = np.random.default_rng(number)
    knots = np.array([0.0, 600.0, 1300.0, 2200.0, 3400.0, 5000.0, 8000.0])
    stretch = rng.uniform(0.88, 1.13) * (1 + 0.03 * rng.standard_normal(len(knots)))
    hertz = np.linspace(0.0, 8000.0, _BINS)
    places = np.maximum.accumulate(np.interp(hertz, knots, knots / stretch)) / 8000.0 * (_BINS - 1)
    places = np.minimum(places, _BINS - 1)
    low = np.minimum(places.astype(np.int64), _BINS - 2)
    share = places - low
    matrix: NDArray[np.float64] = np.zeros((_BINS, _BINS))
    matrix[np.arange(_BINS), low] = 1 - share
    matrix[np.arange(_BINS), low + 1] = share
    return mel_filters() @ torch.tensor(matrix, dtype=torch.float32)


def _colour(rng: random.Random) -> Tensor:
    """A random smooth gain over frequency, as power [201]."""
    knots = [rng.gauss(0, 4) for _ in range(6)]
    tilt = rng.uniform(-6, 6)
    x = np.linspace(0, 1, _BINS)
    decibels = np.interp(np.sqrt(x), np.linspace(0, 1, 6), knots) + tilt * x
    if rng.random() < 0.1:  # a telephone
        hertz = x * 8000
        low, high = rng.uniform(100, 300), rng.uniform(3300, 4500)
        decibels = decibels - 40 * ((hertz < low) | (hertz > high))
    return torch.tensor(10 ** (decibels / 10), dtype=torch.float32)


def disturbed_mel(samples: Tensor, rng: random.Random) -> Tensor:
    """Log-mel [B, 128, n / 160] of samples [B, n], each row with its own colour and vocal tract.

    Some mel bands and short stretches of time are blotted out.
    """
    power = power_spectrum(samples)
    filters = []
    for i in range(len(samples)):
        if rng.random() < 0.7:
            power[i] *= _colour(rng)[:, None]
        bent = rng.random() < 0.6
        filters.append(_tract_filters(rng.randrange(_TRACTS)) if bent else mel_filters())
    mel = compress(torch.bmm(torch.stack(filters), power))
    for row in mel:
        if rng.random() < 0.5:
            for _ in range(rng.randint(1, 2)):
                width = rng.randint(2, 18)
                first = rng.randint(0, mel.shape[1] - width)
                row[first : first + width] = float(row.mean())
        if rng.random() < 0.3:
            width = rng.randint(2, 8)
            first = rng.randint(0, mel.shape[2] - width)
            row[:, first : first + width] = float(row.mean())
    return mel
