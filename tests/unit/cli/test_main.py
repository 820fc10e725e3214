"""The command itself: help, version, and how errors are told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import voxtui
from tests.unit.cli.conftest import ROOT, Result
from voxtui.cli import main

Run = Callable[..., Result]


def test_help_imports_nothing_heavy(home: Path) -> None:
    code = (
        "import sys; from voxtui.cli.main import run_command; "
        "code = run_command(['--help']); "
        "heavy = {'numpy', 'av', 'textual', 'sounddevice', 'soxr', 'rich'} & set(sys.modules); "
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "transcribe" in done.stdout
    assert str(home / "data" / "models") in done.stdout


def test_version(run: Run) -> None:
    assert run("--version") == Result(0, f"voxtui {voxtui.__version__}\n", "")


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.code == 0
    assert f"voxtui {command}" in result.out


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["talk.mp3"], "voxtui transcribe talk.mp3"),
        (["nonsense"], "There is no command nonsense"),
        (["--nonsense"], "No such option"),
        (["--model", "tiny", "transcribe", "a.wav"], "--model belongs after transcribe"),
        (["--delay", "100"], "in steps of 80"),
        (["--input", "no such file"], "There is no file no such file"),
        (["--input", "no\x1b[31mfile"], "There is no file no[31mfile"),
        (["--demo", "--input", str(ROOT / "pyproject.toml")], "choose one"),
        ([], "needs a terminal"),
        (["transcribe"], "Missing argument"),
        (["sessions", "nonsense"], "No such command"),
    ],
)
def test_wrong_use_is_one_sentence_and_2(run: Run, args: list[str], sentence: str) -> None:
    result = run(*args)
    assert result.code == 2
    assert result.out == ""
    assert sentence in result.err
    assert result.err.startswith("voxtui: ")
    assert result.err.count("\n") == 1


def failing(error: BaseException) -> click.Command:
    @click.command("devices")
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (RuntimeError("oops"), 1, "voxtui: Unexpected: RuntimeError: oops"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
    ],
)
def test_what_nobody_foresaw(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, sentence: str
) -> None:
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: failing(error))
    result = run("devices")
    assert result.code == code
    assert result.err.startswith(sentence)
    assert "Traceback" not in result.err


def test_debug_shows_where(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: failing(RuntimeError("oops")))
    result = run("--debug", "devices")
    assert result.code == 1
    assert "Traceback" in result.err


def test_the_application_gets_the_options(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("voxtui.ui.run")
    seen: list[object] = []
    monkeypatch.setattr("voxtui.ui.run.run", seen.append)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    result = run("--demo", "--model", "tiny", "--delay", "240", "-I", "0.2", "--low-latency")
    assert result.code == 0
    options: Any = seen[0]
    assert (options.demo, options.model, options.delay_ms) == (True, "tiny", 240)
    assert (options.interval_s, options.low_latency, options.input) == (0.2, True, None)


def test_a_dumb_terminal_gets_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    result = run()
    assert result.code == 2
    assert "voxtui listen writes the words line by line" in result.err
