"""What happened in a session, as lines of its log; see `log`."""

from __future__ import annotations

from typing import Any

from voxtui.events import Segment, SegmentKind, TokenText, WordsRetracted

Line = dict[str, Any]


def token_line(token: TokenText) -> Line:
    """A piece of text."""
    line: Line = {
        "type": "token",
        "text": token.text,
        "time": token.time_s,
        "start": token.word_start,
        "p": token.probability,
    }
    if token.alternatives:
        line["alternatives"] = [[a.text, a.probability] for a in token.alternatives]
    return line


def segment_line(segment: Segment) -> Line:
    """A segment that settled, as it was heard."""
    line: Line = {
        "type": "segment",
        "kind": segment.kind.value,
        "start": segment.start_s,
        "end": segment.end_s,
        "wall": segment.wall_time,
    }
    if segment.kind is SegmentKind.SPEECH:
        return {**line, "words": len(segment.words)}
    return {**line, "note": segment.note}


def retracted_line(event: WordsRetracted, kept: int) -> Line:
    """All open words but the first `kept` went."""
    at = round(event.from_s, 4)
    return {"type": "retracted", "from": at, "kept": kept, "reason": event.reason}


def edit_line(index: int, segment: Segment, *, by_vocabulary: bool = False) -> Line:
    """What became of a settled segment."""
    line = {"type": "edit", "segment": index, "start": segment.start_s, "text": segment.text}
    return {**line, "by": "vocabulary"} if by_vocabulary else line
