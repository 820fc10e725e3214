"""Blocks of even size, as fast as they are taken or at the pace of the sound itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from voxtui.audio.source import Outlet, ThreadedSource
from voxtui.events import BYTES_PER_SECOND, SAMPLE_RATE, CaptureState

FAST_BLOCK = SAMPLE_RATE // 10 * 2
LIVE_BLOCK = SAMPLE_RATE // 30 * 2


class Pacer:
    """Cuts s16le bytes into blocks; in real time a block goes out when its sound has passed."""

    def __init__(
        self,
        emit: Callable[[bytes], None],
        *,
        realtime: bool,
        sleep: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._emit = emit
        self._realtime = realtime
        self._block = LIVE_BLOCK if realtime else FAST_BLOCK
        self._sleep = sleep
        self._clock = clock
        self._rest = b""
        self._begun: float | None = None
        self.sent = 0
        """Bytes that went out."""

    def push(self, pcm: bytes) -> None:
        """Add sound; whole blocks go out."""
        data = self._rest + pcm
        whole = len(data) // self._block * self._block
        for start in range(0, whole, self._block):
            self._out(data[start : start + self._block])
        self._rest = data[whole:]

    def flush(self) -> None:
        """Let the rest out, without an odd byte."""
        rest, self._rest = self._rest[: len(self._rest) // 2 * 2], b""
        if rest:
            self._out(rest)

    def _out(self, block: bytes) -> None:
        if self._realtime:
            now = self._clock()
            if self._begun is None:
                self._begun = now
            due = self._begun + (self.sent + len(block)) / BYTES_PER_SECOND
            if due > now:
                self._sleep(due - now)
        self.sent += len(block)
        self._emit(block)


class StoppedError(Exception):
    """Leaves a source's loops when it was stopped."""


class PacedSource(ThreadedSource):
    """A source that reads ahead and lets sound out through a `Pacer`."""

    def __init__(
        self,
        realtime: bool,
        sleep: Callable[[float], object] | None,
        clock: Callable[[], float],
    ) -> None:
        super().__init__()
        self._realtime = realtime
        self._sleep = sleep or self._stopping.wait
        self._clock = clock

    def _pacer(self, outlet: Outlet) -> Pacer:
        """Posts blocks, and RUNNING with the first; raises `StoppedError` after `stop`."""

        def emit(pcm: bytes) -> None:
            if self._stopping.is_set():
                raise StoppedError
            outlet.state(CaptureState.RUNNING)
            outlet.audio(pcm)

        return Pacer(emit, realtime=self._realtime, sleep=self._sleep, clock=self._clock)
