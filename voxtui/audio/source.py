"""What every source of sound has in common."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from voxtui.events import AudioBlock, CaptureChanged, CaptureEvent, CaptureState, Notice, Severity

_log = logging.getLogger(__name__)

Post = Callable[[CaptureEvent], None]


class AudioError(Exception):
    """Sound cannot be had; the message is one sentence that says what to do."""


class Source(Protocol):
    """Sound for the pipeline. `name` is for people."""

    name: str

    def start(self, post: Post) -> None:
        """Begin; returns at once. Events come from the source's own thread."""

    def stop(self) -> None:
        """End; may be called twice. Nothing is posted after it has returned."""


class Outlet:
    """The way out of a source's thread: after `close` nothing goes through any more.

    `post` may block for long (a file's reader waits for the disk), so no lock is held meanwhile.
    """

    def __init__(self, name: str, post: Post) -> None:
        self._name = name
        self._post = post
        self._lock = threading.Lock()
        self._closed = False
        self._posting_since: float | None = None
        self._state: tuple[CaptureState, str] | None = None

    @property
    def closed(self) -> bool:
        return self._closed

    def post(self, event: CaptureEvent) -> None:
        """Hand one event on."""
        with self._lock:
            if self._closed:
                return
            self._posting_since = time.monotonic()
        try:
            self._post(event)
        finally:
            self._posting_since = None

    def audio(self, pcm: bytes) -> None:
        """Hand samples on."""
        if pcm:
            self.post(AudioBlock(pcm))

    def state(self, state: CaptureState, detail: str = "") -> None:
        """Tell the state when it is another one than before."""
        if (state, detail) != self._state:
            self._state = (state, detail)
            self.post(CaptureChanged(state, self._name, detail))

    def notice(self, severity: Severity, message: str) -> None:
        """Tell a person something."""
        self.post(Notice(severity, message))

    def rename(self, name: str) -> None:
        """From now on the source is called `name`."""
        self._name = name

    def close(self) -> None:
        """Let nothing begin to go through any more."""
        with self._lock:
            self._closed = True

    def join(self, thread: threading.Thread, timeout_s: float) -> None:
        """Wait for the source's thread after `close`.

        A post that has been blocked for a while is not waited for: the one who waits here may be
        the one who has to make room for it.
        """
        deadline = time.monotonic() + timeout_s
        while thread.is_alive() and time.monotonic() < deadline:
            since = self._posting_since
            if since is not None and time.monotonic() - since > 0.2:
                return
            thread.join(0.02)


class ThreadedSource:
    """A source whose `_work` runs in a thread of its own from `start` to `stop`."""

    name = ""

    def __init__(self) -> None:
        self._outlet: Outlet | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self, post: Post) -> None:
        """Begin; returns at once."""
        if self._thread is not None:
            raise RuntimeError("a source is started once")
        outlet = self._outlet = Outlet(self.name, post)
        self._thread = threading.Thread(
            target=self._run, args=(outlet,), name="audio-source", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End; may be called twice."""
        self._stopping.set()
        if self._outlet is None or self._thread is None:
            return
        self._outlet.close()
        self._interrupt()
        if threading.current_thread() is not self._thread:
            self._outlet.join(self._thread, 5.0)

    def _interrupt(self) -> None:
        """Wake the thread, where something else than `_stopping` may hold it."""

    def _run(self, outlet: Outlet) -> None:
        try:
            self._work(outlet)
        except Exception as error:
            _log.exception("a source of sound failed")
            outlet.state(CaptureState.FAILED, f"{self.name} cannot be read: {error}.")

    def _work(self, outlet: Outlet) -> None:
        raise NotImplementedError
