"""The microphone, through a PortAudio library with a made-up device."""

from __future__ import annotations

import array
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.driver import (
    ROOT,
    Clip,
    Engine,
    audio,
    frame,
    joined_text,
    one_sentence,
    silence,
)

WINDOW = 160
PREROLL = 3200


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler")
    source = ROOT / "voxtral_c" / "cli" / "tests" / "fake_portaudio.c"
    path = tmp_path_factory.mktemp("portaudio") / "libfake.so"
    flags = ("-shared", "-fPIC", "-std=c11", "-pthread", "-D_POSIX_C_SOURCE=200809L")
    subprocess.run([compiler, *flags, "-o", str(path), str(source)], check=True)
    return str(path)


@pytest.fixture
def environment(library: str, clip: Clip, tmp_path: Path) -> dict[str, str]:
    sound = tmp_path / "sound.raw"
    sound.write_bytes(silence(1) + clip.pcm + silence(1))
    return {"VOXTRAL_PORTAUDIO": library, "FAKE_SOUND": str(sound)}


def utterances(pcm: bytes, tolerance_ms: int) -> list[bytes]:
    """What the engine is given of this sound: the rule for silence, once more."""
    samples = array.array("h", pcm)
    found: list[bytes] = []
    begin, stop, quiet = -1, 0, 0
    for at in range(0, len(samples) - WINDOW + 1, WINDOW):
        energy = sum((x / 32768) ** 2 for x in samples[at : at + WINDOW])
        loud = energy >= 0.002**2 * WINDOW
        quiet = 0 if loud else quiet + 1
        if begin < 0 and loud:
            begin = max(at - PREROLL, stop)
        elif begin >= 0 and quiet == tolerance_ms // 10:
            stop = at + WINDOW
            found.append(samples[begin:stop].tobytes())
            begin = -1
    return found


@pytest.mark.parametrize("low_latency", [False, True])
def test_words(engine: Engine, clip: Clip, environment: dict[str, str], low_latency: bool) -> None:
    pcm = Path(environment["FAKE_SOUND"]).read_bytes()
    parts = utterances(pcm, 300 if low_latency else 600)
    frames = b"".join(audio(part) + frame("F") for part in parts)
    expected = joined_text(engine.run("--framed", "--events", stdin=frames).events)
    assert len(expected.split()) > 1
    args = ["--low-latency"] if low_latency else []
    running = engine.start("--from-mic", *args, environment=environment)
    running.wait_for(lambda r: b"\n" in r.received)  # silence follows: a pause ends the line
    running.interrupt()
    result = running.finish()
    assert result.code == 130
    assert result.text.strip() == expected.strip()
    assert "Listening" in result.err
    assert "noise" not in result.err


def test_events(engine: Engine, environment: dict[str, str]) -> None:
    running = engine.start("--from-mic", "--events", environment=environment)
    running.wait_for(lambda r: any(e["type"] == "utterance_end" for e in r.events()))
    running.interrupt()
    result = running.finish()
    assert result.code == 130
    assert result.of_type("token")
    assert result.events[-1]["type"] == "end"


@pytest.mark.parametrize("more", [{}, {"FAKE_STEREO": "1"}])
def test_a_device_that_refuses_16_khz(
    engine: Engine, clip: Clip, environment: dict[str, str], more: dict[str, str]
) -> None:
    """It is opened at its own rate; its sound arrives at the right speed."""
    raised = array.array("h")
    for sample in array.array("h", clip.pcm):
        raised.extend((sample, sample, sample))
    Path(environment["FAKE_SOUND"]).write_bytes(raised.tobytes())
    changed = environment | {"FAKE_RATE": "48000"} | more
    running = engine.start("--from-mic", "--events", environment=changed)
    parts = utterances(clip.pcm + silence(2), 600)
    running.wait_for(lambda r: r.received.count(b'"utterance_end"') >= len(parts))
    running.interrupt()
    result = running.finish()
    ends = result.of_type("utterance_end")[: len(parts)]
    heard = sum(len(part) for part in parts) / 32000
    assert sum(end["audio_in"] for end in ends) == pytest.approx(heard, abs=0.3)
    assert result.of_type("token")


