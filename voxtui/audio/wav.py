"""The header of a WAV stream, from its beginning alone: the length may be unknown."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from voxtui.audio.convert import Floats

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
MAX_HEADER = 1_048_576


@dataclass(frozen=True, slots=True)
class WavFormat:
    """How the samples lie in the stream. `data_bytes` is None when the stream has no end."""

    floating: bool
    channels: int
    rate: int
    bytes_per_sample: int
    data_bytes: int | None

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bytes_per_sample


@dataclass(frozen=True, slots=True)
class WavStart:
    """The format and where the samples begin."""

    format: WavFormat
    offset: int


class UnsupportedWavError(Exception):
    """A WAV, but compressed or broken: something else has to read it."""


def parse_wav(beginning: bytes) -> WavStart | None:
    """The header, or None while more of it has to come."""
    position = 12
    fmt: bytes | None = None
    while len(beginning) >= position + 8:
        kind, size = struct.unpack_from("<4sI", beginning, position)
        position += 8
        if kind == b"data":
            if fmt is None:
                raise UnsupportedWavError("no format before the data")
            return WavStart(_format(fmt, size), position)
        if size > MAX_HEADER or position > MAX_HEADER:
            raise UnsupportedWavError("the header is too long")
        if kind == b"fmt ":
            if len(beginning) < position + size:
                return None
            fmt = beginning[position : position + size]
        position += size + size % 2
    return None


def _format(fmt: bytes, data_size: int) -> WavFormat:
    if len(fmt) < 16:
        raise UnsupportedWavError("the format is cut off")
    tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == EXTENSIBLE and len(fmt) >= 26:
        tag = struct.unpack_from("<H", fmt, 24)[0]
    width = align // channels if channels else 0
    known = (tag == PCM and width in (1, 2, 3, 4)) or (tag == FLOAT and width in (4, 8))
    if not known or not 1 <= channels <= 64 or not 1000 <= rate <= 768_000 or bits > width * 8:
        raise UnsupportedWavError("not plain samples")
    endless = data_size == 0 or data_size >= 0x7FFF0000
    return WavFormat(tag == FLOAT, channels, rate, width, None if endless else data_size)


def samples_of(data: bytes, wav: WavFormat) -> Floats:
    """Whole frames of the stream as [samples, channels] floats in -1..1."""
    flat: Floats
    if wav.floating:
        values = np.frombuffer(data, dtype="<f4" if wav.bytes_per_sample == 4 else "<f8")
        flat = np.nan_to_num(values.astype(np.float32))
    elif wav.bytes_per_sample == 1:
        flat = np.frombuffer(data, dtype=np.uint8).astype(np.float32) / np.float32(128) - 1
    elif wav.bytes_per_sample == 2:
        flat = np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768)
    elif wav.bytes_per_sample == 3:
        wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
        wide[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        flat = (wide.view("<i4").reshape(-1) / 2147483648.0).astype(np.float32)
    else:
        flat = (np.frombuffer(data, dtype="<i4") / 2147483648.0).astype(np.float32)
    return flat.reshape(-1, wav.channels)
