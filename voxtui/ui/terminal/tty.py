"""Whose file descriptor is whose: keys, drawing, sound on standard input, other people's noise.

Textual reads keys from descriptor 0 and draws on descriptor 2. Sound may come on 0, and sound
libraries write to 2 from C. So the drawing gets a private copy of the terminal, 2 leads into a
log file, and when 0 is not the terminal it is opened anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path


class NoTerminalError(Exception):
    """There is no terminal to draw on; the message says what to do."""


class Drawing(io.TextIOWrapper):
    """What is drawn on a terminal. When that is gone nobody sees it, which is no fault: the
    thread that writes must live until the application has put everything away."""

    def __init__(self, descriptor: int) -> None:
        raw = io.BufferedWriter(io.FileIO(descriptor, "w"))
        super().__init__(raw, encoding="utf-8", errors="replace")

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


@contextlib.contextmanager
def set_aside(noise_log: Path, *, sound_on_stdin: bool) -> Iterator[int | None]:
    """Prepare the descriptors for the application and put them back afterwards.

    Yields the descriptor that carries the sound of standard input, or None.
    """
    undo = contextlib.ExitStack()
    with undo:
        sound = _keys_on_0(undo, sound_on_stdin=sound_on_stdin)
        _private_screen(undo, noise_log)
        yield sound


def _open_terminal() -> int:
    try:
        return os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise NoTerminalError(
            "voxtui needs a terminal. Without one use `voxtui transcribe` or `voxtui listen`."
        ) from error


def _keys_on_0(undo: contextlib.ExitStack, *, sound_on_stdin: bool) -> int | None:
    if os.isatty(0):
        if sound_on_stdin:
            raise NoTerminalError(
                "Nothing is piped in. Give sound on standard input: voxtui --input - < sound.wav"
            )
        return None
    terminal = _open_terminal()
    before = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)

    def restore() -> None:
        os.dup2(before, 0)
        os.close(before)

    undo.callback(restore)
    return os.dup(before) if sound_on_stdin else None


def _private_screen(undo: contextlib.ExitStack, noise_log: Path) -> None:
    drawing_on_2 = os.isatty(2)
    screen = os.dup(2) if drawing_on_2 else _open_terminal()
    stderr_before = sys.__stderr__
    stream = Drawing(screen)
    sys.__stderr__ = stream  # type: ignore[misc]
    before = os.dup(2)
    if drawing_on_2:
        _noise_to(noise_log)

    def restore() -> None:
        os.dup2(before, 2)
        os.close(before)
        sys.__stderr__ = stderr_before  # type: ignore[misc]
        stream.close()

    undo.callback(restore)


def _noise_to(noise_log: Path) -> None:
    try:
        noise_log.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        log = os.open(noise_log, flags, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 2)
    os.close(log)
