"""The page's socket, several clients at once, limits, and sessions that are saved."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.realtime.scenarios import append as appended
from tests.serve.conftest import CLIP, SAID, Running, film, mux_clip, pcm
from voxtui.hook import HookConfig
from voxtui.serve.limits import Limits
from voxtui.session.library import list_sessions, load_session
from voxtui.session.session import Session, SessionError

COOKIE = "voxtui_browser=" + "0123456789abcdef" * 2
ANOTHER = "voxtui_browser=" + "fedcba9876543210" * 2


class Browser:
    """The page, without a page."""

    def __init__(self, server: Running, cookie: str = COOKIE) -> None:
        headers = {"Cookie": cookie}
        self._connecting = connect(server.ws + "/api/live", additional_headers=headers)
        self.told: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        self.socket: ClientConnection = self._connecting.__enter__()
        self.until("hello")
        return self

    def __exit__(self, *_: object) -> None:
        self._connecting.__exit__(None, None, None)

    def until(self, kind: str, timeout_s: float = 15.0) -> dict[str, Any]:
        """The next event of a kind."""
        while True:
            event: dict[str, Any] = json.loads(self.socket.recv(timeout_s))
            self.told.append(event)
            if event["type"] == kind:
                return event

    def order(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def say(self, sound: bytes, piece: int = 8000, **how: Any) -> str:
        """Talk; gives the words of this utterance."""
        before = len(self.told)
        self.order("listen", on=True, **how)
        for at in range(0, len(sound), piece):
            self.socket.send(sound[at : at + piece])
        self.order("listen", on=False)
        self.until("ended")
        settled = [s for e in self.told[before:] if e["type"] == "words" for s in e["settled"]]
        return " ".join(s["text"] for s in settled)


def sessions(server: Running, cookie: str = COOKIE) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("/api/sessions", Cookie=cookie).json["sessions"]
    return found


def until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ---- talking -------------------------------------------------------------------------------


def test_words_come_while_speaking_and_the_session_stays(server: Running) -> None:
    with Browser(server) as browser:
        assert browser.say(pcm(), rate=16000) == SAID
        tails = [e["tail"] for e in browser.told if e["type"] == "words" and e["tail"]]
        assert len(tails) >= 3  # it grew
        assert browser.say(pcm(), rate=16000) == SAID  # with the same engine
        name = next(e["name"] for e in browser.told if e["type"] == "session")
    until(lambda: not any(s["live"] for s in sessions(server)))
    [mine] = [s for s in sessions(server) if s["name"] == name]
    assert mine["words"] == 6
    loaded = load_session(server.sessions / name)
    assert loaded.finished
    assert loaded.audio_s == pytest.approx(2 * 2.37, abs=0.05)


def test_other_rates_are_converted(server: Running) -> None:
    samples = np.frombuffer(pcm(), "<i2")
    fast = soxr.resample(samples, 16000, 48000).astype("<i2").tobytes()
    with Browser(server) as browser:
        assert browser.say(fast, rate=48000) == SAID


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("mp4", "aac")])
def test_what_a_media_recorder_writes(server: Running, container: str, codec: str) -> None:
    with Browser(server) as browser:
        assert browser.say(recorded(container, codec), 4000, format="media") == SAID
        assert browser.say(recorded(container, codec), 4000, format="media") == SAID


def recorded(container: str, codec: str) -> bytes:
    """The clip as a browser would record it: in fragments, written without seeking."""
    import io

    import av

    out = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov"} if container == "mp4" else {"live": "1"}
    with av.open(out, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=48000 if codec == "libopus" else 16000)
        mux_clip(file, stream)
    return out.getvalue()


def test_a_recording_that_is_none_is_told(server: Running) -> None:
    with Browser(server) as browser:
        browser.order("listen", on=True, format="media")
        browser.socket.send(b"no recording" * 999)
        browser.order("listen", on=False)
        assert "not sound that can be read" in browser.until("notice")["message"]
        browser.until("ended")
        assert browser.say(pcm()) == SAID


FULL = "There is no more room on the disk: make room; what was said is kept."


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Says whether the disk is full."""
    write = Session.append_audio
    state = {"full": False}

    def append(self: Session, sound: bytes) -> int:
        if state["full"]:
            raise SessionError(FULL)
        return write(self, sound)

    monkeypatch.setattr(Session, "append_audio", append)
    return lambda on: state.update(full=on)


def test_after_a_full_disk_the_page_goes_on(
    start: Callable[..., Running], full: Callable[[bool], None]
) -> None:
    with Browser(start()) as browser:
        assert browser.say(pcm()) == SAID
        full(True)
        browser.order("listen", on=True)
        browser.socket.send(pcm())
        assert browser.until("notice")["message"] == FULL
        browser.until("ended")
        browser.order("listen", on=False)
        full(False)
        assert browser.say(pcm()).endswith(SAID)


