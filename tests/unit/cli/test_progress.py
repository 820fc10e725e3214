"""The bar on standard error."""

from __future__ import annotations

import pytest

from voxtui.cli.progress import FileProgress
from voxtui.cli.running import sentence
from voxtui.events import AudioGap, Notice, Severity


def show(wanted: bool) -> None:
    progress = FileProgress(wanted)
    for name in ("one.wav", "two [red].wav"):
        progress.begin(name)
        progress.update(5.0, None)
        progress.update(15.0, 60.0)
        progress.end()


def test_a_terminal_sees_the_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    show(wanted=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "two [red].wav" in err
    assert "25 %" in err
    assert "× real time" in err


@pytest.mark.parametrize("terminal", [False, True])
def test_nobody_else_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    show(wanted=not terminal)
    assert capsys.readouterr() == ("", "")


def test_what_is_said_about_events() -> None:
    assert sentence(Notice(Severity.INFO, "fine")) is None
    assert sentence(Notice(Severity.ERROR, "Bad.")) == "Bad."
    assert sentence(AudioGap("overflow", 0.5)) == "0.5 s of sound is missing here: overflow."
    assert sentence(AudioGap("overflow", 0.0)) is None
