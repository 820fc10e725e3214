"""A session transcribed again: another set of words for sound that is there already.

The new transcript grows in a hidden folder inside the session's, in the same files as any, until
it takes the old one's place or is thrown away.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from voxtui.events import (
    SAMPLE_RATE,
    EngineStats,
    Segment,
    SegmentKind,
    TokenText,
    TranscriptChanged,
    UtteranceEnded,
)
from voxtui.session.audiofile import KeptAudio
from voxtui.session.errors import SessionError
from voxtui.session.fields import as_number
from voxtui.session.folder import AUDIO, EVENTS
from voxtui.session.library import load_session
from voxtui.session.log import is_live, read_lines
from voxtui.session.session import Session, SessionEvent
from voxtui.session.transcript import Step

AGAIN = ".again"


@dataclass(frozen=True, slots=True)
class Utterance:
    """Sound that was heard in one go, in samples; `wall` is the clock at its start."""

    start: int
    end: int
    wall: float


class Retake(Session):
    """Takes an engine's words as a session does. Notes and gaps come over from the old one.

    `SessionError` when the session is being written, or its sound was not kept.
    """

    def __init__(self, path: Path) -> None:
        old = load_session(path)
        if old.live:
            raise SessionError(f"{path.name} is being written now: wait until that is over.")
        self._kept = KeptAudio(path / AUDIO)
        self._clear(path / AGAIN)
        self._wall = old.meta.started
        self.utterances = utterances(path, self._kept.total, old.meta.started)
        others = (s for s in old.segments if s.kind is not SegmentKind.SPEECH)
        self._others: deque[Segment] = deque(sorted(others, key=lambda s: s.start_s))
        super().__init__(path / AGAIN, replace(old.meta, title=""), lambda: self._wall)
        self._folder()

    @property
    def total_s(self) -> float:
        """How much sound there is."""
        return self._kept.total / SAMPLE_RATE

    def hear(self, utterance: Utterance) -> int:
        """The next utterance is heard; gives the samples up to its end."""
        self._place_others(utterance.start / SAMPLE_RATE)
        self._wall = utterance.wall
        self._kept.reach(utterance.start)
        self.begin_utterance()
        self._kept.reach(utterance.end)
        self.end_utterance()
        return utterance.end

    def apply(self, event: SessionEvent) -> TranscriptChanged | None:
        """As any session does; notes and gaps go between the words by their time."""
        if isinstance(event, TokenText):
            self._place_others(event.time_s if event.word_start else 0.0)
        change = super().apply(event)
        if isinstance(event, UtteranceEnded):
            self._place_others(event.audio_end_s)
        elif isinstance(event, EngineStats):
            self._place_others(event.audio_done_s)
        return change

    def close(self) -> None:
        """Everything is said."""
        self._place_others(float("inf"))
        super().close()

    def discard(self) -> None:
        """Throw the new transcript away."""
        super().close()
        shutil.rmtree(self._root, ignore_errors=True)

    def _place_others(self, until_s: float) -> None:
        while self._others and self._others[0].start_s < until_s:
            segment = self._others.popleft()
            insert = self.transcript.insert
            step: Step = insert(segment.kind, segment.note, segment.start_s, segment.wall_time)
            self._show(self._settled(step))

    def _make_audio(self, path: Path) -> KeptAudio:
        return self._kept

    @staticmethod
    def _clear(folder: Path) -> None:
        """Away with what an interrupted one left. SessionError while another program is at it."""
        try:
            left = [folder / name / EVENTS for name in os.listdir(folder)]
        except OSError:
            return
        if any(map(is_live, left)):
            raise SessionError(f"{folder.parent.name} is already being transcribed again.")
        shutil.rmtree(folder, ignore_errors=True)


def utterances(path: Path, total: int, started: float) -> list[Utterance]:
    """How the sound of a session was heard, by its log; all of the sound is in one of them."""
    begins: list[tuple[int, float]] = []
    for line in read_lines(path / EVENTS):
        if line.get("type") == "utterance":
            try:
                begins.append((round(as_number(line["at"]) * SAMPLE_RATE), as_number(line["wall"])))
            except (KeyError, ValueError):
                continue
    begins = sorted(begin for begin in begins if 0 <= begin[0] < total)
    if not begins or begins[0][0] > 0:
        begins.insert(0, (0, started))
    ends = [at for at, _ in begins[1:]] + [total]
    spans = zip(begins, ends, strict=True)
    return [Utterance(at, end, wall) for (at, wall), end in spans if end > at]
