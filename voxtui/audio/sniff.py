"""What a stream of bytes is, from its beginning."""

from __future__ import annotations

from enum import Enum

ENOUGH = 4096
"""Bytes after which nothing more can be learned."""


class Kind(Enum):
    RAW = "raw"
    WAV = "wav"
    MEDIA = "media"
    UNKNOWN_YET = "unknown yet"


_MAGIC = (
    b"OggS",
    b"fLaC",
    b"ID3",
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"caff",
    b".snd",
    b"#!AMR",
    b"wvpk",
    b"MAC ",
    b"FLV\x01",
    b"RF64",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMA
)
_RATES = (44100, 48000, 32000)
_KBPS_V1_L3 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_V2_L3 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def sniff(beginning: bytes, *, ended: bool = False) -> Kind:
    """The kind of a stream that begins so; `ended` when nothing more will come."""
    for magic in _MAGIC:
        if beginning.startswith(magic):
            return Kind.MEDIA
    if len(beginning) < 12 and not ended:
        return Kind.UNKNOWN_YET
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WAVE":
        return Kind.WAV
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"AVI ":
        return Kind.MEDIA
    if beginning[:4] == b"FORM" and beginning[8:12] in (b"AIFF", b"AIFC"):
        return Kind.MEDIA
    if beginning[4:8] == b"ftyp":
        return Kind.MEDIA
    return _sniff_frames(beginning, ended)


def _sniff_frames(beginning: bytes, ended: bool) -> Kind:
    """MP3 and AAC without a header begin with a frame; two in a row are no accident."""
    first = _frame_size(beginning)
    if first is None:
        return Kind.RAW
    if len(beginning) < first + 4:
        return Kind.RAW if ended or len(beginning) >= ENOUGH else Kind.UNKNOWN_YET
    return Kind.MEDIA if _frame_size(beginning[first:]) is not None else Kind.RAW


def _frame_size(data: bytes) -> int | None:
    """The length of the MP3 or ADTS frame that begins here; None if none does."""
    if len(data) < 6 or data[0] != 0xFF:
        return None
    if data[1] & 0xF6 == 0xF0:  # ADTS
        size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        return size if size > 7 and (data[2] >> 2) & 15 < 13 else None
    version, layer = (data[1] >> 3) & 3, (data[1] >> 1) & 3
    if data[1] & 0xE0 != 0xE0 or version == 1 or layer != 1:
        return None
    bitrate, rate = data[2] >> 4, (data[2] >> 2) & 3
    if bitrate in (0, 15) or rate == 3:
        return None
    hertz = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    kbps = (_KBPS_V1_L3 if version == 3 else _KBPS_V2_L3)[bitrate]
    return (144 if version == 3 else 72) * kbps * 1000 // hertz + ((data[2] >> 1) & 1)
