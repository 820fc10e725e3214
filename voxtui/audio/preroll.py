"""The last moments before somebody begins to listen."""

from __future__ import annotations

from collections import deque

from voxtui.events import SAMPLE_RATE


class PreRoll:
    """Keeps the last `seconds` of sound in memory, no more. Used from one thread."""

    def __init__(self, seconds: float) -> None:
        self._limit = _bytes(seconds)
        self._blocks: deque[bytes] = deque()
        self._size = 0

    def push(self, pcm: bytes) -> None:
        """Add a block; what is older than the limit is forgotten."""
        self._blocks.append(pcm)
        self._size += len(pcm)
        while self._blocks and self._size - len(self._blocks[0]) >= self._limit:
            self._size -= len(self._blocks.popleft())

    def take(self, seconds: float | None = None) -> bytes:
        """What is kept, or its last `seconds`, oldest first; afterwards nothing is kept."""
        pcm = b"".join(self._blocks)
        self._blocks.clear()
        self._size = 0
        most = self._limit if seconds is None else min(self._limit, _bytes(seconds))
        return pcm[max(0, len(pcm) - most) :]


def _bytes(seconds: float) -> int:
    return max(0, round(seconds * SAMPLE_RATE)) * 2
