"""What differs between two transcripts of the same sound, word by word."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from voxtui.events import Segment, SegmentKind, Word

CHUNK = 600
"""Words that are compared with one another at a time."""
ANCHOR = 4
"""So many equal words in a row, at about the same time, are the same place."""
ABOUT_S = 4.0


class Side(StrEnum):
    """Which transcript has a word."""

    BOTH = "both"
    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that follow one another, all of them in the same of the transcripts."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A paragraph with what went and what came; `at_s` is its place in the sound."""

    at_s: float
    pieces: tuple[Piece, ...]

    @property
    def changed(self) -> bool:
        """Does it differ?"""
        return any(piece.side is not Side.BOTH for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two transcripts laid over one another; the paragraphs are the old one's."""

    lines: tuple[DiffLine, ...]
    removed: int
    added: int
    kept: int

    @property
    def same(self) -> bool:
        """Not a word differs."""
        return not self.removed and not self.added


def difference(old: Sequence[Segment], new: Sequence[Segment]) -> Difference:
    """Compare the spoken words; notes and gaps come over and are left out."""
    left, right = _words(old), _words(new)
    starts = _paragraph_starts(old)
    out = _Lines(starts)
    removed = added = kept = 0
    for old_from, old_to, new_from, new_to in _chunks(left, right):
        a = [w.text.strip() for w in left[old_from:old_to]]
        b = [w.text.strip() for w in right[new_from:new_to]]
        for what, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, False).get_opcodes():
            if what == "equal":
                kept += i2 - i1
                out.take(Side.BOTH, a[i1:i2], old_from + i1)
                continue
            removed += i2 - i1
            added += j2 - j1
            out.take(Side.OLD, a[i1:i2], old_from + i1)
            out.come(b[j1:j2], right[new_from + j1].end_s if j1 < j2 else 0.0)
    return Difference(out.finish(), removed, added, kept)


def _words(segments: Sequence[Segment]) -> list[Word]:
    spoken = (s for s in segments if s.kind is SegmentKind.SPEECH)
    return [word for segment in spoken for word in segment.words if word.text.strip()]


def _paragraph_starts(segments: Sequence[Segment]) -> dict[int, float]:
    """Number of the first word of each paragraph -> where it begins in the sound."""
    starts: dict[int, float] = {}
    count = 0
    for segment in segments:
        if segment.kind is SegmentKind.SPEECH:
            starts.setdefault(count, segment.start_s)
            count += sum(bool(word.text.strip()) for word in segment.words)
    return starts


def _chunks(left: list[Word], right: list[Word]) -> list[tuple[int, int, int, int]]:
    """Cut both at places that are surely the same, so that each part is compared quickly."""
    cuts: list[tuple[int, int, int, int]] = []
    i = j = 0
    while len(left) - i > CHUNK or len(right) - j > CHUNK:
        cut = _anchor(left, right, i, j)
        if cut is None:
            break
        cuts.append((i, cut[0], j, cut[1]))
        i, j = cut
    return [*cuts, (i, len(left), j, len(right))]


def _anchor(left: list[Word], right: list[Word], i: int, j: int) -> tuple[int, int] | None:
    """The first sure place at least half a chunk on."""
    at = j
    for old in range(i + CHUNK // 2, len(left) - ANCHOR + 1):
        run = [word.text.strip() for word in left[old : old + ANCHOR]]
        time_s = left[old].end_s
        while at < len(right) and right[at].end_s < time_s - ABOUT_S:
            at += 1
        for new in range(at, len(right) - ANCHOR + 1):
            if right[new].end_s > time_s + ABOUT_S:
                break
            if all(right[new + k].text.strip() == run[k] for k in range(ANCHOR)):
                return old, new
    return None


class _Lines:
    """Collects the pieces in the old transcript's paragraphs."""

    def __init__(self, starts: dict[int, float]) -> None:
        self._starts = starts
        self._lines: list[DiffLine] = []
        self._pieces: list[tuple[Side, list[str]]] = []
        self._at_s = 0.0

    def take(self, side: Side, words: list[str], number: int) -> None:
        """Words of the old transcript, the first of which has this number."""
        for offset, word in enumerate(words):
            if number + offset in self._starts:
                self._end_line()
                self._at_s = self._starts[number + offset]
            self._add(side, word)

    def come(self, words: list[str], at_s: float) -> None:
        """Words that only the new one has."""
        if words and not self._pieces:
            self._at_s = at_s
        for word in words:
            self._add(Side.NEW, word)

    def finish(self) -> tuple[DiffLine, ...]:
        self._end_line()
        return tuple(self._lines)

    def _add(self, side: Side, word: str) -> None:
        if self._pieces and self._pieces[-1][0] is side:
            self._pieces[-1][1].append(word)
        else:
            self._pieces.append((side, [word]))

    def _end_line(self) -> None:
        if self._pieces:
            pieces = tuple(Piece(side, " ".join(words)) for side, words in self._pieces)
            self._lines.append(DiffLine(self._at_s, pieces))
            self._pieces = []
