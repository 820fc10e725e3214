"""A pipeline whose events are handled in the main thread, where Ctrl+C and a closed pipe arrive."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator

from voxtui.events import AudioGap, Event, Notice, SessionOpened, Severity
from voxtui.pipeline import Pipeline, PipelineConfig, SourceFactory

POLL_S = 0.1


class Running:
    """One pipeline and the queue of its events."""

    def __init__(self, config: PipelineConfig) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.pipeline = Pipeline(config, self._events.put)

    def for_ever(self) -> Iterator[Event]:
        """Events as they come."""
        while True:
            with contextlib.suppress(queue.Empty):
                yield self._events.get(timeout=POLL_S)

    def until_idle(self) -> Iterator[Event]:
        """Events until all sound that there is has become words."""
        while not self.pipeline.wait_idle(0.0):
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
        case AudioGap(reason, seconds):
            return f"{seconds:.1f} s of sound is missing here: {reason}." if seconds else None
    return None
