"""A session through an engine once more."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sessions import make
from tests.unit.cli.conftest import engine, home, speech
from voxtui.engine.config import EngineConfig
from voxtui.engine.supervisor import Engine
from voxtui.events import EngineEvent
from voxtui.retranscription import Ended, Progress, Retranscription
from voxtui.session import SessionError, load_session
from voxtui.session.retake import AGAIN
from voxtui.session.versions import list_versions

__all__ = ["engine", "home"]  # fixtures


def run(path: Path, cancel_after: int = 0) -> tuple[Retranscription, list[Progress], Ended]:
    told: queue.SimpleQueue[Progress | Ended] = queue.SimpleQueue()
    again = Retranscription(path, EngineConfig(Path("any")), told.put)
    again.start()
    progress: list[Progress] = []
    while isinstance(event := told.get(timeout=30), Progress):
        progress.append(event)
        if cancel_after and len(progress) >= cancel_after:
            again.cancel()
    assert again.wait(10)
    return again, progress, event


def test_other_words_for_the_same_sound(tmp_path: Path, engine: Path) -> None:
    path = make(tmp_path, "w1 w2 x w4", sound=speech(1, 2, 3, 4), note="mark").path
    again, progress, ended = run(path)
    assert ended.difference is not None
    assert (ended.difference.removed, ended.difference.added, ended.difference.kept) == (1, 1, 3)
    assert progress[0].loading
    assert progress[-1].done_s == progress[-1].total_s == 2.0
    assert load_session(path).text.split() == ["w1", "w2", "x", "w4"]
    assert again.accept() == 1
    loaded = load_session(path)
    assert (loaded.text, loaded.finished, loaded.meta.engine) == ("w1 w2 w3 w4", True, "fake")
    assert [s.text for s in loaded.segments if not s.words] == ["mark"]
    assert len(list_versions(path)) == 1
    assert not (path / AGAIN).exists()


def test_not_wanted(tmp_path: Path, engine: Path) -> None:
    path = make(tmp_path, "x", sound=speech(1)).path
    again, _, _ = run(path)
    again.discard()
    assert load_session(path).text == "x"
    assert sorted(p.name for p in path.iterdir()) == [
        "audio.wav",
        "events.jsonl",
        "session.json",
        "transcript.md",
    ]


def test_cancelled(tmp_path: Path, engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SPEED", "0.3")
    path = make(tmp_path, "x", sound=speech(*range(1, 40))).path
    _, _, ended = run(path, cancel_after=2)
    assert ended.cancelled
    assert load_session(path).text == "x"
    assert not (path / AGAIN).exists()


def test_an_engine_that_dies_in_the_middle(
    tmp_path: Path, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("FAKE_CRASH_AT", "2")
    monkeypatch.setenv("FAKE_TIMES", "1")
    path = make(tmp_path, "x", sound=speech(1, 2, 3)).path
    again, _, ended = run(path)
    assert ended.difference is not None
    again.accept()
    assert load_session(path).text == "w1 w2 w3"


def test_an_engine_that_never_starts(
    tmp_path: Path, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MODE", "exit2")
    path = make(tmp_path, "x", sound=speech(1)).path
    _, _, ended = run(path)
    assert "does not like this model" in ended.problem
    assert load_session(path).text == "x"
    assert not (path / AGAIN).exists()


def test_utterances_keep_their_borders(tmp_path: Path, engine: Path) -> None:
    session = make(tmp_path, "x", sound=speech(1, 2), close=False)
    session.end_utterance()
    session.append_audio(speech(3))
    session.end_utterance()
    session.close()
    flushed: list[str] = []
    configs: list[EngineConfig] = []

    def factory(
        config: EngineConfig, read: Callable[[int, int], bytes], post: Callable[[EngineEvent], None]
    ) -> Engine:
        configs.append(config)
        real = Engine(config, read, post)
        ending = real.end_utterance
        real.end_utterance = lambda: (flushed.append("end"), ending())[1]  # type: ignore[method-assign]
        return real

    done = threading.Event()
    again = Retranscription(
        session.path,
        EngineConfig(Path("any")),
        lambda event: done.set() if isinstance(event, Ended) else None,
        factory,
    )
    again.start()
    assert done.wait(30)
    again.accept()
    assert flushed == ["end", "end"]
    assert [config.background for config in configs] == [True]  # live listening comes first
    assert load_session(session.path).text == "w1 w2\nw3"


def test_no_sound_no_job(tmp_path: Path) -> None:
    path = make(tmp_path, "x").path
    (path / "audio.wav").unlink()
    with pytest.raises(SessionError, match="not kept"):
        Retranscription(path, EngineConfig(Path("any")), print)
