"""`voxtui listen`: words while they are said, and a clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.unit.cli.conftest import PATIENCE_S, Result, speech, start
from voxtui.cli.listen import JsonOutput, Listener, Pace
from voxtui.events import (
    AudioBlock,
    CaptureChanged,
    CaptureEvent,
    CaptureState,
    EngineStats,
    ListeningChanged,
    Segment,
    SegmentKind,
    TranscriptChanged,
    Word,
)
from voxtui.session import list_sessions, load_session

Run = Callable[..., Result]
Clip = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("engine")


class FakeMicrophone:
    """Says w1 w2 w3; then Ctrl+C is pressed."""

    name = "fake microphone"
    fails = ""

    def __init__(self, device: str, gain_db: float) -> None:
        self._stopped = threading.Event()

    def start(self, post: Callable[[CaptureEvent], None]) -> None:
        def run() -> None:
            if self.fails:
                post(CaptureChanged(CaptureState.FAILED, self.name, self.fails))
                return
            post(CaptureChanged(CaptureState.RUNNING, self.name))
            for value in (1, 2, 3):
                post(AudioBlock(speech(value)))
            os.kill(os.getpid(), signal.SIGINT)
            while not self._stopped.wait(0.02):
                post(AudioBlock(bytes(640)))

        threading.Thread(target=run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch) -> type[FakeMicrophone]:
    monkeypatch.setattr("voxtui.audio.microphone.MicrophoneSource", FakeMicrophone)
    return FakeMicrophone


@pytest.fixture(autouse=True)
def signals() -> object:
    """The command changes what some signals do."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_a_microphone_until_ctrl_c(run: Run, home: Path, microphone: type[FakeMicrophone]) -> None:
    result = run("listen", "-q")
    assert (result.code, result.err) == (0, "")
    assert result.out.split()[:3] == ["w1", "w2", "w3"]
    (info,) = list_sessions(home / "data" / "sessions")
    assert info.finished
    assert load_session(info.path).text.split()[:3] == ["w1", "w2", "w3"]


def test_a_microphone_that_cannot_be_opened(
    run: Run, microphone: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "fails", "There is no microphone.")
    assert run("listen", "-q") == Result(2, "", "voxtui: There is no microphone.\n")


def test_a_file_and_no_session(run: Run, clip: Clip, home: Path) -> None:
    result = run("listen", "-q", "--no-save", "--input", clip("a.wav", 1, 2))
    assert result == Result(0, "w1 w2\n", "")
    assert not (home / "data").exists()


def test_into_a_file_and_another_folder(run: Run, clip: Clip, tmp_path: Path) -> None:
    out, root = tmp_path / "words.txt", tmp_path / "kept"
    result = run("listen", "--model", "tiny", "-o", out, "--sessions-dir", root, "--input",
                 clip("a.wav", 7))  # fmt: skip
    assert result == Result(0, "", "")
    assert out.read_text() == "w7\n"
    assert len(list_sessions(root)) == 1


@pytest.mark.parametrize(("asked", "used"), [((), 0.25), (("-I", "1"), 0.5), (("-I", "0.1"), 0.08)])
def test_low_latency_is_half_of_the_interval(
    run: Run, clip: Clip, asked: tuple[str, ...], used: float
) -> None:
    sound = clip("a.wav", 1, 2)
    result = run("listen", "-q", "--json", "--low-latency", *asked, "--input", sound)
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["interval"] for line in lines if line.get("state") == "ready"] == [used]


def test_json_lines(run: Run, clip: Clip, home: Path) -> None:
    result = run("listen", "-q", "--json", "--input", clip("a.wav", 1, 2))
    lines = [json.loads(line) for line in result.out.splitlines()]
    kinds = [line["type"] for line in lines]
    assert kinds[0] == "session"
    assert kinds[-1] == "end"
    assert {"engine", "partial", "segment", "stats"} <= set(kinds)
    (segment,) = [line for line in lines if line["type"] == "segment"]
    assert segment["text"] == "w1 w2"
    assert [word["text"] for word in segment["words"]] == [" w1", " w2"]
    ready = next(line for line in lines if line.get("state") == "ready")
    assert ready["model"]
    assert lines[0]["path"].startswith(str(home / "data" / "sessions"))


