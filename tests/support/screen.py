"""A terminal for tests: the application in tmux, keys in, the screen as text out."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType


class Terminal:
    """Runs `command` in a tmux server of its own. Use as a context manager."""

    def __init__(
        self, command: list[str], environment: dict[str, str], size: tuple[int, int] = (100, 30)
    ) -> None:
        self._socket = f"voxtui-{uuid.uuid4().hex[:12]}"
        self._command = command
        self._environment = environment
        self._size = size
        self._folder = Path(tempfile.mkdtemp(prefix="voxtui-tmux-"))

    def __enter__(self) -> Terminal:
        width, height = self._size
        # A login shell would change the environment; `env` sets just what the test wants.
        line = shlex.join(
            ["env", *(f"{k}={v}" for k, v in self._environment.items()), *self._command]
        )
        status = self._folder / "status"
        self._tmux(
            *("-f", "/dev/null", "new-session", "-d", "-s", "test"),
            *("-x", str(width), "-y", str(height)),
            f"{line}; echo $? > {shlex.quote(str(status))}; sleep 1000",
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        environment = {k: v for k, v in os.environ.items() if k != "TMUX"}
        return subprocess.run(
            ["tmux", "-L", self._socket, *arguments],
            env=environment,
            check=check,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout

    def keys(self, *names: str) -> None:
        """Type keys by their tmux names ("Space", "c", "C-q")."""
        self._tmux("send-keys", "-t", "test", *names)

    def text(self) -> str:
        """The screen as it stands."""
        return self._tmux("capture-pane", "-p", "-t", "test")

    def wait_for(self, pattern: str, timeout_s: float = 30) -> str:
        """Wait until the screen matches the regular expression; returns the screen."""
        deadline = time.monotonic() + timeout_s
        while True:
            screen = self.text()
            if re.search(pattern, screen):
                return screen
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} did not appear on:\n{screen}")
            time.sleep(0.1)

    def exit_status(self, timeout_s: float = 30) -> int:
        """Wait until the application ended."""
        deadline = time.monotonic() + timeout_s
        status = self._folder / "status"
        while not (status.exists() and status.read_text().strip()):
            if time.monotonic() > deadline:
                raise AssertionError(f"the application is still running:\n{self.text()}")
            time.sleep(0.1)
        return int(status.read_text())
