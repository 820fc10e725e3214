"""What is to be transcribed: how much sound there is, where utterances end, what is done.

Samples are counted from the start of the session's audio file. The callers' threads move the end
forward, the supervisor moves what is done, feeders walk along; one lock guards it all.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from voxtui.events import SAMPLE_RATE

ReadAudio = Callable[[int, int], bytes]

CHUNK = SAMPLE_RATE // 2
"""Samples in one frame at most."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Send `samples` from `start` on."""

    start: int
    samples: int
    read_audio: ReadAudio


@dataclass(frozen=True, slots=True)
class Flush:
    """The utterance ends at `end`."""

    end: int


@dataclass(frozen=True, slots=True)
class Positions:
    """One consistent look at the timeline."""

    total: int
    done: int
    settled: int


class Timeline:
    """Thread-safe positions of one session."""

    def __init__(self, read_audio: ReadAudio) -> None:
        self._changed = threading.Condition()
        self._read_audio = read_audio
        self._session = 0
        self._total = 0
        self._ends: list[int] = []  # of utterances that are not finished
        self._finished = 0  # where the last finished utterance ended
        self._done = 0  # words up to here are out
        self._settled = 0  # words up to here are final

    # ---- the callers' side -------------------------------------------------------------

    def written(self, total: int) -> None:
        """The audio file now holds `total` samples."""
        with self._changed:
            if total > self._total:
                self._total = total
                self._changed.notify_all()

    def end_utterance(self) -> bool:
        """The utterance ends at the total so far; False when there was nothing since the last."""
        with self._changed:
            last = self._ends[-1] if self._ends else self._finished
            if self._total <= last:
                return False
            self._ends.append(self._total)
            self._changed.notify_all()
            return True

    def settle(self, sample: int) -> None:
        """Words up to here are final."""
        with self._changed:
            self._settled = max(self._settled, min(sample, self._total))

    def restart(self, read_audio: ReadAudio) -> None:
        """Another session: positions count from 0 again."""
        with self._changed:
            self._session += 1
            self._read_audio = read_audio
            self._total = self._finished = self._done = self._settled = 0
            self._ends = []
            self._changed.notify_all()

    def idle(self) -> bool:
        """Nothing is left to do: all sound belongs to utterances whose words are out."""
        with self._changed:
            return not self._ends and self._finished >= self._total

    def owes(self, slack: int) -> bool:
        """Words are due: of an ended utterance, or of more than the last `slack` samples."""
        with self._changed:
            ended = (self._ends[-1] if self._ends else self._finished) >= self._total
            return self._total - self._done > (0 if ended else slack)

    def positions(self) -> Positions:
        """Where everything stands."""
        with self._changed:
            return Positions(self._total, self._done, self._settled)

    # ---- the supervisor's side ---------------------------------------------------------

    def finished(self, session: int, end: int) -> bool:
        """All words up to the utterance end `end` are out; False when that is old news."""
        with self._changed:
            if session != self._session or end not in self._ends:
                return False
            del self._ends[: bisect_right(self._ends, end)]
            self._finished = end
            self._done = max(self._done, end)
            self._settled = max(self._settled, end)
            return True

    def progressed(self, session: int, sample: int) -> None:
        """The words up to `sample` are out."""
        with self._changed:
            if session == self._session:
                self._done = max(self._done, min(sample, self._total))

    def back_to_settled(self) -> tuple[int, bool]:
        """What is not settled has to be done again.

        Returns where that starts and whether an utterance's end was settled and is finished so.
        """
        with self._changed:
            self._done = self._settled
            self._finished = max(self._finished, self._settled)
            passed = bisect_right(self._ends, self._settled)
            del self._ends[:passed]
            return self._settled, passed > 0

    # ---- the feeder's side -------------------------------------------------------------

    def session(self) -> int:
        """Which session the positions belong to, counted from 0."""
        with self._changed:
            return self._session

    def next(
        self,
        session: int,
        position: int,
        *,
        open_: bool,
        interrupted: Callable[[], bool],
    ) -> Feed | Flush | None:
        """What to send next when `position` samples of `session` have been sent.

        `open_` tells whether an utterance has been begun and not ended. Waits until there is
        something; None when the session is over, or when there is nothing and `interrupted`
        (asked again after every `wake`).
        """
        with self._changed:
            while session == self._session:
                step = self._step(position, open_)
                if step is not None or interrupted():
                    return step
                self._changed.wait()
            return None

    def _step(self, position: int, open_: bool) -> Feed | Flush | None:
        if open_ and position in self._ends:
            return Flush(position)
        index = bisect_right(self._ends, position)
        limit = self._ends[index] if index < len(self._ends) else self._total
        if limit > position:
            return Feed(position, min(CHUNK, limit - position), self._read_audio)
        return None

    def wake(self) -> None:
        """Let every waiting `next` look again."""
        with self._changed:
            self._changed.notify_all()
