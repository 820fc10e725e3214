"""Killed in the middle: the engine, and the application itself."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from voxtui import paths
from voxtui.audio.files import FileSource
from voxtui.engine.config import EngineConfig
from voxtui.events import EngineChanged, EngineState, Event, WordsRetracted
from voxtui.pipeline import Pipeline, PipelineConfig

from .conftest import CLIPS, VOXTUI

pytestmark = pytest.mark.e2e

DEMO = CLIPS / "demo.wav"


def children(pid: int, name: str) -> list[int]:
    """Process ids of the children of `pid` whose program is called `name`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        program, rest = stat[stat.index("(") + 1 :].rsplit(")", 1)
        if program == name and int(rest.split()[1]) == pid:
            found.append(int(entry.name))
    return found


def joined(names: list[str], path: Path) -> Path:
    """The clips one after the other, with a second between."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        for name in names:
            with wave.open(str(CLIPS / name)) as clip:
                out.writeframes(clip.readframes(clip.getnframes()) + bytes(32000))
    return path


def test_a_killed_engine_is_restarted_and_no_word_is_lost(
    tmp_path: Path, texts: dict[str, str]
) -> None:
    # Clips that are heard right wherever the second hearing starts.
    names = [f"{name}.wav" for name in ("cafe", "please_write", "computer_open_music")] * 2
    sound = joined(names, tmp_path / "sound.wav")
    events: list[Event] = []
    pipeline = Pipeline(
        PipelineConfig(
            source=lambda: FileSource(sound, realtime=True),
            engine=EngineConfig(paths.builtin_model_dir()),
            sessions_dir=tmp_path / "sessions",
            keep_everything=True,
        ),
        events.append,
    )
    pipeline.start()
    kills = 0
    deadline = time.monotonic() + 60
    while kills < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
        if len(pipeline.text().split()) >= 3 * (kills + 1):
            for pid in children(os.getpid(), "voxtral"):
                os.kill(pid, signal.SIGKILL)
                kills += 1
    assert kills == 2
    assert pipeline.wait_idle(90)
    text = " ".join(pipeline.text().split())
    pipeline.close()
    assert text == " ".join(texts[name] for name in names)
    states = [e.state for e in events if isinstance(e, EngineChanged)]
    assert states.count(EngineState.RESTARTING) == 2
    assert sum(isinstance(e, WordsRetracted) for e in events) == 2


@pytest.fixture
def application(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The terminal application on a pseudo-terminal that nobody reads, hearing the demo clip."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    program = subprocess.Popen(
        [*VOXTUI, "--model", "tiny", "--input", str(DEMO)],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)

    def drain() -> None:
        with contextlib.suppress(OSError):
            while os.read(ours, 65536):
                pass

    threading.Thread(target=drain, daemon=True).start()
    yield program
    program.kill()
    program.wait()
    os.close(ours)


@pytest.mark.parametrize("after_s", [0.0, 0.7, 1.5, 3.1, 4.6, 7.3])
def test_a_killed_application_leaves_whole_files(
    application: subprocess.Popen[bytes], home: Path, texts: dict[str, str], after_s: float
) -> None:
    sessions = home / "data" / "sessions"
    wait_until(lambda: bool(list(sessions.glob("*/audio.wav"))), 60)
    time.sleep(after_s)
    engines = children(application.pid, "voxtral")
    application.kill()
    application.wait()
    (audio,) = sessions.glob("*/audio.wav")
    with wave.open(str(audio)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert seconds > after_s / 2
    words = "".join(
        event["text"]
        for line in (audio.parent / "events.jsonl").read_text().splitlines()[:-1]
        if (event := json.loads(line))["type"] == "token"
    )
    assert texts["demo.wav"].startswith(words.strip())
    (audio.parent / "transcript.md").read_text(encoding="utf-8")
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in engines), 20)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
