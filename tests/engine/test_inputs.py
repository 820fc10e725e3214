"""Files and pipes: every kind of WAV, streams, damaged ones."""

from __future__ import annotations

import array
import math
import os
import struct
import subprocess
from pathlib import Path

import pytest

from tests.engine.driver import PATIENCE, ROOT, Clip, Engine, one_sentence, silence, wav

SEEDS = ROOT / "voxtral_c" / "fuzz" / "corpus" / "wav"


def as_float(pcm: bytes) -> list[float]:
    return [value / 32768 for value in array.array("h", pcm)]


def raise_rate(samples: list[float], factor: int) -> list[float]:
    """Samples at a whole multiple of the rate, by straight lines."""
    out = []
    for now, after in zip(samples, [*samples[1:], 0.0], strict=True):
        out += [now + (after - now) * i / factor for i in range(factor)]
    return out


def test_sample_formats_give_the_same_ids(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    samples = as_float(clip.pcm)
    whole = [round(x * 32768) for x in samples]
    formats = {
        "s16": wav(clip.pcm),
        "s24": wav(b"".join(struct.pack("<i", x << 8)[:3] for x in whole), bits=24),
        "s32": wav(b"".join(struct.pack("<i", x << 16) for x in whole), bits=32),
        "f32": wav(struct.pack(f"<{len(samples)}f", *samples), form=3, bits=32),
        "f64": wav(struct.pack(f"<{len(samples)}d", *samples), form=3, bits=64),
        "stereo": wav(b"".join(struct.pack("<hh", x, x) for x in whole), channels=2),
    }
    for name, data in formats.items():
        path = tmp_path / f"{name}.wav"
        path.write_bytes(data)
        result = engine.run("-i", path, "--tokens", "--silent")
        assert (result.ids, result.err) == (clip.ids[480], ""), name


@pytest.mark.parametrize("factor", [2, 3])
def test_other_rates(engine: Engine, clip: Clip, tmp_path: Path, factor: int) -> None:
    samples = raise_rate(as_float(clip.pcm), factor)
    data = b"".join(struct.pack("<h", max(-32768, min(32767, round(x * 32768)))) for x in samples)
    path = tmp_path / "fast.wav"
    path.write_bytes(wav(data, rate=16000 * factor))
    result = engine.run("-i", path, "--events")
    end = result.of_type("utterance_end")[0]
    assert end["audio_in"] == pytest.approx(clip.seconds, abs=0.001)
    text = engine.run("-i", path, "--silent").text
    assert text == clip.text + "\n"


def test_44100_hz(engine: Engine, tmp_path: Path) -> None:
    tone = [round(3000 * math.sin(i / 20)) for i in range(44100)]
    path = tmp_path / "tone.wav"
    path.write_bytes(wav(struct.pack(f"<{len(tone)}h", *tone), rate=44100))
    end = engine.run("-i", path, "--events").of_type("utterance_end")[0]
    assert end["audio_in"] == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_streamed_wav(engine: Engine, clip: Clip, tmp_path: Path, size: int) -> None:
    """A header written before the length was known is no reason to warn."""
    path = tmp_path / "streamed.wav"
    path.write_bytes(wav(clip.pcm, size=size))
    result = engine.run("-i", path, "--tokens", "--silent")
    assert (result.ids, result.err) == (clip.ids[480], "")


def test_cut_off_wav(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav(clip.pcm, size=2 * len(clip.pcm)))
    result = engine.run("-i", path)
    assert result.text == clip.text + "\n"
    assert "cut off" in result.err
    assert result.code == 0
    events = engine.run("-i", path, "--events", "--silent")
    assert [event["code"] for event in events.of_type("warning")] == ["truncated"]
    assert events.events[-1]["type"] == "end"


def test_a_wav_cut_off_anywhere(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    whole = wav(clip.pcm)
    path = tmp_path / "cut.wav"
    for n in [*range(0, 46, 3), 1000]:
        path.write_bytes(whole[:n])
        result = engine.run("-i", path, "--silent")
        assert result.code == (2 if n < 44 else 0), n
        assert result.err == "" or one_sentence(result.err), n


def test_damaged_wavs(engine: Engine) -> None:
    seeds = sorted(SEEDS.iterdir())
    assert len(seeds) > 10
    for seed in seeds:
        for args in (("-i", str(seed)), ("--stdin",)):
            stdin = seed.read_bytes() if args[0] == "--stdin" else b""
            result = engine.run(*args, "--silent", stdin=stdin)
            assert result.code in (0, 2), (seed.name, result.err)
            assert (result.code == 2) == one_sentence(result.err), (seed.name, result.err)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.ogg", b"OggS" + bytes(60), "Ogg"),
        ("a.mp3", b"ID3\x04" + bytes(60), "MP3"),
        ("a.m4a", b"\0\0\0 ftypM4A " + bytes(60), "MP4"),
        ("a.txt", b"Dear diary, today I wrote no sound", "not a WAV file"),
        ("empty.wav", b"", "not a WAV file"),
    ],
)
def test_other_files(engine: Engine, tmp_path: Path, name: str, data: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    result = engine.run("-i", path, "--silent")
    assert result.code == 2
    assert one_sentence(result.err)
    assert words in result.err
    assert name in result.err


def test_missing_file_and_folder(engine: Engine, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.wav", tmp_path):
        result = engine.run("-i", path)
        assert result.code == 2
        assert one_sentence(result.err)


def test_stdin_takes_wav_and_raw(engine: Engine, clip: Clip) -> None:
    for args in (("--stdin",), ("-i", "-")):
        for data in (wav(clip.pcm), wav(clip.pcm, size=0xFFFFFFFF), clip.pcm):
            result = engine.run(*args, "--tokens", "--silent", stdin=data)
            assert (result.ids, result.err) == (clip.ids[480], "")


def test_a_terminal_gives_no_sound(engine: Engine) -> None:
    ours, theirs = os.openpty()
    for args in (("--stdin",), ("--framed",)):
        done = subprocess.run(
            [*engine.command, "-d", str(engine.model), *args],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 2
        assert one_sentence(done.stderr)
    os.close(theirs)
    os.close(ours)


@pytest.mark.parametrize("data", [b"", b"x", b"\0\0\0", bytes(11), bytes(13)])
def test_hardly_any_stdin(engine: Engine, data: bytes) -> None:
    result = engine.run("--stdin", "--silent", stdin=data)
    assert (result.code, result.text, result.err) == (0, "\n", "")


@pytest.mark.parametrize("header", [True, False])
def test_words_come_before_the_input_ends(engine: Engine, clip: Clip, header: bool) -> None:
    running = engine.start("--stdin", "-I", "0.5")
    if header:
        running.write(wav(b"", size=0xFFFFFFFF))
    for at in range(0, len(clip.pcm), 3001):  # pieces that cut samples in two
        running.write(clip.pcm[at : at + 3001])
    running.write(silence(3))
    running.wait_for(lambda r: bytes(r.received).decode(errors="ignore") == clip.text)
    running.end_input()
    result = running.finish()
    assert (result.code, result.text) == (0, clip.text + "\n")


def test_low_latency_completes_words_at_a_pause(engine: Engine, clip: Clip) -> None:
    """Live sound: a silence ends an utterance, and a long one ends the line."""
    running = engine.start("--stdin", "--low-latency")
    running.write(silence(1) + clip.pcm + silence(0.5) + clip.pcm + silence(3))
    running.wait_for(lambda r: b"\n" in r.received)
    running.write(clip.pcm)
    running.end_input()
    result = running.finish()
    assert result.code == 0
    lines = result.text.splitlines()
    assert len(lines) == 2
    assert all(line and line == line.strip() and "  " not in line for line in lines)
    # Split at its pauses, the clip is heard in other pieces; most of its words are the same.
    assert len(lines[0].split()) >= len(clip.text.split())


def test_a_slow_writer(engine: Engine, clip: Clip) -> None:
    """Every byte in a write of its own for a while, then the rest."""
    running = engine.start("--stdin", "--tokens")
    for at in range(200):
        running.write(clip.pcm[at : at + 1])
    running.write(clip.pcm[200:])
    running.end_input()
    assert running.finish().ids == clip.ids[480]


def test_a_named_pipe_as_file(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    running = engine.start("-i", path, "--tokens")
    path.write_bytes(wav(clip.pcm))
    assert running.finish().ids == clip.ids[480]
