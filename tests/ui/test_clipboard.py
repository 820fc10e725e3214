"""Where copied words go, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pyperclip
import pytest

from tests.ui.support import speech
from voxtui.events import TranscriptChanged
from voxtui.ui.copying import CopyBook
from voxtui.ui.terminal import clipboard
from voxtui.ui.terminal.clipboard import Copied

WORKS, FAILS = (lambda text: True), (lambda text: False)


class Place:
    """Counts what went where."""

    def __init__(self, tmp_path: Path) -> None:
        self.file = tmp_path / "data" / "last.txt"
        self.terminal: list[str] = []
        self.native: list[str] = []

    def copy(self, text: str, *, native: bool = True, **env: str) -> Copied:
        def to_native(text: str) -> bool:
            self.native.append(text)
            return native

        return clipboard.copy(
            text,
            env=env,
            native=to_native,
            to_terminal=self.terminal.append,
            last_file=self.file,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_near_the_screen_the_system_clipboard(place: Place) -> None:
    assert place.copy("words") == Copied("copied", sure=True)
    assert place.terminal == []
    assert place.file.read_text() == "words\n"
    assert place.file.stat().st_mode & 0o077 == 0, "nobody else's business"


def test_over_ssh_the_terminal_only(place: Place) -> None:
    copied = place.copy("words", SSH_CONNECTION="10.0.0.1 1 10.0.0.2 22")
    assert place.native == []
    assert place.terminal == ["words"]
    assert not copied.sure
    assert copied.where.startswith("sent to the terminal's clipboard; also in ")
    assert str(place.file) in copied.where


def test_without_a_system_clipboard_the_terminal(place: Place) -> None:
    copied = place.copy("words", native=False)
    assert place.terminal == ["words"]
    assert "copied" not in copied.where


@pytest.mark.parametrize(
    ("env", "text", "said"),
    [
        ({"VTE_VERSION": "7200"}, "words", "which this terminal ignores"),
        ({"TMUX": "/tmp/tmux"}, "words", "set-clipboard on"),
        ({}, "w" * 80_000, "too small"),
    ],
)
def test_doubts_are_said(place: Place, env: dict[str, str], text: str, said: str) -> None:
    assert said in place.copy(text, native=False, **env).where


def test_a_full_disk_does_not_stop_a_copy(place: Place) -> None:
    place.file.parent.write_text("a file where the folder should be")
    assert place.copy("words").sure
    assert "also in" not in place.copy("words", native=False).where


def test_no_tool_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> None:
        raise pyperclip.PyperclipException("no xclip")

    monkeypatch.setattr(pyperclip, "copy", refuse)
    assert clipboard.native_copy("words") is False


@pytest.mark.parametrize(("works_at", "copied"), [(1, True), (2, True), (3, False)])
def test_under_x11_the_words_are_read_back(
    monkeypatch: pytest.MonkeyPatch, works_at: int, copied: bool
) -> None:
    """xclip fails silently when the X server drops it."""
    held: list[str] = []
    tries: list[str] = []

    def try_to_copy(text: str) -> None:
        tries.append(text)
        if len(tries) == works_at:
            held.append(text)

    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(pyperclip, "copy", try_to_copy)
    monkeypatch.setattr(pyperclip, "paste", lambda: held[-1] if held else "")
    assert clipboard.native_copy("words") is copied


# ---- what is copied


def test_since_the_last_copy_then_everything() -> None:
    book = CopyBook()
    assert book.portion() is None
    book.change(TranscriptChanged((speech("one two three"),), speech("four five", 2)))
    first = book.portion()
    assert first is not None
    assert first.text == "one two three\n\nfour five"
    assert first.what == "5 words"
    book.copied(first)

    book.change(TranscriptChanged((), speech("four five six", 2)))
    second = book.portion()
    assert second is not None
    assert (second.text, second.what) == ("six", "1 word since the last copy")
    book.copied(second)

    everything = book.portion()
    assert everything is not None
    assert everything.text == "one two three\n\nfour five six"
    assert everything.what == "the whole session, 6 words,"

    book.clear()
    assert book.portion() is None
    assert book.words == 0
