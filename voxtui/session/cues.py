"""Subtitles: short pieces of text with a beginning and an end, made from the words' times."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from voxtui.events import Segment, SegmentKind
from voxtui.session.words import SENTENCE_ENDS, word_start_s

LINE = 42
LINES = 2
LONGEST_MS = 7000
SHORTEST_MS = 1000
PAUSE_MS = 800
FULL_SENTENCE = 40
"""A sentence of so many characters ends its cue."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: at most two lines, at most seven seconds."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str  # with its leading space
    start_ms: int
    end_ms: int


def wrapped(text: str) -> list[str]:
    """The text in lines that fit."""
    return textwrap.wrap(" ".join(text.split()), LINE, break_on_hyphens=False)


def _pieces(segments: Iterable[Segment]) -> Iterator[_Piece]:
    """The words with their times in milliseconds; words too long for a cue in parts."""
    before_s = 0.0
    for segment in segments:
        if segment.kind is not SegmentKind.SPEECH or not segment.text:
            continue
        before_s = max(before_s, segment.start_s)
        for index, word in enumerate(segment.words):
            end_s = max(word.end_s, before_s)
            start, end = round(word_start_s(word, before_s) * 1000), round(end_s * 1000)
            before_s = end_s
            text = word.text if index else " " + word.text.lstrip()
            length = len(text)
            if len(wrapped(text)) <= LINES:
                yield _Piece(text, min(start, end), end)
                continue
            for at in range(0, length, LINE):
                part = text[at : at + LINE]
                first = start + (end - start) * at // length
                last = start + (end - start) * (at + len(part)) // length
                yield _Piece(part, first, last)


def _groups(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Words that are shown together."""
    group: list[_Piece] = []
    for piece in pieces:
        if group and _ends(group, piece):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _ends(group: list[_Piece], following: _Piece) -> bool:
    text = "".join(piece.text for piece in group)
    sentence = text.rstrip().endswith(SENTENCE_ENDS) and len(text) >= FULL_SENTENCE
    return (
        sentence
        or following.start_ms - group[-1].end_ms >= PAUSE_MS
        or following.end_ms - group[0].start_ms > LONGEST_MS
        or len(wrapped(text + following.text)) > LINES
    )


def cues(segments: Iterable[Segment]) -> list[Cue]:
    """All subtitles, one after the other, none over another."""
    groups = list(_groups(_pieces(segments)))
    found: list[Cue] = []
    free_ms = 0
    for index, group in enumerate(groups):
        lines = wrapped("".join(piece.text for piece in group))
        if not lines:
            continue
        start = max(group[0].start_ms, free_ms)
        end = max(group[-1].end_ms, start + 1)
        if end - start < SHORTEST_MS:  # long enough to be read, where there is room
            room = groups[index + 1][0].start_ms if index + 1 < len(groups) else end + SHORTEST_MS
            end = max(end, min(start + SHORTEST_MS, room))
        end = min(end, start + LONGEST_MS)
        found.append(Cue(start, end, tuple(lines)))
        free_ms = end
    return found
