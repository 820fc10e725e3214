"""The process is stopped and goes on; its terminal is closed."""

from __future__ import annotations

import os
import pty
import signal
import termios
import time
from pathlib import Path

import pytest

from tests.ui.terminal import Terminal, started
from voxtui.ui.terminal.tty import Drawing


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "calls.txt"


def stop_and_go_on(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGSTOP)
    terminal.look(0.2)
    terminal.process.send_signal(signal.SIGCONT)


def echoes(terminal: Terminal) -> bool:
    return bool(termios.tcgetattr(terminal.master)[3] & termios.ECHO)


def test_after_a_stop_each_key_counts_once_and_the_terminal_is_given_back(record: Path) -> None:
    with started(record) as terminal:
        assert not echoes(terminal)
        for _ in range(3):
            stop_and_go_on(terminal)
            terminal.look(0.5)
        terminal.type(b"m")
        terminal.look(0.5)
        for letter in b"every letter once":
            terminal.type(bytes([letter]))
            terminal.look(0.02)
        terminal.type(b"\r")
        terminal.wait_for("note every letter once")
        assert terminal.leave() == 0
        assert echoes(terminal), "a shell must show again what is typed"


def test_after_a_stop_the_page_is_drawn_anew_and_keys_come_one_by_one(record: Path) -> None:
    """A shell has meanwhile had the terminal: its words stand there, and lines are waited for."""
    with started(record) as terminal:
        terminal.wait_to_see(b"voxtui")
        terminal.process.send_signal(signal.SIGSTOP)
        raw = termios.tcgetattr(terminal.master)
        raw[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(terminal.master, termios.TCSANOW, raw)
        terminal.look(0.5)
        terminal.screen = b""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_to_see(b"voxtui")
        assert not echoes(terminal)
        terminal.type(b"l")
        terminal.wait_for_calls("True")


def test_a_terminal_that_is_closed_ends_it(record: Path) -> None:
    """With the hang-up comes the signal to go on; nothing can be drawn any more."""
    with started(record) as terminal:
        terminal.type(b"l")
        terminal.wait_for_calls("True")
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, terminal.master)  # the last end of it that the terminal held
        os.close(null)
        end = time.monotonic() + 15
        while terminal.process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        assert terminal.process.poll() is not None, "it hangs"
        assert "close" in terminal.lines()


def test_drawing_on_a_terminal_that_is_gone_is_no_fault() -> None:
    """A writer that ended of it would be waited for without end."""
    master, slave = pty.openpty()
    drawing = Drawing(slave)
    drawing.write("seen")
    drawing.flush()
    assert os.read(master, 100) == b"seen"
    os.close(master)
    for _ in range(3):
        drawing.write("unseen" * 10_000)
        drawing.flush()
    drawing.close()
