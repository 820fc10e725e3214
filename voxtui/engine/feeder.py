"""Sends audio from the session's file to one engine process, utterance by utterance."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from voxtui.engine.protocol import Frame, encode_frame
from voxtui.engine.timeline import Feed, Flush, Timeline

MISSING_WAIT_S = 1.0
"""How long sound that was announced may be missing from the file before silence replaces it."""


@dataclass(frozen=True, slots=True)
class WireUtterance:
    """What one utterance of the wire stands for. `end` is None while it is open."""

    session: int
    start: int
    end: int | None = None


class Feeder:
    """One thread for one process: the only writer of its standard input.

    A process that stops reading blocks nobody but this thread; one that is gone ends it. Before
    audio of a wire utterance is sent the utterance is noted, so `utterance(n)` always knows it.
    """

    def __init__(self, fd: int, timeline: Timeline, complain: Callable[[str], None]) -> None:
        self._fd = fd
        self._timeline = timeline
        self._complain = complain
        self._lock = threading.Lock()
        self._utterances: list[WireUtterance] = []
        self._commands: deque[bytes] = deque()
        self._quit = False
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name="engine-feeder", daemon=True)
        # What follows belongs to the feeder's thread.
        self._session = timeline.session()
        self._position = 0
        self._open = False
        self._complained = False

    # ---- called from the supervisor ----------------------------------------------------

    def start(self, position: int) -> None:
        """Begin to send, from the sample `position` on."""
        self._position = position
        self._thread.start()

    def command(self, frame: bytes) -> None:
        """Send a ready-made frame between two pieces of audio."""
        self._commands.append(frame)
        self._timeline.wake()

    def quit(self) -> None:
        """Send what is left, then the quit frame, then close."""
        self._quit = True
        self._timeline.wake()

    def abandon(self) -> None:
        """Send nothing more; the process is gone or will be killed."""
        self._abandoned = True
        self._timeline.wake()
        if not self._thread.is_alive():
            self._close()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def utterance(self, number: int) -> WireUtterance | None:
        """What the wire's utterance `number` stands for; None if it was never begun."""
        with self._lock:
            return self._utterances[number] if 0 <= number < len(self._utterances) else None

    # ---- the thread --------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._abandoned:
                if not self._send_next():
                    break
        except OSError:
            pass  # the process is gone; the reader of its output says so
        finally:
            self._close()

    def _send_next(self) -> bool:
        """Send one frame; False after the last."""
        while self._commands:
            self._write(self._commands.popleft())
        if self._session != self._timeline.session():
            self._change_session()
        step = self._timeline.next(
            self._session, self._position, open_=self._open, interrupted=self._interrupted
        )
        if isinstance(step, Feed):
            self._feed(step)
        elif isinstance(step, Flush):
            self._flush(step)
        elif self._quit and not self._commands and self._session == self._timeline.session():
            self._write(encode_frame(Frame.QUIT))
            return False
        return True

    def _interrupted(self) -> bool:
        return self._quit or self._abandoned or bool(self._commands)

    def _feed(self, step: Feed) -> None:
        pcm = self._read(step)
        if not pcm:
            return
        if not self._open:
            self._open = True
            with self._lock:
                self._utterances.append(WireUtterance(self._session, step.start))
        self._write(encode_frame(Frame.AUDIO, pcm))
        self._position = step.start + len(pcm) // 2

    def _flush(self, step: Flush) -> None:
        self._end_utterance(step.end)
        self._write(encode_frame(Frame.FLUSH))

    def _change_session(self) -> None:
        if self._open:
            self._end_utterance(self._position)
            self._write(encode_frame(Frame.RESET))
        self._session = self._timeline.session()
        self._position = 0

    def _end_utterance(self, end: int) -> None:
        self._open = False
        with self._lock:
            last = self._utterances[-1]
            self._utterances[-1] = WireUtterance(last.session, last.start, end)

    def _read(self, step: Feed) -> bytes:
        """The step's samples, or fewer; silence where the file has none after a while."""
        deadline = time.monotonic() + MISSING_WAIT_S
        reason = "it is shorter than it should be"
        while not self._abandoned:
            try:
                pcm = step.read_audio(step.start, step.samples)
            except OSError as error:
                pcm, reason = b"", error.strerror or str(error)
            pcm = pcm[: len(pcm) // 2 * 2]
            if pcm:
                return pcm
            if time.monotonic() > deadline or self._session != self._timeline.session():
                break
            time.sleep(0.02)
        if self._abandoned or self._session != self._timeline.session():
            return b""
        if not self._complained:
            self._complained = True
            self._complain(f"The session's audio file cannot be read: {reason}.")
        return bytes(step.samples * 2)

    def _write(self, frame: bytes) -> None:
        view = memoryview(frame)
        while view and not self._abandoned:
            view = view[os.write(self._fd, view) :]

    def _close(self) -> None:
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
