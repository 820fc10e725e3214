"""Brings events from the chain's thread to a page, at most thirty times a second.

The listener only stores and never waits. Of levels and progress the newest is kept; everything
else keeps its order and none is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable

from voxtui.events import EngineStats, Event, Level
from voxtui.ui.messages import Arrived, message_for

FRAME_S = 1 / 30


class Relay:
    """A listener for events. On the event loop's thread `deliver` is called with messages, and
    `hear` with levels: thirty messages a second would cost more than the meter that they move."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deliver: Callable[[Arrived], object],
        hear: Callable[[Level], object],
        frame_s: float = FRAME_S,
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._hear = hear
        self._context = contextvars.copy_context()
        self._frame_s = frame_s
        self._lock = threading.Lock()
        self._ordered: list[Event] = []
        self._level: Level | None = None
        self._stats: EngineStats | None = None
        self._looking = False

    def __call__(self, event: Event) -> None:
        """Take an event, on any thread."""
        with self._lock:
            if isinstance(event, Level):
                clipped = event.clipped or (self._level is not None and self._level.clipped)
                self._level = Level(event.rms_dbfs, event.peak_dbfs, clipped)
            elif isinstance(event, EngineStats):
                self._stats = event
            else:
                self._ordered.append(event)
            if self._looking:
                return
            self._looking = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody looks any more
            self._loop.call_soon_threadsafe(self.flush, context=self._context)

    def flush(self) -> None:
        """Deliver what is there (on the loop's thread), and look again a frame later: what comes
        until then need not wake the loop. The first look that finds nothing is the last."""
        with self._lock:
            if not (self._ordered or self._level or self._stats):
                self._looking = False
                return
            ordered, self._ordered = self._ordered, []
            level, self._level = self._level, None
            stats, self._stats = self._stats, None
        self._loop.call_later(self._frame_s, self.flush)
        for event in (*ordered, stats):
            message = message_for(event) if event is not None else None
            if message is not None:
                self._deliver(message)
        if level is not None:
            self._hear(level)
