"""A microphone: watches a recording process, and starts another one when no samples come.

PortAudio's callback --> [recording process] --pipe--> worker thread --> post
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, Protocol

import numpy as np

from voxtui import paths
from voxtui.audio.convert import Converter
from voxtui.audio.devices import python_path
from voxtui.audio.monitor import Monitor, Patience
from voxtui.audio.recorder import Ended, Message, Opened, Refused, Samples, decode_message
from voxtui.audio.source import Outlet, ThreadedSource
from voxtui.events import BYTES_PER_SECOND, Severity

TICK_S = 0.1
BLOCK_BYTES = BYTES_PER_SECOND // 50
"""Drivers deliver pieces of a few milliseconds; nobody needs to hear of each."""
LOG_SIZE = 1_000_000


class Recorder(Protocol):
    """One attempt to record."""

    def read(self, timeout_s: float) -> Message | None:
        """The next message; None when there is none within the time."""

    def close(self) -> None:
        """End it at once, whatever state the device is in."""


RecorderFactory = Callable[[str, bool], Recorder]
"""Called with the wanted device ("" for the default) and whether no other one will do."""


class ProcessRecorder:
    """`voxtui.audio.recorder` in a process; it ends with this one."""

    def __init__(self, device: str, only: bool) -> None:
        log = _open_log()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "voxtui.audio.recorder"),
                    *(["--only"] if only else []),
                    *("--", device),
                ],
                env={**os.environ, "PYTHONPATH": python_path()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log or subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,  # Ctrl+C must not end it before the last words
            )
        finally:
            if log is not None:
                log.close()
        assert self._process.stdout is not None
        self._out = self._process.stdout.fileno()
        self._rest = b""

    def read(self, timeout_s: float) -> Message | None:
        """The next message; None when there is none within the time."""
        message, self._rest = decode_message(self._rest)
        while message is None:
            ready, _, _ = select.select([self._out], [], [], timeout_s)
            if not ready:
                return None
            data = os.read(self._out, 65_536)
            if not data:
                return Ended()
            message, self._rest = decode_message(self._rest + data)
        return message

    def close(self) -> None:
        """End it at once, whatever state the device is in."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)


def _open_log() -> IO[bytes] | None:
    """Where the sound system's own messages go; begun anew when it has become long."""
    path = paths.log_dir() / "sound.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "wb" if path.exists() and path.stat().st_size > LOG_SIZE else "ab"
        return path.open(mode)
    except OSError:
        return None


class MicrophoneSource(ThreadedSource):
    """`device` is "host api: name", as in `Device.id`, or "" for the system's default.

    Nothing raises: what is wrong is told as `CaptureChanged`, and tried again.
    """

    def __init__(
        self,
        device: str = "",
        gain_db: float = 0.0,
        *,
        record: RecorderFactory = ProcessRecorder,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.name = device.partition(": ")[2] or device or "Microphone"
        self._wanted = device
        self._gain_db = gain_db
        self._record = record
        self._patience = patience or Patience()
        self._clock = clock
        self._instead_told = False
        self._lost_at: float | None = None

    # ---- the worker thread -------------------------------------------------------------

    def _work(self, outlet: Outlet) -> None:
        monitor = Monitor(outlet, self._patience)
        waits = self._waits()
        while not self._stopping.wait(next(waits)):
            try:
                recorder = self._record(self._wanted, self._same_device_only())
            except OSError as error:
                monitor.failed(f"No process can be started to record: {error.strerror}.")
                continue
            try:
                delivered = self._serve(outlet, monitor, recorder)
            finally:
                recorder.close()
            if delivered:
                waits = self._waits()
                self._lost_at = self._clock()

    def _waits(self) -> Iterator[float]:
        yield from self._patience.retry
        while True:
            yield self._patience.retry[-1]

    def _same_device_only(self) -> bool:
        """A device that was lost a moment ago may come back."""
        if self._lost_at is None:
            return False
        return self._clock() - self._lost_at < self._patience.same_device

    def _serve(self, outlet: Outlet, monitor: Monitor, recorder: Recorder) -> bool:
        """Hand samples on until the device is lost or `stop`; True when any came."""
        begun = self._clock()
        stream: _Stream | None = None
        while not self._stopping.is_set():
            message = recorder.read(TICK_S)
            if message is None:
                if stream is None and self._clock() - begun >= self._patience.open:
                    monitor.failed("The sound system does not answer: is its server hanging?")
                    break
                if stream is not None and monitor.overdue(self._clock()):
                    monitor.lost(self._lost_sentence())
                    break
            elif isinstance(message, Opened):
                self._tell_opened(outlet, message)
                monitor.opened(self._clock())
                stream = _Stream(message, self._gain_db, outlet, monitor)
            elif isinstance(message, Samples):
                if stream is not None:
                    stream.take(message, self._clock())
            elif isinstance(message, Refused):
                monitor.failed(message.reason)
                break
            else:
                if stream is None:
                    monitor.failed("The sound system ended unexpectedly; trying again.")
                else:
                    monitor.lost(self._lost_sentence())
                break
        return stream is not None and stream.finish()

    def _tell_opened(self, outlet: Outlet, opened: Opened) -> None:
        self.name = opened.device
        outlet.rename(opened.device)
        if opened.instead_of and not self._instead_told:
            outlet.notice(Severity.WARNING, opened.instead_of)
        self._instead_told = bool(opened.instead_of)

    def _lost_sentence(self) -> str:
        return f"{self.name} delivers no sound any more; waiting for it."


class _Stream:
    """Samples of one device on their way out."""

    def __init__(self, opened: Opened, gain_db: float, outlet: Outlet, monitor: Monitor) -> None:
        self._opened = opened
        self._converter = Converter(opened.rate, gain_db)
        self._outlet = outlet
        self._monitor = monitor
        self._pending = bytearray()
        self._expected_adc = 0.0
        self._delivered = False

    def take(self, block: Samples, now: float) -> None:
        """Judge, convert and hand on one block."""
        samples = np.frombuffer(block.data, dtype=np.float32).reshape(-1, self._opened.channels)
        seconds = len(samples) / self._opened.rate
        if block.overflow:
            self._monitor.overflow(_missing(block.adc_time, self._expected_adc))
        self._expected_adc = block.adc_time + seconds if block.adc_time > 0 else 0.0
        self._monitor.block(now, seconds, zero=not samples.any())
        self._delivered = True
        self._pending += self._converter.convert(samples)
        if len(self._pending) >= BLOCK_BYTES:
            self._outlet.audio(bytes(self._pending))
            self._pending.clear()

    def finish(self) -> bool:
        """Hand on what is left; True when the device delivered anything."""
        self._outlet.audio(bytes(self._pending) + self._converter.finish())
        return self._delivered


def _missing(adc_time: float, expected: float) -> float:
    """Seconds that lie between the blocks, 0 when the driver's clock does not tell."""
    if adc_time <= 0 or expected <= 0:
        return 0.0
    missing = adc_time - expected
    return missing if 0 < missing < 60 else 0.0