def test_after_a_full_disk_a_program_goes_on(
    start: Callable[..., Running], full: Callable[[bool], None]
) -> None:
    commit = {"type": "input_audio_buffer.commit"}
    limits = Limits(ahead_s=1.0)
    with connect(start(limits=limits).ws + "/v1/realtime") as client:

        def say(*messages: dict[str, Any]) -> dict[str, Any]:
            for message in messages:
                client.send(json.dumps(message))
            while True:
                event: dict[str, Any] = json.loads(client.recv(15))
                if event["type"] in ("error", "transcription.done"):
                    return event

        full(True)
        hello = {"type": "session.update", "model": "voxtral"}
        assert say(hello, commit, *[appended(pcm()) for _ in range(3)])["error"] == FULL
        full(False)
        said = say(commit, appended(pcm()), commit | {"final": True})
        assert said["type"] == "transcription.done"
        assert said["text"].endswith(SAID)


def test_a_note_and_a_new_session(server: Running) -> None:
    with Browser(server) as browser:
        browser.say(pcm())
        browser.order("note", text="decide about the delay")
        browser.order("new")
        browser.until("closed")
        browser.say(pcm())
        names = [e["name"] for e in browser.told if e["type"] == "session"]
    assert len(set(names)) == 2
    kinds = [s.kind for s in load_session(server.sessions / names[0]).segments]
    assert kinds == ["speech", "note"]


def test_nonsense_from_a_page_ends_nothing(server: Running) -> None:
    with Browser(server) as browser:
        for text in ("{", "[]", "7", '{"type":"listen","on":true,"rate":-3}', '{"type":"new"}'):
            browser.socket.send(text)
        browser.until("closed")
        browser.socket.send(b"\1\2\3")
        assert browser.say(pcm()) == SAID


def test_several_at_once_each_their_own(server: Running) -> None:
    with Browser(server) as one, Browser(server, ANOTHER) as other:
        one.order("listen", on=True)
        other.order("listen", on=True)
        sound = pcm()
        for at in range(0, len(sound), 16000):
            one.socket.send(sound[at : at + 16000])
            other.socket.send(bytes(16000))
        one.order("listen", on=False)
        other.order("listen", on=False)
        one.until("ended")
        other.until("ended")
        assert any(e["type"] == "words" and e["settled"] for e in one.told)
        assert not any(e["type"] == "words" for e in other.told)


def test_the_hook_rewrites_what_is_said_on_the_page(start: Callable[..., Running]) -> None:
    running = start(hook=HookConfig("tr a-z A-Z"))
    with Browser(running) as browser:
        browser.say(pcm(), rate=16000)
        edited = [
            text["text"] for e in browser.told if e["type"] == "words" for _, text in e["edited"]
        ]
        assert edited == [SAID.upper()]  # before the utterance is told to be over
        name = next(e["name"] for e in browser.told if e["type"] == "session")
    until(lambda: load_session(running.sessions / name).finished)
    assert load_session(running.sessions / name).text == SAID.upper()
    assert running.post_file("/transcribe", "audio", CLIP).json == {"transcription": SAID}


def test_a_hook_that_fails_leaves_the_words_and_is_told(start: Callable[..., Running]) -> None:
    with Browser(start(hook=HookConfig("exit 7"))) as browser:
        assert browser.say(pcm()) == SAID
        notices = [e["message"] for e in browser.told if e["type"] == "notice"]
        assert notices == ["The hook failed (exit code 7); the words are as heard."]


# ---- sessions of a browser -----------------------------------------------------------------


def test_a_browser_sees_its_own_sessions_only(server: Running) -> None:
    with Browser(server, ANOTHER) as browser:
        browser.say(pcm())
        name = next(e["name"] for e in browser.told if e["type"] == "session")
    path = f"/api/sessions/{name}"
    until(lambda: not server.get(path, Cookie=ANOTHER).json["live"])
    assert server.get(path, Cookie=ANOTHER).json["segments"][0]["text"] == SAID
    assert server.get(f"{path}/txt", Cookie=ANOTHER).body.decode() == SAID + "\n"
    assert server.get(f"{path}/exe", Cookie=ANOTHER).status == 404
    for cookie in (COOKIE, "", "voxtui_browser=x"):
        assert name not in [s["name"] for s in sessions(server, cookie)]
        for method in ("GET", "DELETE"):
            assert server.get(path, method, Cookie=cookie).status == 404
    renamed = server.get(path, "PATCH", b'{"title": "Tea"}', Cookie=ANOTHER)
    assert renamed.status == 200
    assert server.get(path, Cookie=ANOTHER).json["title"] == "Tea"
    assert server.get(path, "DELETE", Cookie=ANOTHER).status == 200
    assert server.get(path, Cookie=ANOTHER).status == 404
    assert (server.sessions / ".trash" / name).is_dir()


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fetc", ".trash", "x" * 300, "%00"])
def test_no_name_is_a_path(server: Running, name: str) -> None:
    assert server.get(f"/api/sessions/{name}", Cookie=COOKIE).status == 404


