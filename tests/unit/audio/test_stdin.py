from __future__ import annotations

import contextlib
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtui.audio.sniff import Kind, sniff
from voxtui.audio.stdin import PcmSource
from voxtui.audio.wav import UnsupportedWavError, parse_wav
from voxtui.events import CaptureChanged, CaptureState, Notice

from .conftest import Ear, encode, pitch, tone


class Pipe:
    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self._writer: threading.Thread | None = None

    def send(self, *pieces: bytes, end: bool = True) -> None:
        """From a thread, as a pipe holds little."""

        def work() -> None:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(self.write, view) :]
            if end:
                os.close(self.write)
                self.write = -1

        self._writer = threading.Thread(target=work, daemon=True)
        self._writer.start()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.join(1.0)  # it may be between closing and saying so
        for fd in (self.read, self.write):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_raw_samples(ear: Ear, pipe: Pipe) -> None:
    sound = tone(2.5).tobytes()
    pipe.send(sound)
    assert ear.hear_all(PcmSource(pipe.read)) == sound
    assert ear.states() == [
        CaptureState.PREPARING,
        CaptureState.RUNNING,
        CaptureState.FINISHED,
    ]


def test_odd_pieces_lose_nothing(ear: Ear, pipe: Pipe) -> None:
    sound = tone(1.0).tobytes()
    pipe.send(*(sound[start : start + 777] for start in range(0, len(sound), 777)))
    assert ear.hear_all(PcmSource(pipe.read)) == sound


def test_an_odd_byte_at_the_end_is_dropped(ear: Ear, pipe: Pipe) -> None:
    pipe.send(tone(0.5).tobytes() + b"x")
    assert ear.hear_all(PcmSource(pipe.read)) == tone(0.5).tobytes()


def test_an_empty_pipe(ear: Ear, pipe: Pipe) -> None:
    pipe.send(b"")
    assert ear.hear_all(PcmSource(pipe.read)) == b""
    assert ear.states()[-1] is CaptureState.FINISHED
    assert ear.of(Notice)[0].message == "Standard input contained no sound."


