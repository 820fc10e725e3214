"""The front end: samples to log-mel frames, as the model was defined, and its padding."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tiny.vocabulary import TOKEN_SAMPLES

FFT, HOP, MELS, TOP_HERTZ = 400, 160, 128, 8000.0
RIGHT_PAD_TOKENS = 11  # after the delay: one for the first token, ten more


def _to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's scale: linear to 1 kHz, then logarithmic."""
    bend = 15.0 + np.log(np.maximum(hertz, 1e-9) / 1000.0) * 27.0 / np.log(6.4)
    return np.where(hertz >= 1000.0, bend, 3.0 * hertz / 200.0)


def _to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    bend = 1000.0 * np.exp(np.log(6.4) / 27.0 * (mel - 15.0))
    return np.where(mel >= 15.0, bend, 200.0 * mel / 3.0)


@functools.cache
def mel_filters() -> Tensor:
    """Triangular filters [128, 201] with Slaney's norm."""
    bins = np.linspace(0.0, TOP_HERTZ, FFT // 2 + 1)
    top = _to_mel(np.array(TOP_HERTZ))
    edges = _to_hertz(np.linspace(0.0, top, MELS + 2))
    norm = 2.0 / (edges[2:] - edges[:-2])
    width = np.diff(edges)
    slope = edges[None] - bins[:, None]
    rise, fall = -slope[:, :-2] / width[:-1], slope[:, 2:] / width[1:]
    filters = np.maximum(0.0, np.minimum(rise, fall)) * norm[None]
    return torch.tensor(filters.T, dtype=torch.float32)


_WINDOW = torch.hann_window(FFT)


def power_spectrum(samples: Tensor) -> Tensor:
    """Samples [B, n] to power [B, 201, n / 160]; one continuous grid of frames."""
    spectrum = torch.stft(
        samples, FFT, HOP, window=_WINDOW, center=True, pad_mode="reflect", return_complex=True
    )
    return spectrum[..., :-1].abs() ** 2


def compress(mel_power: Tensor) -> Tensor:
    """Mel power to the log scale the model reads; silence is -0.625."""
    logarithm = torch.clamp(mel_power, min=1e-10).log10()
    return (torch.clamp(logarithm, min=1.5 - 8.0) + 4.0) / 4.0


def log_mel(samples: Tensor) -> Tensor:
    """Samples [B, n] at 16 kHz to log-mel [B, 128, n / 160]."""
    return compress(mel_filters() @ power_spectrum(samples))


def pad_offline(samples: NDArray[np.float32], delay: int, left_pads: int = 32) -> Tensor:
    """One utterance [n] with the silence the model wants on both sides: [1, tokens * 1280]."""
    right = -len(samples) % TOKEN_SAMPLES + (delay + RIGHT_PAD_TOKENS) * TOKEN_SAMPLES
    padded = np.pad(samples.astype(np.float32), (left_pads * TOKEN_SAMPLES, right))
    return torch.from_numpy(padded)[None]