def test_an_upload_becomes_a_session_with_progress(server: Running) -> None:
    answer = server.post_file("/api/upload", "audio", film(), name="talk.mp4")
    events = [json.loads(line[6:]) for line in answer.body.decode().split("\n\n") if line]
    assert events[-1]["type"] == "done"
    assert events[-1]["session"]
    progress = [e for e in events if e["type"] == "progress"]
    assert progress[-1]["done"] == pytest.approx(progress[-1]["of"], abs=0.1)
    settled = [s["text"] for e in events if e["type"] == "words" for s in e["settled"]]
    assert settled == [SAID]


# ---- limits --------------------------------------------------------------------------------


def test_one_client_too_many_is_refused_clearly(start: Callable[..., Running]) -> None:
    running = start(limits=Limits(clients=1))
    with Browser(running) as one:
        one.say(pcm())
        with Browser(running) as other:
            other.order("listen", on=True)
            assert "All places (1) are taken" in other.until("refused")["message"]
        answer = running.post_file("/transcribe", "audio", CLIP)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        with pytest.raises(InvalidStatus) as refused, connect(running.ws + "/v1/realtime"):
            pass
        assert refused.value.response.status_code == 503
        one.order("new")
        one.until("closed")
        assert running.post_file("/transcribe", "audio", CLIP).json == {"transcription": SAID}


def test_what_is_too_long_is_refused(start: Callable[..., Running]) -> None:
    running = start(limits=Limits(longest_s=1.0))
    answer = running.post_file("/transcribe", "audio", CLIP, name="long.wav")
    assert answer.status == 413
    assert "long.wav is longer than" in answer.error
    with Browser(running) as browser:
        browser.order("listen", on=True)
        browser.socket.send(pcm())
        assert "hours long" in browser.until("notice")["message"]
        assert browser.say(pcm()[:16000]) is not None  # a new session


def test_a_quiet_page_frees_its_engine(start: Callable[..., Running]) -> None:
    running = start(limits=Limits(clients=1, idle_s=0.3))
    with Browser(running) as browser:
        browser.say(pcm())
        browser.until("closed")
        assert running.get("/api/status").json["clients"] == 0
        assert browser.say(pcm()) == SAID  # in a new session


def test_no_memory_is_a_refusal(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start()
    monkeypatch.setattr("voxtui.serve.pool.memory_available", lambda: 100 << 20)
    with Browser(running) as one, Browser(running) as other:
        one.say(pcm())
        other.order("listen", on=True)
        assert "no memory for another client" in other.until("refused")["message"]


def test_a_fast_sender_waits_for_the_engine(start: Callable[..., Running]) -> None:
    """A minute of sound at once through /v1/realtime, where a second may wait: nothing is lost."""
    running = start(limits=Limits(ahead_s=1.0))
    clip, times = pcm(), 12
    with connect(running.ws + "/v1/realtime") as socket:
        for event in (
            {"type": "session.update", "model": "voxtral"},
            {"type": "input_audio_buffer.commit"},
            *[
                {"type": "input_audio_buffer.append", "audio": base64.b64encode(clip).decode()}
                for _ in range(times)
            ],
            {"type": "input_audio_buffer.commit", "final": True},
        ):
            socket.send(json.dumps(event))
        while (told := json.loads(socket.recv(30)))["type"] != "transcription.done":
            pass
    assert told["text"] == " ".join([SAID] * times)


# ---- ends ----------------------------------------------------------------------------------


def test_a_client_that_goes_in_the_middle_loses_nothing(server: Running) -> None:
    before = set(server.sessions.glob("*"))
    with Browser(server) as browser:
        browser.order("listen", on=True)
        browser.socket.send(pcm())
        browser.until("words")
    until(lambda: any(load_session(p).finished for p in set(server.sessions.glob("2*")) - before))
    [path] = set(server.sessions.glob("2*")) - before
    assert load_session(path).text == SAID


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Running]]:
    """`voxtui serve` as people start it."""
    command = [sys.executable, "-m", "voxtui", "serve", "--port", "0", "--model", "tiny"]
    environment = {**os.environ, "VOXTUI_HOME": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as started:
        assert started.stderr is not None
        said = started.stderr.readline()
        port = int(said.split("localhost:")[1].split("/")[0])
        running = Running(port, tmp_path / "data" / "sessions", tmp_path / "cache")
        until(lambda: is_up(running))
        yield started, running
        started.kill()


def is_up(running: Running) -> bool:
    try:
        return running.get("/health").status == 200
    except OSError:
        return False


def test_a_signal_saves_the_sessions(process: tuple[subprocess.Popen[str], Running]) -> None:
    started, running = process
    with Browser(running) as browser:
        browser.order("listen", on=True)
        browser.socket.send(pcm())
        browser.until("words")
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0
    assert started.stderr is not None
    assert "Traceback" not in started.stderr.read()
    [session] = list_sessions(running.sessions)
    assert session.finished
    assert load_session(session.path).text == SAID
    assert not list((running.temporary).glob("serve-*"))


def test_an_impatient_end_is_quiet(process: tuple[subprocess.Popen[str], Running]) -> None:
    started, _ = process
    for _ in range(2):
        started.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert started.wait(20) == 0
    assert started.stderr is not None
    assert "Traceback" not in started.stderr.read()
