"""The main job with real sound: a clip is played into a virtual microphone and heard."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.support.screen import Terminal
from tests.support.sound import VirtualMicrophone

from .conftest import CLIPS, VOXTUI, only_session

pytestmark = pytest.mark.e2e

CLIP = "computer_open_music.wav"


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """An X server without a screen, for the clipboard."""
    for tool in ("Xvfb", "xclip"):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    server = subprocess.Popen(
        # Without -noreset it drops everybody when the last client leaves, as xclip does at once.
        [*("Xvfb", "-displayfd", "1", "-noreset"), *("-screen", "0", "640x480x24")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    yield f":{server.stdout.readline().decode().strip()}"
    server.kill()
    server.wait()


def clipboard(display: str) -> str:
    return subprocess.run(
        ["xclip", "-selection", "clipboard", "-o"],
        env={"DISPLAY": display, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    ).stdout


def test_push_to_talk_in_tmux(
    microphone: VirtualMicrophone,
    environment: dict[str, str],
    home: Path,
    texts: dict[str, str],
    display: str,
    tmux: None,
) -> None:
    settings = {
        **{k: environment[k] for k in ("VOXTUI_HOME", "TERM", "LANG", "PYTHONPATH", "PATH")},
        **microphone.environment,
        "DISPLAY": display,
    }
    with Terminal([*VOXTUI, "--model", "tiny"], settings) as terminal:
        terminal.wait_for(r"(?i)space")
        time.sleep(1.0)  # the microphone's first samples
        terminal.keys("Space")
        time.sleep(0.3)
        microphone.play(CLIPS / CLIP)
        time.sleep(0.3)
        terminal.keys("Space")
        terminal.wait_for(texts[CLIP])
        terminal.keys("c")
        deadline = time.monotonic() + 10
        while texts[CLIP] not in clipboard(display) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert texts[CLIP] in clipboard(display)
        terminal.keys("q")
        assert terminal.exit_status() == 0
    session = only_session(home)
    assert texts[CLIP] in (session / "transcript.md").read_text()
    with wave.open(str(session / "audio.wav")) as sound:
        assert sound.getframerate() == 16000
        assert sound.getnframes() > 16000
    assert json.loads((session / "session.json").read_text())


class Listening:
    """`voxtui listen` with its words collected; ready when it says that it listens."""

    def __init__(self, environment: dict[str, str], *options: str) -> None:
        self._program = subprocess.Popen(
            [*VOXTUI, "listen", "--model", "tiny", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._lines: dict[str, list[str]] = {"out": [], "err": []}
        assert self._program.stdout is not None
        assert self._program.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=(name, pipe), daemon=True)
            for name, pipe in (("out", self._program.stdout), ("err", self._program.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, pipe: IO[bytes]) -> None:
        while piece := pipe.read1(4096):  # type: ignore[attr-defined]
            self._lines[name].append(piece.decode())

    @property
    def words(self) -> str:
        return " ".join("".join(self._lines["out"]).split())

    @property
    def messages(self) -> str:
        return "".join(self._lines["err"])

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                self._program.kill()
                raise AssertionError(f"in vain: {self.words!r}, {self.messages!r}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Ctrl+C; returns the exit code when the last words are out."""
        self._program.send_signal(signal.SIGINT)
        code = self._program.wait(60)
        for reader in self._readers:
            reader.join(10)
        return code


def test_listen_writes_words_to_a_pipe(
    microphone: VirtualMicrophone, environment: dict[str, str], texts: dict[str, str]
) -> None:
    listening = Listening({**environment, **microphone.environment}, "--low-latency")
    listening.wait_for(lambda: "listening" in listening.messages)
    microphone.play(CLIPS / CLIP)
    listening.wait_for(lambda: texts[CLIP] in listening.words)  # before it is stopped
    assert listening.stop() == 0
    assert listening.words == texts[CLIP]
    assert "Traceback" not in listening.messages


def test_a_microphone_that_vanishes_comes_back(
    microphone: VirtualMicrophone, environment: dict[str, str], texts: dict[str, str]
) -> None:
    listening = Listening({**environment, **microphone.environment})
    listening.wait_for(lambda: "listening" in listening.messages)
    microphone.play(CLIPS / CLIP)
    listening.wait_for(lambda: texts[CLIP] in listening.words)
    microphone.stop()
    time.sleep(1.5)
    microphone.start()
    listening.wait_for(lambda: listening.messages.count("listening") == 2)
    microphone.play(CLIPS / CLIP)
    listening.wait_for(lambda: listening.words.count(texts[CLIP]) == 2)
    assert listening.stop() == 0
    assert "missing" in listening.words + listening.messages
