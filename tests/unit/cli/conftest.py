"""The commands with a fake engine under the real pipeline, and a home of their own."""

from __future__ import annotations

import array
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from voxtui.cli.main import run_command

ROOT = Path(__file__).parents[3]
FAKE = ROOT / "tests" / "support" / "fake_engine.py"
PATIENCE_S = 20.0


def speech(*values: int) -> bytes:
    """Half a second of each value: the words " w1 w2 …" to the fake engine."""
    return b"".join(array.array("h", [value] * 8000).tobytes() for value in values)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where settings, models and sessions of the test are."""
    home = tmp_path / "home"
    monkeypatch.setenv("VOXTUI_HOME", str(home))
    monkeypatch.delenv("VOXTUI_ENGINE", raising=False)
    return home


@pytest.fixture
def engine(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake engine is the engine."""
    script = tmp_path / "engine"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{FAKE}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VOXTUI_ENGINE", str(script))
    return script


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """Makes a sound file: `clip("a.wav", 1, 2)` says w1 w2."""

    def make(name: str, *values: int) -> Path:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(speech(*values))
        return path

    return make


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs a command line in this process."""

    def call(*args: str | Path) -> Result:
        capfd.readouterr()
        code = run_command([str(arg) for arg in args])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return call


def start(*args: str, **options: object) -> subprocess.Popen[bytes]:
    """Starts a command line in a process of its own, which hears Ctrl+C even where the tests run in
    a shell's background, whose programs are started without."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "voxtui", *args],
        cwd=ROOT,
        env=dict(os.environ),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )
