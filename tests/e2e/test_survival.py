"""Killed in the middle: the engine, and the application itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import wave
from pathlib import Path

import pytest
from voxtui.audio.source import FileSource

from voxtui import paths
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


def test_a_killed_engine_is_restarted_and_no_word_is_lost(
    tmp_path: Path, texts: dict[str, str]
) -> None:
    events: list[Event] = []
    pipeline = Pipeline(
        PipelineConfig(
            source=lambda: FileSource(DEMO, realtime=True),
            engine=EngineConfig(paths.builtin_model_dir()),
            sessions_dir=tmp_path,
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
    assert text == texts["demo.wav"]
    states = [e.state for e in events if isinstance(e, EngineChanged)]
    assert states.count(EngineState.RESTARTING) == 2
    assert sum(isinstance(e, WordsRetracted) for e in events) == 2


@pytest.mark.parametrize("after_s", [0.0, 0.7, 1.5, 3.1, 4.6, 7.3])
def test_a_killed_application_leaves_whole_files(
    environment: dict[str, str], home: Path, texts: dict[str, str], after_s: float
) -> None:
    program = subprocess.Popen(
        [*VOXTUI, "listen", "--model", "tiny", "--input", str(DEMO)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sessions = home / "data" / "sessions"
    deadline = time.monotonic() + 30
    while not list(sessions.glob("*/audio.wav")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(after_s)
    engines = children(program.pid, "voxtral")
    program.kill()
    program.wait()
    (audio,) = sessions.glob("*/audio.wav")
    with wave.open(str(audio)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert seconds >= after_s - 1.0
    words = "".join(
        event["text"]
        for line in (audio.parent / "events.jsonl").read_text().splitlines()[:-1]
        if (event := json.loads(line))["type"] == "token"
    )
    assert texts["demo.wav"].startswith(words.strip())
    (audio.parent / "transcript.md").read_text(encoding="utf-8")
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in engines) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in engines), "an engine was left behind"