def test_garbage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(b"no sound" * 99)
    result = run("listen", "-q", "--no-save", "--input", tmp_path / "x.mp3")
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert run("listen", "--input", tmp_path).code == 2
    assert run("listen", "-o", "/no/such/folder/x", "--input", tmp_path / "x.mp3").code == 2


def read_until(process: subprocess.Popen[bytes], text: bytes) -> bytes:
    assert process.stdout is not None
    read = b""
    while text not in read:
        more = os.read(process.stdout.fileno(), 4096)
        assert more, f"ended after {read!r}"
        read += more
    return read


def test_a_pipe_that_is_still_open_gives_words_and_ctrl_c_ends_it(home: Path) -> None:
    with start("listen", "-q", "--input", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(speech(1, 2, 3))
        process.stdin.flush()
        read = read_until(process, b"w1 w")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, b"")
    assert (read + out).startswith(b"w1 w2 w3")
    (info,) = list_sessions(home / "data" / "sessions")
    assert info.words == 3


def test_terminated_is_as_good_as_ctrl_c(home: Path) -> None:
    with start("listen", "-q", "--input", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(speech(1, 2))
        process.stdin.flush()
        read_until(process, b"w1")
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    (info,) = list_sessions(home / "data" / "sessions")
    assert info.finished


@contextmanager
def left_by_its_reader() -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
    """A process that has written w1, whose output nobody reads any more; its input and errors."""
    with start("listen", "-q", "--no-save", "--input", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(speech(1))
        process.stdin.flush()
        read_until(process, b"w1")
        process.stdout.close()
        yield process, process.stdin, process.stderr


def test_a_closed_pipe_is_quiet() -> None:
    with left_by_its_reader() as (process, stdin, stderr):
        stdin.write(speech(2, 3, 4))
        stdin.close()
        assert stderr.read() == b""
        assert process.wait(PATIENCE_S) == 0


def test_a_closed_pipe_ends_it_though_nobody_speaks() -> None:
    with left_by_its_reader() as (process, _, stderr):
        assert process.wait(PATIENCE_S) == 0, "its input is open, and silent"
        assert stderr.read() == b""


def test_json_tells_of_the_source_and_nothing_twice() -> None:
    lines: list[str] = []
    output = JsonOutput(lines.append)
    tail = Segment(SegmentKind.SPEECH, 0.0, 1.0, 0.0, (Word(" so", 1.0),))
    for _ in range(2):
        output.take(TranscriptChanged((), tail))
    output.take(CaptureChanged(CaptureState.SILENT, "Desk", "It is muted."))
    told = [json.loads(line) for line in lines]
    assert [line["type"] for line in told] == ["partial", "source"]
    assert told[1] == {
        "type": "source",
        "state": "silent",
        "name": "Desk",
        "detail": "It is muted.",
    }


def test_how_far_behind_is_said_when_it_has_changed_much() -> None:
    pace = Pace()
    said = [pace.said(lag) for lag in (0.5, 9, 12, 15, 23, 25, 47, 30, 4, 3)]
    assert [sentence for sentence in said if sentence] == [
        "behind by 12 s; nothing is lost",
        "behind by 25 s; nothing is lost",
        "keeping up again",
    ]


def test_states_are_said_for_those_who_do_not_look(capsys: pytest.CaptureFixture[str]) -> None:
    listener = Listener(None, None, None, quiet=False)  # type: ignore[arg-type]
    listener._live = True
    for event in (
        CaptureChanged(CaptureState.PREPARING, "Desk"),
        CaptureChanged(CaptureState.RUNNING, "Desk"),
        ListeningChanged(True),
        ListeningChanged(True, paused=True),
        ListeningChanged(True),
        CaptureChanged(CaptureState.LOST, "Desk"),
        EngineStats(30, 10, 1, 1, 1, 1),
    ):
        listener._react(event)
    assert capsys.readouterr().err.splitlines() == [
        "voxtui: preparing Desk",
        "voxtui: listening to Desk; Ctrl+C stops",
        "voxtui: paused until a voice is heard",
        "voxtui: listening again",
        "voxtui: Desk gives no sound.",
        "voxtui: behind by 20 s; nothing is lost",
    ]
