"""A made-up model: hears words in the sound itself, and answers as the real one does.

A stretch of samples of one value v other than 0 is the word " wv". There is one token for 80 ms,
most of them empty, `DELAY` tokens late: an empty one for the end of the word, then the pieces
" w" and "v".
"""

from __future__ import annotations

from array import array
from collections import Counter

TOKEN = 1280
DELAY = 6
TAIL = 11


def words(*values: int, pause: float = 0.32, length: float = 0.32) -> bytes:
    """Sound that the made-up model hears as " w1 w2 …"."""
    silence = array("h", [0] * round(pause * 16000))
    sound = array("h", silence)
    for value in values:
        sound += array("h", [value] * round(length * 16000)) + silence
    return sound.tobytes()


class Model:
    """One generation: chunks of sound in, deltas out."""

    def __init__(self) -> None:
        self._values: list[int] = []
        self._rest = b""
        self._step = 0
        self._pending: list[str] = []

    def hear(self, pcm: bytes) -> list[str]:
        """The tokens that this sound allows."""
        pcm = self._rest + pcm
        whole = len(pcm) // (2 * TOKEN) * 2 * TOKEN
        self._rest = pcm[whole:]
        for at in range(0, whole, 2 * TOKEN):
            chunk = array("h", pcm[at : at + 2 * TOKEN])
            self._values.append(Counter(chunk).most_common(1)[0][0])
        return self._steps(len(self._values) - DELAY)

    def finish(self) -> list[str]:
        """The tokens over the silence that the server itself adds."""
        pcm = self._rest + bytes(-len(self._rest) % (2 * TOKEN))
        tokens = self.hear(pcm[len(self._rest) :]) if self._rest else []
        self._values += [0] * (DELAY + TAIL)
        return tokens + self._steps(len(self._values) - DELAY)

    def _steps(self, until: int) -> list[str]:
        found = []
        while self._step < until:
            found.append(self._token(self._step))
            self._step += 1
        return found

    def _token(self, at: int) -> str:
        value = self._values[at]
        ends = value and (at + 1 >= len(self._values) or self._values[at + 1] != value)
        out = self._pending.pop(0) if self._pending else ""
        if ends:
            self._pending += [" w", str(value)]
        return out
