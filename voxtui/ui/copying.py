"""What `c` copies: the words since the last copy, or all of them when there are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voxtui.events import Segment, SegmentKind, TranscriptChanged
from voxtui.ui.words import count


@dataclass(frozen=True, slots=True)
class Portion:
    """Text for the clipboard, and what it is."""

    text: str
    what: str
    until_s: float


class CopyBook:
    """Keeps the words of a session and how far they were copied."""

    def __init__(self) -> None:
        self._settled: list[Segment] = []
        self._tail: Segment | None = None
        self._copied_s = -1.0

    def change(self, change: TranscriptChanged) -> None:
        """Take in new words."""
        self._settled += [s for s in change.settled if s.kind is SegmentKind.SPEECH]
        self._tail = change.tail

    def clear(self) -> None:
        """A new session."""
        self._settled.clear()
        self._tail = None
        self._copied_s = -1.0

    @property
    def words(self) -> int:
        """How many words there are."""
        return sum(len(segment.words) for segment in self._all())

    def portion(self) -> Portion | None:
        """What to copy now; None when nothing was said."""
        text, words, until = _join(self._all(), after_s=self._copied_s)
        if words:
            since = " since the last copy" if self._copied_s >= 0 else ""
            return Portion(text, f"{count(words, 'word')}{since}", until)
        text, words, until = _join(self._all(), after_s=-1.0)
        if not words:
            return None
        return Portion(text, f"the whole session, {count(words, 'word')},", until)

    def copied(self, portion: Portion) -> None:
        """The portion went out: the next one begins after it."""
        self._copied_s = max(self._copied_s, portion.until_s)

    def _all(self) -> Iterable[Segment]:
        yield from self._settled
        if self._tail is not None and self._tail.kind is SegmentKind.SPEECH:
            yield self._tail


def _join(segments: Iterable[Segment], after_s: float) -> tuple[str, int, float]:
    """The words that end after a time: paragraphs, their number, the last one's end."""
    paragraphs: list[str] = []
    words, until = 0, after_s
    for segment in segments:
        new = [word for word in segment.words if word.end_s > after_s]
        if not new:
            continue
        paragraphs.append("".join(word.text for word in new).strip())
        words += len(new)
        until = max(until, new[-1].end_s)
    return "\n\n".join(paragraphs), words, until