@pytest.mark.parametrize("count", [1, 2, 5, 11])
def test_a_few_bytes(ear: Ear, pipe: Pipe, count: int) -> None:
    pipe.send(bytes(range(1, count + 1)))
    assert ear.hear_all(PcmSource(pipe.read)) == bytes(range(1, count // 2 * 2 + 1))


def test_a_regular_file_as_standard_input(ear: Ear, tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(tone(1.0).tobytes())
    fd = os.open(tmp_path / "a.raw", os.O_RDONLY)
    try:
        assert ear.hear_all(PcmSource(fd)) == tone(1.0).tobytes()
    finally:
        os.close(fd)


@pytest.mark.parametrize("sent", [b"", b"OggS", tone(0.7).tobytes()])
def test_stop_while_the_pipe_says_nothing(ear: Ear, pipe: Pipe, sent: bytes) -> None:
    source = PcmSource(pipe.read)
    source.start(ear.post)
    pipe.send(sent, end=False)
    ear.wait_state(CaptureState.RUNNING if len(sent) > 12 else CaptureState.PREPARING)
    source.stop()
    source.stop()
    assert CaptureState.FINISHED not in ear.states()
    os.fstat(pipe.read)  # still the caller's


def test_stop_before_start(pipe: Pipe) -> None:
    PcmSource(pipe.read).stop()


def test_a_closed_descriptor_is_a_sentence(ear: Ear) -> None:
    ear.hear_all(PcmSource(1_000))
    assert ear.of(CaptureChanged)[-1].state is CaptureState.FAILED


def test_real_time(ear: Ear, pipe: Pipe) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pipe.send(tone(5.0).tobytes())
    ear.hear_all(PcmSource(pipe.read, realtime=True, sleep=sleep, clock=lambda: now[0]))
    assert now[0] == pytest.approx(5.0, abs=0.01)


# ---- WAV ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "rate", "stereo"),
    [
        ("pcm_s16le", 16_000, False),
        ("pcm_s16le", 44_100, True),
        ("pcm_u8", 8_000, False),
        ("pcm_s24le", 48_000, True),
        ("pcm_s32le", 22_050, False),
        ("pcm_f32le", 48_000, True),
        ("pcm_f64le", 16_000, False),
        ("pcm_mulaw", 8_000, False),  # through the media decoder
    ],
)
def test_wav(ear: Ear, pipe: Pipe, tmp_path: Path, codec: str, rate: int, stereo: bool) -> None:
    path = encode(tmp_path / "a.wav", tone(1.0, 440, rate), rate, codec, stereo=stereo)
    pipe.send(path.read_bytes())
    ear.hear_all(PcmSource(pipe.read))
    samples = ear.samples()
    assert samples.size == pytest.approx(16_000, abs=20)
    assert pitch(samples[1_000:15_000]) == pytest.approx(440, abs=3)
    assert np.abs(samples[1_000:15_000]).max() == pytest.approx(16_384, rel=0.05)


def wav(data: bytes, size: int, rate: int = 16_000, extra: bytes = b"") -> bytes:
    fmt = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + extra + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 0) + b"WAVE" + chunks + data


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_without_an_end(ear: Ear, pipe: Pipe, size: int) -> None:
    """As programs write it that record into a pipe."""
    sound = tone(1.0).tobytes()
    pipe.send(wav(sound, size))
    assert ear.hear_all(PcmSource(pipe.read)) == sound


def test_what_follows_the_samples_is_no_sound(ear: Ear, pipe: Pipe) -> None:
    sound = tone(1.0).tobytes()
    pipe.send(wav(sound + b"LIST" + bytes(100), len(sound)))
    assert ear.hear_all(PcmSource(pipe.read)) == sound


def test_a_header_in_pieces_with_other_chunks(ear: Ear, pipe: Pipe) -> None:
    sound = tone(0.5).tobytes()
    data = wav(sound, len(sound), extra=b"LIST" + struct.pack("<I", 5) + b"hello\0")
    pipe.send(*(data[start : start + 7] for start in range(0, len(data), 7)))
    assert ear.hear_all(PcmSource(pipe.read)) == sound


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_any_header_is_parsed_or_refused(rest: bytes) -> None:
    with contextlib.suppress(UnsupportedWavError):
        parse_wav(b"RIFF\0\0\0\0WAVE" + rest)


# ---- other formats -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.ogg", "libopus"), ("a.webm", "libopus"), ("a.mp3", "libmp3lame"), ("a.flac", "flac")],
)
def test_media(ear: Ear, pipe: Pipe, tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, tone(2.0, 440, 48_000), 48_000, codec)
    pipe.send(path.read_bytes())
    ear.hear_all(PcmSource(pipe.read))
    assert pitch(ear.samples()[4_000:28_000]) == pytest.approx(440, abs=3)


def test_broken_media_is_a_sentence(ear: Ear, pipe: Pipe) -> None:
    pipe.send(b"fLaC" + np.random.default_rng(1).bytes(20_000))
    ear.hear_all(PcmSource(pipe.read))
    assert ear.of(CaptureChanged)[-1].state is CaptureState.FAILED
    assert "Standard input" in ear.of(CaptureChanged)[-1].detail


def test_sniffing_a_bare_mp3(tmp_path: Path) -> None:
    data = encode(tmp_path / "a.mp3", tone(1.0, rate=44_100), 44_100, "libmp3lame").read_bytes()
    frame = data[data.index(b"\xff\xfb") :]
    assert sniff(frame) is Kind.MEDIA
    assert sniff(frame[:100]) is Kind.UNKNOWN_YET


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_sniffing_never_fails(data: bytes) -> None:
    assert sniff(data, ended=True) is not Kind.UNKNOWN_YET


def test_quiet_samples_are_not_taken_for_an_mp3() -> None:
    minus_one = b"\xff\xff" * 3_000
    assert sniff(minus_one) is Kind.RAW
    assert sniff(np.full(3_000, -1025, "<i2").tobytes()) is Kind.RAW
