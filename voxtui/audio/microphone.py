"""A microphone: watches a recording process, and starts another one when no samples come.

PortAudio's callback --> [recording process] --pipe--> worker thread --> post
"""

from __future__ import annotations

import itertools
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO

import numpy as np

from voxtui import paths
from voxtui.audio.better import Better, BetterDevice, Recorder, RecorderFactory
from voxtui.audio.convert import Converter
from voxtui.audio.devices import Device, is_default, list_devices, python_path
from voxtui.audio.monitor import Monitor, Patience
from voxtui.audio.recorder import Ended, Message, Opened, Refused, Samples, decode_message
from voxtui.audio.source import Outlet, ThreadedSource
from voxtui.events import BYTES_PER_SECOND, SYSTEM_DEFAULT, Severity

TICK_S = 0.1
BLOCK_BYTES = BYTES_PER_SECOND // 50
"""Drivers deliver pieces of a few milliseconds; nobody needs to hear of each."""
LOG_SIZE = 1_000_000


class ProcessRecorder:
    """`voxtui.audio.recorder` in a process; it ends with this one."""

    def __init__(self, devices: Sequence[str], only: bool) -> None:
        log = _open_log()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "voxtui.audio.recorder"),
                    *(["--only"] if only else []),
                    *("--", *devices),
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
    """The first microphone of several that is there; when a better one comes back, that one.

    Each of `devices` is "host api: name", as in `Device.id`, a name, or "" or "system default";
    none is the system's default. Nothing raises: what is wrong is told as `CaptureChanged`, and
    tried again.
    """

    def __init__(
        self,
        devices: str | Sequence[str] = (),
        gain_db: float = 0.0,
        *,
        record: RecorderFactory = ProcessRecorder,
        present: Callable[[], list[Device]] = list_devices,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        names = (devices,) if isinstance(devices, str) else devices
        self._wanted = tuple(SYSTEM_DEFAULT if is_default(name) else name for name in names)
        first = (*self._wanted, SYSTEM_DEFAULT)[0]
        plain = "Microphone" if first == SYSTEM_DEFAULT else first
        self.name = first.partition(": ")[2] or plain
        self._gain_db = gain_db
        self._record = record
        self._patience = patience or Patience()
        self._clock = clock
        self._instead_told = False
        self._lost_at: float | None = None
        self._heard: tuple[str, ...] = ()  # the wanted name of what was heard last
        self._better = BetterDevice(record, present, self._patience)

    # ---- the worker thread -------------------------------------------------------------

    def _work(self, outlet: Outlet) -> None:
        monitor = Monitor(outlet, self._patience)
        waits = self._waits()
        better: Better | None = None
        try:
            while better is not None or not self._stopping.wait(next(waits)):
                delivered = self._record_once(outlet, monitor, better)
                better = self._better.take()
                if delivered:
                    waits = self._waits()
                    self._lost_at = self._clock() if better is None else None
        finally:
            self._better.stop()

    def _waits(self) -> Iterator[float]:
        yield from self._patience.retry
        while True:
            yield self._patience.retry[-1]

    def _record_once(self, outlet: Outlet, monitor: Monitor, better: Better | None) -> bool:
        """One device, until it is lost, a better one is ready, or `stop`; True when it
        delivered anything."""
        if better is not None:
            serving = _Serving(self, outlet, monitor, better.recorder, better.asked)
            serving.opened(better.opened)
            outlet.notice(Severity.INFO, f"{better.opened.device} is there and is heard now.")
            return serving.run()
        self._better.watch(())
        lost = self._lost_at
        waiting = lost is not None and self._clock() - lost < self._patience.same_device
        asked = self._heard if waiting else self._wanted
        try:
            recorder = self._record(asked, waiting)
        except OSError as error:
            monitor.failed(f"No process can be started to record: {error.strerror}.")
            return False
        return _Serving(self, outlet, monitor, recorder, asked).run()

    def _tell_opened(self, outlet: Outlet, opened: Opened, asked: tuple[str, ...]) -> None:
        self.name = opened.device
        outlet.rename(opened.device)
        if opened.instead_of and not self._instead_told:
            outlet.notice(Severity.WARNING, opened.instead_of)
        self._instead_told = bool(opened.instead_of)
        self._heard = asked[opened.rank : opened.rank + 1]
        better = tuple(itertools.takewhile(lambda name: name not in self._heard, self._wanted))
        # Elsewhere the sound server moves the stream to another default by itself.
        follows = sys.platform == "darwin" and self._heard in ((), (SYSTEM_DEFAULT,))
        self._better.watch(better, opened.device if follows else "")


class _Serving:
    """One recorder and what becomes of its messages."""

    def __init__(
        self,
        source: MicrophoneSource,
        outlet: Outlet,
        monitor: Monitor,
        recorder: Recorder,
        asked: tuple[str, ...],
    ) -> None:
        self._source = source
        self._outlet = outlet
        self._monitor = monitor
        self._recorder = recorder
        self._asked = asked
        self._clock = source._clock
        self._stream: _Stream | None = None

    def run(self) -> bool:
        """Hand samples on as long as they come; True when any did."""
        source, begun = self._source, self._clock()
        try:
            while not source._stopping.is_set() and not source._better.ready:
                if not self._take(self._recorder.read(TICK_S), begun):
                    break
            return self._stream is not None and self._stream.finish()
        finally:
            self._recorder.close()

    def opened(self, opened: Opened) -> None:
        """The device is open."""
        self._source._tell_opened(self._outlet, opened, self._asked)
        self._monitor.opened(self._clock())
        self._stream = _Stream(opened, self._source._gain_db, self._outlet, self._monitor)

    def _take(self, message: Message | None, begun: float) -> bool:
        """False when this device is done with."""
        monitor, stream = self._monitor, self._stream
        if message is None:
            if stream is None and self._clock() - begun >= self._source._patience.open:
                monitor.failed("The sound system does not answer: is its server hanging?")
                return False
            if stream is not None and monitor.overdue(self._clock()):
                monitor.lost(self._lost())
                return False
        elif isinstance(message, Opened):
            self.opened(message)
        elif isinstance(message, Samples):
            if stream is not None:
                stream.take(message, self._clock())
        elif isinstance(message, Refused):
            monitor.failed(message.reason)
            return False
        else:
            if stream is None:
                monitor.failed("The sound system ended unexpectedly; trying again.")
            else:
                monitor.lost(self._lost())
            return False
        return True

    def _lost(self) -> str:
        return f"{self._source.name} delivers no sound any more; waiting for it."


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
