"""The supervisor with the real engine, the built-in model and the bundled recordings."""

from __future__ import annotations

import json
import os
import signal
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voxtui import paths
from voxtui.engine.config import EngineConfig
from voxtui.engine.locate import EngineMissing, find_engine
from voxtui.engine.supervisor import Engine
from voxtui.events import EngineState, EngineStats, UtteranceEnded

from .conftest import Page

CLIPS = paths.clips_dir()


def recordings() -> list[tuple[Path, str]]:
    """The bundled recordings and what is said in them."""
    try:
        listed: Any = json.loads((CLIPS / "expected.json").read_text())
    except OSError:
        return []
    return [(CLIPS / clip["wav"], clip["text"]) for clip in listed]


@pytest.fixture(scope="module")
def binary() -> Path:
    try:
        return find_engine()
    except EngineMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def clips(binary: Path) -> list[tuple[bytes, str]]:
    if not recordings():
        pytest.skip("there are no bundled recordings")
    found = []
    for path, text in recordings()[:3]:
        with wave.open(str(path)) as sound:
            found.append((sound.readframes(sound.getnframes()), text))
    return found


class Talk:
    def __init__(self, binary: Path) -> None:
        self.page = Page()
        self.pcm = b""
        config = EngineConfig(paths.builtin_model_dir(), binary=binary, threads=1)
        self.engine = Engine(config, lambda a, n: self.pcm[2 * a : 2 * (a + n)], self.page.post)

    def say(self, pcm: bytes) -> None:
        self.pcm += pcm
        self.engine.audio_written(len(self.pcm) // 2)

    def text(self) -> str:
        return "".join(token.text for token in self.page.tokens)


@pytest.fixture
def talk(binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    talk = Talk(binary)
    talk.engine.start()
    talk.page.wait_state(EngineState.READY)
    yield talk
    talk.engine.stop(1.0)


def test_recordings_become_their_words(talk: Talk, clips: list[tuple[bytes, str]]) -> None:
    for count, (pcm, _) in enumerate(clips, 1):
        talk.say(pcm)
        talk.engine.end_utterance()
        talk.page.wait_ended(count)
    assert talk.text().split() == " ".join(text for _, text in clips).split()
    times = [token.time_s for token in talk.page.tokens]
    assert times == sorted(times)
    assert talk.page.of(UtteranceEnded)[-1] == UtteranceEnded(len(talk.pcm) / 32_000)
    assert talk.page.of(EngineStats)[-1].steps > 0
    talk.engine.stop()
    assert EngineState.RESTARTING not in talk.page.states()


def test_killed_in_mid_speech_the_words_are_complete(
    talk: Talk, clips: list[tuple[bytes, str]], tmp_path: Path
) -> None:
    pcm, text = clips[0]
    talk.say(pcm)
    talk.page.wait(lambda: len(talk.page.tokens) >= 2)
    os.kill(pid_in((tmp_path / "log" / "engine.log").read_text()), signal.SIGKILL)
    talk.engine.end_utterance()
    talk.page.wait_ended()
    assert talk.text().split() == text.split()


def pid_in(log: str) -> int:
    """The process's number in the last line that the supervisor wrote."""
    return int(log.rpartition("process ")[2].split()[0])
