"""A fake engine under the real supervisor, and a session's file in memory."""

from __future__ import annotations

import array
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from voxtui.engine.config import EngineConfig, Timing
from voxtui.engine.supervisor import Engine
from voxtui.events import (
    EngineChanged,
    EngineEvent,
    EngineState,
    TokenText,
    UtteranceEnded,
    WordsRetracted,
)

FAKE = Path(__file__).parents[2] / "support" / "fake_engine.py"
HALF_SECOND = 8000
QUICK = Timing(backoff=(0.0, 0.01, 0.02, 0.03), stats=0.02, quit=0.3)


def speech(*values: int) -> bytes:
    """Half a second of each value: the words " w1 w2 …" to the fake engine."""
    return b"".join(array.array("h", [value] * HALF_SECOND).tobytes() for value in values)


def words(*values: int) -> list[str]:
    return [f" w{value}" for value in values]


class Page:
    """What a session does with the events, as little of it as the tests need."""

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []
        self.tokens: list[TokenText] = []
        self.changed = threading.Condition()

    def post(self, event: EngineEvent) -> None:
        with self.changed:
            self.events.append(event)
            if isinstance(event, TokenText):
                self.tokens.append(event)
            elif isinstance(event, WordsRetracted):
                self.tokens = [token for token in self.tokens if token.time_s <= event.from_s]
            self.changed.notify_all()

    def wait(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while not condition():
                assert time.monotonic() < deadline, self.events[-12:]
                self.changed.wait(0.05)

    def words(self) -> list[str]:
        with self.changed:
            found: list[str] = []
            for token in self.tokens:
                if token.word_start:
                    found.append(token.text)
                else:
                    found[-1] += token.text
            return found

    def wait_words(self, count: int) -> None:
        """At least so many whole words (the fake sends each in two pieces)."""
        self.wait(lambda: sum(not token.word_start for token in self.tokens) >= count)

    def of(self, kind: type[Any]) -> list[Any]:
        with self.changed:
            return [event for event in self.events if isinstance(event, kind)]

    def states(self) -> list[EngineState]:
        return [event.state for event in self.of(EngineChanged)]

    def wait_state(self, state: EngineState, times: int = 1) -> EngineChanged:
        self.wait(lambda: self.states().count(state) >= times)
        return [event for event in self.of(EngineChanged) if event.state is state][times - 1]

    def wait_ended(self, times: int = 1) -> None:
        self.wait(lambda: len(self.of(UtteranceEnded)) >= times)


class Rig:
    """An engine with a fake process, a page, and the session's audio in memory."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.page = Page()
        self.audio = bytearray()
        self.timing = QUICK
        self.binary = folder / "voxtral"
        self.binary.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {FAKE} "$@"\n')
        self.binary.chmod(0o755)
        self.log = folder / "starts.log"
        self.environment(FAKE_LOG=self.log, VOXTUI_HOME=folder / "home")
        self._engine: Engine | None = None

    def environment(self, **values: object) -> None:
        for name, value in values.items():
            self.monkeypatch.setenv(name, str(value))

    def config(self, **values: Any) -> EngineConfig:
        return EngineConfig(**{"model": Path("/models/fake"), "binary": self.binary, **values})

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = Engine(
                self.config(), self.read_audio, self.page.post, timing=self.timing
            )
        return self._engine

    def read_audio(self, start: int, samples: int) -> bytes:
        return bytes(self.audio[2 * start : 2 * (start + samples)])

    def say(self, *values: int) -> None:
        self.audio += speech(*values)
        self.engine.audio_written(len(self.audio) // 2)

    def utter(self, *values: int) -> None:
        self.say(*values)
        self.engine.end_utterance()

    def ready(self) -> None:
        self.engine.start()
        self.page.wait_state(EngineState.READY)

    def starts(self) -> list[dict[str, Any]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def kill_process(self) -> None:
        os.kill(self.starts()[-1]["pid"], signal.SIGKILL)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.stop(0.2)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    rig = Rig(tmp_path, monkeypatch)
    yield rig
    rig.close()


def gone(pid: int, timeout_s: float = 10.0) -> bool:
    """The process ends within the time (a zombie counts as gone)."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            state = "?"
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
