"""The main job with real sound: a clip is played into a virtual microphone and heard."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import wave
from collections.abc import Iterator
from pathlib import Path

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
        ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"],
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


def test_listen_writes_words_to_a_pipe(
    microphone: VirtualMicrophone, environment: dict[str, str], texts: dict[str, str]
) -> None:
    program = subprocess.Popen(
        [*VOXTUI, "listen", "--model", "tiny", "--low-latency"],
        env={**environment, **microphone.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        time.sleep(3.0)  # start, open the microphone
        microphone.play(CLIPS / CLIP)
        time.sleep(2.0)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=30)
    finally:
        program.kill()
    assert texts[CLIP] in " ".join(out.decode().split()), err.decode()
    assert b"Traceback" not in err


def test_a_microphone_that_vanishes_comes_back(
    microphone: VirtualMicrophone, environment: dict[str, str], texts: dict[str, str]
) -> None:
    program = subprocess.Popen(
        [*VOXTUI, "listen", "--model", "tiny"],
        env={**environment, **microphone.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        time.sleep(3.0)
        microphone.play(CLIPS / CLIP)
        microphone.stop()
        time.sleep(2.0)
        microphone.start()
        time.sleep(6.0)
        microphone.play(CLIPS / CLIP)
        time.sleep(2.0)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=30)
    finally:
        program.kill()
    said = " ".join(out.decode().split())
    assert said.count(texts[CLIP]) == 2, (said, err.decode())
