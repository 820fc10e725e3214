from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from voxtui.audio.files import FileSource
from voxtui.audio.source import AudioError
from voxtui.events import AudioBlock, CaptureChanged, CaptureState, Notice

from .conftest import Ear, encode, pitch, tone

FORMATS = [
    ("a.wav", "pcm_s16le", 16_000, False),
    ("a24.wav", "pcm_s24le", 48_000, True),
    ("a.aiff", "pcm_s16be", 44_100, False),
    ("a.flac", "flac", 44_100, True),
    ("a.mp3", "libmp3lame", 44_100, True),
    ("a.opus", "libopus", 48_000, False),
    ("a.webm", "libopus", 48_000, True),
    ("a.m4a", "aac", 44_100, True),
    ("a.mkv", "ac3", 48_000, False),
]


@pytest.mark.parametrize(("name", "codec", "rate", "stereo"), FORMATS)
def test_formats(tmp_path: Path, ear: Ear, name: str, codec: str, rate: int, stereo: bool) -> None:
    path = encode(tmp_path / name, tone(2.0, 440, rate), rate, codec, stereo=stereo)
    source = FileSource(path)
    ear.hear_all(source)
    samples = ear.samples()
    assert samples.size == pytest.approx(32_000, abs=2_500)  # encoders add a little
    assert pitch(samples[4_000:28_000]) == pytest.approx(440, abs=3)
    assert 8_000 < np.abs(samples[4_000:28_000]).max() < 18_000
    assert source.duration_s == pytest.approx(2.0, abs=0.15)
    assert ear.states() == [CaptureState.PREPARING, CaptureState.RUNNING, CaptureState.FINISHED]
    assert ear.of(Notice) == []


def test_the_sound_of_a_video(tmp_path: Path, ear: Ear) -> None:
    path = encode(tmp_path / "a.mp4", tone(2.0, 600, 48_000), 48_000, "aac", video=True)
    ear.hear_all(FileSource(path))
    assert pitch(ear.samples()[4_000:28_000]) == pytest.approx(600, abs=3)


def test_our_own_format_passes_bit_by_bit(tmp_path: Path, ear: Ear) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32767, 40_001).astype(np.int16)
    path = encode(tmp_path / "a.wav", samples, 16_000, "pcm_s16le")
    assert ear.hear_all(FileSource(path)) == samples.tobytes()


def test_blocks_of_a_tenth_of_a_second(tmp_path: Path, ear: Ear) -> None:
    path = encode(tmp_path / "a.flac", tone(1.05), 16_000, "flac")
    ear.hear_all(FileSource(path))
    sizes = [len(block.pcm) for block in ear.of(AudioBlock)]
    assert sizes == [3_200] * 10 + [1_600]


def test_real_time_goes_by_the_clock(tmp_path: Path, ear: Ear) -> None:
    path = encode(tmp_path / "a.wav", tone(10.0), 16_000, "pcm_s16le")
    now = [100.0]

    def sleep(seconds: float) -> None:
        assert seconds > 0
        now[0] += seconds

    ear.hear_all(FileSource(path, realtime=True, sleep=sleep, clock=lambda: now[0]))
    assert now[0] == pytest.approx(110.0, abs=0.01)
    assert max(len(block.pcm) for block in ear.of(AudioBlock)) == 533 * 2


def test_real_time_catches_up_after_a_delay(tmp_path: Path, ear: Ear) -> None:
    path = encode(tmp_path / "a.wav", tone(3.0), 16_000, "pcm_s16le")
    now = [0.0]
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += 1.0 if len(slept) == 1 else seconds  # the machine was away for a second

    ear.hear_all(FileSource(path, realtime=True, sleep=sleep, clock=lambda: now[0]))
    assert now[0] == pytest.approx(3.0, abs=0.05)


def test_stop_in_the_middle(tmp_path: Path, ear: Ear) -> None:
    path = encode(tmp_path / "a.wav", tone(60.0), 16_000, "pcm_s16le")
    source = FileSource(path, realtime=True)
    source.start(ear.post)
    ear.wait_state(CaptureState.RUNNING)
    source.stop()
    count = len(ear.events)
    source.stop()
    assert len(ear.events) == count
    assert CaptureState.FINISHED not in ear.states()


# ---- what cannot be read -----------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(AudioError) as error:
        FileSource(path)
    return str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.wav") == f"{tmp_path}/no.wav does not exist."


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path)


def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "standard input" in refused(tmp_path / "pipe")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(tmp_path / "a.wav", tone(0.1), 16_000, "pcm_s16le")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "permissions" in refused(path)


def test_garbage(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(np.random.default_rng(2).bytes(50_000))
    assert "a.mp3" in refused(path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    assert "a.wav" in refused(tmp_path / "a.wav")


def test_a_wav_without_samples(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wav", tone(0.1), 16_000, "pcm_s16le")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"data") + 4] + bytes(4))
    assert refused(path) == "a.wav contains no sound."


def test_a_picture(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    assert refused(tmp_path / "a.mp4") == "a.mp4 contains no sound."


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("a.mp3", "libmp3lame"), ("a.flac", "flac")]
)
def test_a_file_that_was_cut_off(tmp_path: Path, ear: Ear, name: str, codec: str) -> None:
    path = encode(tmp_path / name, tone(10.0, rate=44_100), 44_100, codec)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    ear.hear_all(FileSource(path))
    assert 4 * 16_000 < ear.samples().size < 8 * 16_000
    assert ear.states()[-1] is CaptureState.FINISHED
    if name != "a.mp3":  # which does not say how long it is
        assert len(ear.of(Notice)) == 1
        assert name in ear.of(Notice)[0].message


def test_damage_in_the_middle_is_skipped(tmp_path: Path, ear: Ear) -> None:
    path = encode(tmp_path / "a.ogg", tone(10.0, rate=48_000), 48_000, "libopus")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3_000] = np.random.default_rng(3).bytes(3_000)
    path.write_bytes(bytes(data))
    ear.hear_all(FileSource(path))
    assert ear.samples().size > 5 * 16_000
    assert ear.states()[-1] is CaptureState.FINISHED


def test_a_file_that_vanishes_after_the_look(tmp_path: Path, ear: Ear) -> None:
    path = encode(tmp_path / "a.wav", tone(0.5), 16_000, "pcm_s16le")
    source = FileSource(path)
    path.unlink()
    ear.hear_all(source)
    assert ear.of(CaptureChanged)[-1] == CaptureChanged(
        CaptureState.FAILED, "a.wav", "a.wav does not exist."
    )
