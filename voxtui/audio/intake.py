"""The source that is heard now, and how its events come to the pipeline's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from voxtui.audio.source import AudioError, Source
from voxtui.events import AudioBlock, CaptureChanged, CaptureEvent, CaptureState

SourceFactory = Callable[[], Source]

FILE_INBOX = 64
"""Blocks a file may be ahead of the disk before its reader has to wait."""


class Intake:
    """One source at a time; what an earlier one still tells is left out.

    Used on the pipeline's thread: `post` brings work there from the source's, `take` gets the
    events. With `lossless` (files, standard input) the source waits when the disk is slow.
    """

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        take: Callable[[CaptureEvent], None],
        *,
        lossless: bool,
    ) -> None:
        self._post = post
        self._take = take
        self._lossless = lossless
        self._room = threading.BoundedSemaphore(FILE_INBOX)
        self._ended = threading.Event()
        self._source: Source | None = None
        self._number = 0

    def open(self, factory: SourceFactory, before: Callable[[], None] = lambda: None) -> None:
        """Hear this one; `before` is called when it could be made, before its first event."""
        self._number += 1
        number = self._number
        try:
            source = factory()
        except AudioError as error:
            self._take(CaptureChanged(CaptureState.FAILED, "", str(error)))
            return
        self._source = source
        before()
        source.start(lambda event: self._on_source_thread(number, event))

    def close(self) -> None:
        """Hear nothing more."""
        source, self._source = self._source, None
        self._number += 1
        if source is not None:
            source.stop()

    def end(self) -> None:
        """Nobody works off what was posted any more: a source that waits need not."""
        self._ended.set()

    def _on_source_thread(self, number: int, event: CaptureEvent) -> None:
        wait = self._lossless and isinstance(event, AudioBlock)
        if wait:
            while not self._room.acquire(timeout=0.5):
                if self._ended.is_set():
                    return

        def work() -> None:
            if wait:
                self._room.release()
            if number == self._number:
                self._take(event)

        self._post(work)
