"""A program in a pseudo-terminal, its screen read as a person would; for scripts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Callable

import pyte

Seen = Callable[[float, bytes], None]


class Watched:
    """Runs `command` in a terminal of `columns` by `rows`. `seen` gets all that is drawn."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        columns: int = 120,
        rows: int = 40,
        seen: Seen | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._seen = seen
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def look(self, seconds: float) -> str:
        """What stands on the screen after the next thing drawn, or after so long."""
        if select.select([self._terminal], [], [], seconds)[0]:
            data = os.read(self._terminal, 1 << 16)
            self._stream.feed(data)
            if self._seen:
                self._seen(time.monotonic(), data)
        return " ".join(" ".join(self.screen.display).split())

    def watch(self, seconds: float) -> None:
        """Look for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.look(left)

    def wait_for(self, text: str, seconds: float = 30.0) -> None:
        """Look until this stands there."""
        end = time.monotonic() + seconds
        while text not in self.look(0.05):
            if time.monotonic() > end:
                raise SystemExit(f"{text!r} did not appear on:\n" + "\n".join(self.screen.display))

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def close(self, keys: str = "q") -> None:
        """Leave the program by these keys, and wait for its end."""
        self.type(keys)
        end = time.monotonic() + 20
        while time.monotonic() < end and os.waitpid(self._pid, os.WNOHANG)[0] == 0:
            with contextlib.suppress(OSError):  # it hung up
                self.look(0.05)
        os.close(self._terminal)
