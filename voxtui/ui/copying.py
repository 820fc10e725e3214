"""What goes to the clipboard: what is new since the last copy, what was said last, or all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voxtui.events import Segment, SegmentKind, TranscriptChanged
from voxtui.ui.words import count

LONG_PAUSE_S = 2.0
"""What was said without such a pause belongs together."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Text for the clipboard, and what it is."""

    text: str
    what: str
    until_s: float


class CopyBook:
    """Keeps what was said in a session, as it reads now, and how far it was copied."""

    def __init__(self) -> None:
        self._settled: list[Segment] = []
        self._tail: Segment | None = None
        self._copied_s = -1.0
        self._words = 0

    def change(self, change: TranscriptChanged) -> None:
        """Take in new words, and old ones that are others now."""
        self._settled += change.settled
        self._words += sum(len(segment.words) for segment in change.settled)
        for number, segment in change.edited:
            if number < len(self._settled):
                self._words += len(segment.words) - len(self._settled[number].words)
                self._settled[number] = segment
        self._tail = change.tail

    def clear(self) -> None:
        """A new session."""
        self._settled.clear()
        self._tail = None
        self._copied_s = -1.0
        self._words = 0

    @property
    def words(self) -> int:
        """How many words there are."""
        return self._words + (len(self._tail.words) if self._tail is not None else 0)

    @property
    def settled(self) -> Sequence[Segment]:
        """What was said and noted, as it reads now."""
        return self._settled

    @property
    def tail(self) -> Segment | None:
        """What is being spoken."""
        return self._tail

    def portion(self) -> Portion | None:
        """What to copy now: what is new, else all; None when nothing was said."""
        new: list[Segment] = [self._tail] if self._tail is not None else []
        for segment in reversed(self._settled):
            if segment.end_s <= self._copied_s:
                break
            new.append(segment)
        text, words, until = _join(reversed(new), after_s=self._copied_s)
        if not words:
            return self.whole()
        since = " since the last copy" if self._copied_s >= 0 else ""
        return Portion(text, f"{count(words, 'word')}{since}", until)

    def whole(self) -> Portion | None:
        """All that was said."""
        tail = [self._tail] if self._tail is not None else []
        text, words, until = _join([*self._settled, *tail])
        return (
            Portion(text, f"the whole session, {count(words, 'word')},", until) if words else None
        )

    def last(self) -> Portion | None:
        """What was said last, without a long pause."""
        said = [segment for _, segment in self.last_said()]
        text, words, until = _join(said)
        return Portion(text, f"{count(words, 'word')} you said last", until) if words else None

    def last_said(self) -> list[tuple[int, Segment]]:
        """The segments that were said last, with their numbers (-1: not settled yet)."""
        found: list[tuple[int, Segment]] = [(-1, self._tail)] if self._tail is not None else []
        for number in range(len(self._settled) - 1, -1, -1):
            segment = self._settled[number]
            if segment.kind is not SegmentKind.SPEECH or not segment.text:
                continue
            if found and _apart(segment, found[-1][1]):
                break
            found.append((number, segment))
        return found[::-1]

    def copied(self, portion: Portion) -> None:
        """The portion went out: the next one begins after it."""
        self._copied_s = max(self._copied_s, portion.until_s)


def _apart(earlier: Segment, later: Segment) -> bool:
    """Is there a long pause between them, in the sound or on the wall clock?"""
    on_the_wall = later.wall_time - earlier.wall_time - (earlier.end_s - earlier.start_s)
    return max(later.start_s - earlier.end_s, on_the_wall) >= LONG_PAUSE_S


def _join(segments: Iterable[Segment], after_s: float = -1.0) -> tuple[str, int, float]:
    """The words that end after a time: paragraphs, their number, the last one's end."""
    paragraphs: list[str] = []
    words, until = 0, after_s
    for segment in segments:
        new: Sequence[object] = segment.words
        if segment.words and segment.words[0].end_s <= after_s:
            new = [word for word in segment.words if word.end_s > after_s]
        if not new:
            continue
        paragraphs.append(
            segment.text
            if len(new) == len(segment.words)
            else "".join(word.text for word in segment.words[-len(new) :]).strip()
        )
        words += len(new)
        until = max(until, segment.words[-1].end_s)
    return "\n\n".join(paragraphs), words, until
