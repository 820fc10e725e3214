"""One engine process: started, read and ended. Its output goes to an inbox, its talk to a log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from voxtui.engine.locate import environment
from voxtui.engine.protocol import LineSplitter, ProtocolError, WireEvent, parse_line

LOG_SIZE = 1_000_000
BACKGROUND = 10
"""The niceness of an engine that nobody waits for."""
FOREIGN_LINES = 100
"""Lines that are no events (a library that prints) before the process counts as broken."""


@dataclass(frozen=True, slots=True)
class Broke:
    """The output cannot be understood any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutputEnded:
    """Standard output was closed: the process ended or is about to."""


Output = WireEvent | Broke | OutputEnded


class EngineProcess:
    """Reader threads hand every event to `deliver`; nobody else reads the process's output.

    The process leads its own session, so Ctrl+C in the terminal does not reach it. It ends by
    itself when its standard input ends, so also when this program is killed.
    """

    def __init__(
        self,
        command: list[str],
        log: Path | None,
        deliver: Callable[[Output], None],
        *,
        background: bool = False,
    ) -> None:
        self._deliver = deliver
        self._log = log
        self._last_lines: deque[str] = deque(maxlen=20)
        self._gone_at: float | None = None
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            bufsize=0,
            start_new_session=True,
        )
        if background:  # at once: its threads take it over as they begin
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._popen.pid, BACKGROUND)
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        # The feeder owns its descriptor; the pipe's own object is closed at once.
        self.stdin = os.dup(self._popen.stdin.fileno())
        self._popen.stdin.close()
        self._talk = threading.Thread(
            target=self._read_talk, args=(self._popen.stderr,), name="engine-log", daemon=True
        )
        self._events = threading.Thread(
            target=self._read_events, args=(self._popen.stdout,), name="engine-out", daemon=True
        )
        self._talk.start()
        self._events.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    def last_words(self) -> str:
        """The last line of its standard error that says something."""
        self._talk.join(0.5)
        return self._last_lines[-1] if self._last_lines else ""

    def gone_for(self, now: float) -> float:
        """Seconds since it was first seen to have ended; 0 while it runs."""
        if self._popen.poll() is None:
            return 0.0
        if self._gone_at is None:
            self._gone_at = now
        return now - self._gone_at

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, negative for a signal; None when it still runs after `timeout_s`."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self, grace_s: float = 0.0) -> None:
        """End it and whatever it started: politely for `grace_s`, then by force."""
        if grace_s > 0 and self._popen.poll() is None:
            self._signal(signal.SIGTERM)
            if self.wait(grace_s) is not None:
                return
        if self._popen.poll() is None:
            self._signal(signal.SIGKILL)
            self.wait(5.0)

    def activity(self) -> tuple[int, ...] | None:
        """Numbers that change while it, or what it started, computes or waits for the disk.

        None where they cannot be read.
        """
        try:
            return tuple(number for pid in self._family() for number in _work_of(pid))
        except OSError:
            return None

    def _family(self) -> list[int]:
        """The process and its children."""
        found = [self.pid]
        for file in Path(f"/proc/{self.pid}/task").glob("*/children"):
            found += [int(pid) for pid in file.read_text().split()]
        return found

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)

    # ---- reader threads ----------------------------------------------------------------

    def _read_events(self, pipe: IO[bytes]) -> None:
        splitter = LineSplitter()
        foreign = 0
        with pipe:
            while data := os.read(pipe.fileno(), 65536):
                try:
                    for line in splitter.push(data):
                        if line.startswith(b"{"):
                            event = parse_line(line)
                            foreign = 0
                            if event is not None:
                                self._deliver(event)
                        elif line:
                            foreign += 1
                            self._remember(line.decode(errors="replace"))
                            if foreign > FOREIGN_LINES:
                                raise ProtocolError("it writes something else than events")
                except ProtocolError as error:
                    self._deliver(Broke(str(error)))
                    break
            else:
                self._deliver(OutputEnded())
            while os.read(pipe.fileno(), 65536):
                pass  # until it is killed; a full pipe must not hold it

    def _read_talk(self, pipe: IO[bytes]) -> None:
        with pipe, contextlib.ExitStack() as stack:
            log = self._open_log(stack)
            rest = b""
            while data := os.read(pipe.fileno(), 8192):
                if log is not None:
                    with contextlib.suppress(OSError):
                        log.write(data)
                *lines, rest = (rest + data).split(b"\n")
                rest = rest[-8192:]
                for line in lines:
                    self._remember(line.decode(errors="replace"))
            self._remember(rest.decode(errors="replace"))

    def _remember(self, line: str) -> None:
        line = line.strip()
        if line:
            self._last_lines.append(line)

    def _open_log(self, stack: contextlib.ExitStack) -> IO[bytes] | None:
        """The log, begun anew when it has become long; None where it cannot be written."""
        if self._log is None:
            return None
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            if self._log.exists() and self._log.stat().st_size > LOG_SIZE:
                self._log.replace(self._log.with_suffix(".old.log"))
            log = stack.enter_context(self._log.open("ab", buffering=0))
            log.write(f"---- {time.strftime('%Y-%m-%d %H:%M:%S')} process {self.pid}\n".encode())
        except OSError:
            return None
        return log


def _work_of(pid: int) -> tuple[int, int, int]:
    """Waits for the disk, and time on the processor in its own code and in the system's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[9]), int(fields[11]), int(fields[12])
