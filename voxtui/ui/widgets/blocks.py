"""Paragraphs of the transcript: segments that flow one on from the other. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from voxtui.events import Segment, SegmentKind
from voxtui.printable import printable

MARKS = {SegmentKind.SPEECH: "", SegmentKind.NOTE: "▸ ", SegmentKind.GAP: "· "}


class Part(NamedTuple):
    """A segment in its block: its place among all settled segments (-1: not settled yet), and
    where its text begins."""

    number: int
    segment: Segment
    start: int


@dataclass(slots=True)
class Block:
    """A paragraph: its kind, its text, the time that stands beside it ("" for none).

    From `settled` characters on the words may still change. A block without text takes no row.
    """

    kind: SegmentKind
    text: str
    stamp: str
    parts: list[Part] = field(default_factory=list)
    settled: int = 0

    @classmethod
    def of(cls, stamp: str, parts: list[Part]) -> Block:
        """A block of these segments, one flowing on from the other."""
        block = cls(parts[0].segment.kind, "", stamp)
        for part in parts:
            block.add(part.number, part.segment)
        return block

    def add(self, index: int, segment: Segment) -> None:
        """A segment flows on from what is there."""
        text = printable(segment.text).strip()
        joint = _joint(segment) if self.text and text else ""
        self.parts.append(Part(index, segment, len(self.text) + len(joint)))
        self.text += joint + text
        if index >= 0:
            self.settled = len(self.text)


def _joint(segment: Segment) -> str:
    """What stands between a paragraph and the segment that flows on from it."""
    spaced = bool(segment.words) and segment.words[0].text[:1].isspace()
    return " " if spaced or not segment.words else ""
