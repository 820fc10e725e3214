"""A pipeline whose events are handled in the main thread, where Ctrl+C and a closed pipe arrive."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from voxtui.audio.intake import SourceFactory
from voxtui.events import (
    AudioGap,
    EngineChanged,
    EngineState,
    Event,
    Notice,
    SessionOpened,
    Severity,
)
from voxtui.pipeline import Pipeline, PipelineConfig

POLL_S = 0.1
PROGRESS_S = 3.0
"""What an engine does before it is ready is told so often: each time is a line."""


class StopRequest:
    """Ctrl+C, or another signal to end, asks to stop; the second one raises KeyboardInterrupt.

    A context manager. An exception at any moment could fall between writing a word and noting
    that it was written; a flag is looked at between events.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> StopRequest:
        with contextlib.suppress(ValueError):  # not in the main thread
            self._before = [signal.signal(number, self._told) for number in self.SIGNALS]
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ValueError, AttributeError):
            for number, before in zip(self.SIGNALS, self._before, strict=True):
                signal.signal(number, before)

    def _told(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class Running:
    """One pipeline and the queue of its events. `stopped` ends waiting for events.

    `broken` tells why no more can be heard (a full disk), in a sentence.
    """

    def __init__(self, config: PipelineConfig, stopped: Callable[[], bool] = lambda: False) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stopped = stopped
        self._progress_at = float("-inf")
        self.broken = ""
        self.pipeline = Pipeline(config, self._put)

    def _put(self, event: Event) -> None:
        if isinstance(event, Notice) and event.severity is Severity.ERROR:
            self.broken = event.message
        if isinstance(event, EngineChanged) and event.state is EngineState.LOADING and event.detail:
            if time.monotonic() < self._progress_at + PROGRESS_S:
                return
            self._progress_at = time.monotonic()
        self._events.put(event)

    def for_ever(self) -> Iterator[Event]:
        """Events as they come, until it is stopped."""
        while not (self._stopped() or self.broken):
            with contextlib.suppress(queue.Empty):
                yield self._events.get(timeout=POLL_S)

    def until_idle(self, *, last_words: bool = False) -> Iterator[Event]:
        """Events until all sound that there is has become words, or until it is stopped.

        With `last_words` it has been stopped, and what was heard is waited for.
        """
        while not self.pipeline.wait_idle(0.0) and (last_words or not self._stopped()):
            with contextlib.suppress(queue.Empty):
                yield self._events.get(timeout=POLL_S)
        yield from self._left()

    def new_session(self, source: SourceFactory) -> Iterator[Event]:
        """Begin another session that hears something else; the events until it is there."""
        self.pipeline.new_session(source)
        for event in self.for_ever():
            yield event
            if isinstance(event, SessionOpened):
                break
        self.pipeline.session_path()  # when this has answered, it is not idle from before

    def closing(self, timeout_s: float) -> Iterator[Event]:
        """Close the pipeline; the events that come with it."""
        closer = threading.Thread(target=self.pipeline.close, args=(timeout_s,), daemon=True)
        closer.start()
        while closer.is_alive():
            closer.join(POLL_S)
            yield from self._left()
        yield from self._left()

    def _left(self) -> Iterator[Event]:
        """What is there by now; a microphone never stops adding."""
        for _ in range(self._events.qsize()):
            yield self._events.get()


def sentence(event: Event) -> str | None:
    """What a person should read about an event, if anything."""
    match event:
        case Notice(severity, message) if severity is not Severity.INFO:
            return message
        case EngineChanged(EngineState.LOADING, detail):
            return detail or None
        case AudioGap(reason, seconds):
            return f"{seconds:.1f} s of sound is missing here: {reason}." if seconds else None
    return None
