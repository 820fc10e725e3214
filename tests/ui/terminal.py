"""A pseudo-terminal that plays a terminal: starts the application, types, and looks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).with_name("pty_app.py")
CONTROLLING = (
    "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0);"
    " os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal the one of the session, then becomes the application."""
KITTY_ANSWER = b"\x1b[?27u"


class Terminal:
    """The terminal's end of a session with the application."""

    def __init__(self, master: int, process: subprocess.Popen[bytes], record: Path) -> None:
        self.master = master
        self.process = process
        self.record = record
        self.screen = b""

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def look(self, seconds: float) -> bytes:
        """Read what is drawn for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                break
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            self.screen += data
        return self.screen

    def wait_to_see(self, text: bytes, seconds: float = 10.0) -> None:
        """Until this was drawn."""
        end = time.monotonic() + seconds
        while text not in self.screen and time.monotonic() < end:
            self.look(0.05)
        assert text in self.screen

    def lines(self) -> list[str]:
        """What the application recorded."""
        return self.record.read_text().splitlines() if self.record.exists() else []

    def wait_for(self, line: str, seconds: float = 30.0) -> None:
        """Until the application recorded this."""
        end = time.monotonic() + seconds
        while line not in self.lines():
            assert time.monotonic() < end, f"no {line!r} in {self.lines()}"
            assert self.process.poll() is None or line in self.lines(), self.screen[-2000:]
            self.look(0.05)

    def wait_for_calls(self, *expected: str, seconds: float = 10.0) -> None:
        """Until just these calls to `listen` were made, in this order."""
        end = time.monotonic() + seconds
        while self.listens() != list(expected) and time.monotonic() < end:
            self.look(0.05)
        assert self.listens() == list(expected)

    def listens(self) -> list[str]:
        return [line.split()[1] for line in self.lines() if line.startswith("listen ")]

    def leave(self) -> int:
        """Ctrl+Q, and the exit code."""
        self.type(b"\x11")
        end = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < end:
            self.look(0.05)
        return self.process.wait(1)


@contextlib.contextmanager
def started(
    record: Path, mode: str = "plain", *, stdin: int | None = None, stdout: int | None = None
) -> Iterator[Terminal]:
    """The application in a terminal of 80x24."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = os.environ | {"TERM": "xterm-256color", "VOXTUI_HOME": str(record.parent / "home")}
    for name in ("TEXTUAL", "TEXTUAL_DRIVER", "TEXTUAL_DISABLE_KITTY_KEY"):
        env.pop(name, None)

    process = subprocess.Popen(
        [sys.executable, "-c", CONTROLLING, sys.executable, str(APP), str(record), mode],
        stdin=slave if stdin is None else stdin,
        stdout=slave if stdout is None else stdout,
        stderr=slave,
        env=env,
        start_new_session=True,
    )
    os.close(slave)
    terminal = Terminal(master, process, record)
    try:
        terminal.wait_for("ready")
        yield terminal
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.close(master)
