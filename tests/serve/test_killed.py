"""Engines that are killed in the middle of a word, under every door of the server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.realtime.scenarios import append
from tests.serve.conftest import CLIP, SAID, Running, engines, pcm
from tests.serve.test_live import Browser, until
from voxtui import paths
from voxtui.engine.config import EngineConfig
from voxtui.engine.locate import find_engine
from voxtui.session.library import list_sessions, load_session

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")

START = {"type": "input_audio_buffer.commit"}
TWICE = f"{SAID} {SAID}"


def kill() -> None:
    """The engine that is there, without a word of warning."""
    [engine] = engines()
    os.kill(engine, signal.SIGKILL)


def say(client: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        client.send(json.dumps(message))


def until_word(client: ClientConnection) -> str:
    """The text of the deltas up to the first that says something."""
    while not (text := json.loads(client.recv(15)).get("delta", "")):
        pass
    return str(text)


def saved(running: Running) -> str:
    """The text of the one session, when it is closed."""
    until(lambda: [session.live for session in list_sessions(running.sessions)] == [False])
    return load_session(list_sessions(running.sessions)[0].path).text.replace("\n", " ")


@pytest.fixture
def doomed(tmp_path: Path) -> Path:
    """A program of the engine that can be taken away."""
    return Path(shutil.copy(find_engine(), tmp_path / "voxtral"))


def mortal(program: Path) -> EngineConfig:
    return EngineConfig(paths.builtin_model_dir(), threads=1, binary=program)


# ---- it comes back -------------------------------------------------------------------------


def test_realtime_goes_on_and_loses_nothing(start: Callable[..., Running]) -> None:
    running = start()
    with connect(running.ws + "/v1/realtime") as client:
        say(client, {"type": "session.update", "model": "voxtral"}, START, append(pcm()))
        text = until_word(client)
        kill()
        say(client, append(pcm()), START | {"final": True})
        while (event := json.loads(client.recv(15)))["type"] == "transcription.delta":
            text += event["delta"]
    assert event["type"] == "transcription.done"
    assert event["text"] == text == TWICE
    assert saved(running) == TWICE


def test_the_page_goes_on_and_loses_nothing(start: Callable[..., Running]) -> None:
    running = start()
    with Browser(running) as browser:
        browser.order("listen", on=True)
        browser.socket.send(pcm())
        while not browser.until("words")["tail"]:
            pass
        kill()
        browser.socket.send(pcm())
        browser.order("listen", on=False)
        browser.until("ended")
        states = [event["state"] for event in browser.told if event["type"] == "engine"]
        assert "restarting" in states
        assert states[-1] == "ready"
        assert browser.say(pcm()) == SAID
    assert saved(running) == f"{TWICE} {SAID}"


def test_a_file_is_written_all_the_same(start: Callable[..., Running]) -> None:
    running = start()
    answers = []

    def ask() -> None:
        answers.append(running.post_file("/transcribe", "audio", CLIP))

    until(lambda: running.get("/api/status").json["engine"]["state"] == "ready")
    os.kill(engines()[0], signal.SIGSTOP)  # so that it cannot be done before it is killed
    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: running.get("/api/status").json["clients"] == 1)
    for engine in engines():
        os.kill(engine, signal.SIGKILL)
    asking.join(30)
    assert answers[0].json == {"transcription": SAID}


# ---- it does not come back -----------------------------------------------------------------


def test_realtime_says_that_the_engine_is_gone(start: Callable[..., Running], doomed: Path) -> None:
    running = start(engine=mortal(doomed))
    with connect(running.ws + "/v1/realtime") as client:
        say(client, {"type": "session.update", "model": "voxtral"}, START, append(pcm()))
        text = until_word(client)
        doomed.unlink()
        kill()
        while (event := json.loads(client.recv(15)))["type"] == "transcription.delta":
            text += event["delta"]
        assert event["type"] == "error"
        assert event["code"] == "processing_error"
        assert "engine" in event["error"]
    assert text
    assert saved(running).startswith(text.split()[0])


def test_the_page_says_that_the_engine_is_gone(start: Callable[..., Running], doomed: Path) -> None:
    running = start(engine=mortal(doomed))
    with Browser(running) as browser:
        browser.order("listen", on=True)
        browser.socket.send(pcm())
        while not browser.until("words")["tail"]:
            pass
        doomed.unlink()
        kill()
        while (event := browser.until("engine"))["state"] != "failed":
            pass
        assert event["detail"]
    assert saved(running)
    assert SAID.startswith(saved(running))
