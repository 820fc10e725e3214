"""What a browser's MediaRecorder writes (WebM, MP4), decoded while it comes."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable

from voxtui.audio.decode import Decoder
from voxtui.audio.source import AudioError

AHEAD = 64
"""Pieces that may wait for the decoder before the page has to."""


class _Pieces:
    """A file object over a queue of pieces."""

    def __init__(self) -> None:
        self.queue: queue.Queue[bytes] = queue.Queue(AHEAD)
        self._rest = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes; empty at the end."""
        while not self._rest and not self._ended:
            self._rest = self.queue.get()
            self._ended = not self._rest
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


class MediaFeed:
    """One recording. `take` is called with its sound, on a thread of its own."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._pieces = _Pieces()
        self._take = take
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)
        self._thread.start()

    async def write(self, data: bytes) -> None:
        """The next piece."""
        if data and self._thread.is_alive():
            await asyncio.to_thread(self._put, data)

    async def finish(self) -> str:
        """No more comes; gives a sentence when it could not be read."""
        await asyncio.to_thread(self._put, b"")
        await asyncio.to_thread(self._thread.join, 10.0)
        return self._problem

    def _put(self, data: bytes) -> None:
        while self._thread.is_alive():
            try:
                self._pieces.queue.put(data, timeout=0.5)
            except queue.Full:
                continue
            return

    def _run(self) -> None:
        try:
            decoder = Decoder(self._pieces, "What the browser recorded")
        except AudioError as error:
            self._problem = str(error)
            return
        try:
            for pcm in decoder.blocks():
                self._take(pcm)
        finally:
            decoder.close()
        self._problem = decoder.damage