def test_a_device_that_goes(engine: Engine, environment: dict[str, str]) -> None:
    running = engine.start(
        "--from-mic", "--events", "--silent", environment=environment | {"FAKE_GOES": "1"}
    )
    result = running.finish()
    assert result.code == 1
    assert one_sentence(result.err)
    assert result.of_type("token")
    assert result.events[-1]["code"] == "microphone"


def test_lost_sound_is_said_once(engine: Engine, environment: dict[str, str]) -> None:
    changed = environment | {"FAKE_LOSES": "1"}
    running = engine.start("--from-mic", "--events", environment=changed)
    running.wait_for(lambda r: any(e["type"] == "utterance_end" for e in r.events()))
    running.interrupt()
    assert [event["code"] for event in running.finish().of_type("warning")] == ["overflow"]


def test_nothing_but_zeros(engine: Engine, environment: dict[str, str]) -> None:
    Path(environment["FAKE_SOUND"]).write_bytes(b"")
    running = engine.start("--from-mic", "--events", environment=environment)
    running.wait_for(lambda r: any(e["type"] == "warning" for e in r.events()))
    running.interrupt()
    result = running.finish()
    assert [event["code"] for event in result.of_type("warning")] == ["silent_microphone"]
    assert not result.of_type("token")
    assert result.code == 130


def test_choosing_a_device(engine: Engine, environment: dict[str, str]) -> None:
    listed = engine.bare("--list-devices", environment=environment)
    assert (listed.code, listed.text) == (0, "* Made-up Microphone  (Made-up, 16000 Hz)\n")
    running = engine.start("--from-mic", "--device", "MICRO", "--events", environment=environment)
    running.wait_for(lambda r: b'"token"' in r.received)
    running.interrupt()
    assert running.finish().code == 130
    for wrong in ("speaker", "nothing like it"):  # a speaker is no microphone
        result = engine.bare(
            "-d", engine.model, "--from-mic", "--device", wrong, environment=environment
        )
        assert result.code == 2
        assert one_sentence(result.err)
        assert wrong in result.err


def test_no_device(engine: Engine, environment: dict[str, str]) -> None:
    changed = environment | {"FAKE_NONE": "1"}
    for args in (("-d", str(engine.model), "--from-mic"), ("--list-devices",)):
        result = engine.bare(*args, environment=changed)
        assert result.code == 2
        assert one_sentence(result.err)


def test_no_library(engine: Engine, tmp_path: Path) -> None:
    missing = {"VOXTRAL_PORTAUDIO": str(tmp_path / "libnothing.so")}
    for args in (("-d", str(engine.model), "--from-mic"), ("--list-devices",)):
        result = engine.bare(*args, environment=missing)
        assert result.code == 2
        assert one_sentence(result.err)
        assert "libnothing.so" in result.err


def test_the_wheels_library_comes_first(engine: Engine, library: str, tmp_path: Path) -> None:
    """Of the Python environment that the engine is started from, before the system's."""
    folder = tmp_path / "_sounddevice_data" / "portaudio-binaries"
    folder.mkdir(parents=True)
    suffix = "dylib" if sys.platform == "darwin" else "so"
    shutil.copy(library, folder / f"libportaudio.{suffix}")
    environment = {"VOXTRAL_PACKAGES": str(tmp_path), "FAKE_RATE": "16000"}
    listed = engine.bare("--list-devices", environment=environment)
    assert (listed.code, listed.text) == (0, "* Made-up Microphone  (Made-up, 16000 Hz)\n")


def test_a_library_of_another_kind(engine: Engine, tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler")
    (tmp_path / "empty.c").write_text("int nothing;\n")
    library = tmp_path / "libother.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(library), str(tmp_path / "empty.c")], check=True
    )
    result = engine.bare("--list-devices", environment={"VOXTRAL_PORTAUDIO": str(library)})
    assert result.code == 2
    assert "not version 19" in result.err
