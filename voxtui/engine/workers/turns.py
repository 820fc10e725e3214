"""The sound of an utterance, and one turn of a server over a part of it. Positions are samples."""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass, field

from voxtui.engine.workers.wire import STEP_S, TOKEN
from voxtui.events import SAMPLE_RATE

RING = 32 * SAMPLE_RATE
"""Sound kept behind what is known to be done: as much as a rut may swallow."""
AGAIN = 2 * SAMPLE_RATE
"""Heard again when a turn broke off in a long silence: a word may have begun."""
QUIETEST_DB = -55.0
VOICE_DB = 6.0


def loudness(pcm: bytes) -> float:
    """Decibels below full scale."""
    samples = array("h", pcm)
    power = sum(value * value for value in samples) / max(1, len(samples))
    return 10 * math.log10(power / 32768**2 + 1e-12)


class Voice:
    """Is there voice? What stands out from the quietest moment of the last three seconds."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=38)

    def heard(self, pcm: bytes) -> bool:
        """One step of sound."""
        level = loudness(pcm)
        self._recent.append(level)
        return level > max(min(self._recent) + VOICE_DB, QUIETEST_DB)


class TurnEnd:
    """Says when a turn has to end: a long one in a pause, a very long one at once."""

    def __init__(self, long_s: float, longest_s: float, pause_s: float) -> None:
        self._long_s, self._longest_s, self._pause_s = long_s, longest_s, pause_s
        self._voice = Voice()
        self._seconds = 0.0
        self._quiet_s = 0.0

    def cut(self, pcm: bytes) -> tuple[bytes, bool]:
        """What of this sound still belongs to the turn, and whether it ends there."""
        for at in range(0, len(pcm), 2 * TOKEN):
            step = pcm[at : at + 2 * TOKEN]
            seconds = len(step) / 2 / SAMPLE_RATE
            self._seconds += seconds
            self._quiet_s = 0.0 if self._voice.heard(step) else self._quiet_s + seconds
            pause = self._quiet_s >= self._pause_s
            if self._seconds >= (self._long_s if pause else self._longest_s):
                return pcm[: at + len(step)], True
        return pcm, False


class Sound:
    """An utterance's samples, the oldest of which are forgotten."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ended = False
        self.cancelled = False
        self.resume = 0
        """Where the next turn begins: words of all before it are out."""
        self.done = 0
        self.stuck = 0
        """How often no turn got any further."""
        self._data = bytearray()
        self._first = 0

    @property
    def received(self) -> int:
        return self._first + len(self._data) // 2

    def append(self, pcm: bytes) -> None:
        """More of it."""
        self._data += pcm

    def read(self, at: int, samples: int) -> bytes:
        """Samples from a position on; fewer where there are no more yet."""
        begin = 2 * (at - self._first)
        return bytes(self._data[begin : begin + 2 * samples])

    def forget(self, keep_from: int) -> None:
        """What lies more than `RING` before `keep_from` is not needed any more."""
        surplus = keep_from - RING - self._first
        if surplus > SAMPLE_RATE:
            del self._data[: 2 * surplus]
            self._first += surplus

    @property
    def oldest(self) -> int:
        """The first sample that can still be read."""
        return self._first


@dataclass(slots=True)
class Turn:
    """What a server has said of the sound from `start` on, and where it stands with it."""

    start: int
    counts: bool
    sent: int = 0
    asked: bool = False
    """Its end was asked for, at `sent`."""
    steps: int = 0
    word: int = 0
    """Where the last word ended that is whole."""
    latest: int = 0
    """Where the word ended that is being written."""
    spoke: bool = False
    writing: bool = False
    """The last step wrote."""
    blank: int = 0
    """Steps since the last text, and how many of them had voice."""
    voiced: int = 0
    rut: bool = False
    voice: Voice = field(default_factory=Voice)

    def __post_init__(self) -> None:
        self.sent = self.word = self.latest = self.start

    @property
    def position(self) -> int:
        """Words up to here are out, as far as can be told."""
        if self.counts:
            return self.start + self.steps * TOKEN
        return self.start

    def step(self, text: str, sound: Sound) -> tuple[str, bool]:
        """Take a delta. Returns its text and whether that begins a word.

        A server may leave out the space before its first word; the words before it need one.
        """
        at, before = self.steps, self.writing
        self.steps += 1
        self.writing = bool(text)
        self._note_blank(text, sound)
        if not text:
            return "", False
        if not self.spoke and not text[0].isspace():
            text = " " + text
        begins = text[0].isspace() or (self.counts and not before)
        self.spoke = True
        where = min(self.start + at * TOKEN if self.counts else self.sent, sound.received)
        if begins and where > self.latest:
            self.word, self.latest = self.latest, where
        return text, begins

    def resume(self, sound: Sound) -> tuple[int, bool]:
        """Where another turn has to begin when this one broke off, and whether words that were
        written after that come again."""
        if not self.counts:
            return self.start, self.spoke
        if self.writing:
            return max(self.word, sound.oldest), True
        back = RING if self.rut else AGAIN
        return max(self.latest, self.position - back, sound.oldest), False

    @property
    def finished(self) -> bool:
        """Its end was asked for, and was not another one just before."""
        return self.asked and (not self.counts or self.position > self.sent - 2 * TOKEN)

    def in_rut(self, patience_s: float) -> bool:
        """For so long no text, although there was voice in a quarter of it."""
        steps = patience_s / STEP_S
        self.rut = self.blank > steps and 4 * self.voiced > self.blank
        return self.rut

    def _note_blank(self, text: str, sound: Sound) -> None:
        if text:
            self.blank = self.voiced = 0
        elif pcm := sound.read(self.position - TOKEN, TOKEN):
            self.blank += 1
            self.voiced += self.voice.heard(pcm)
