"""The transcript as rows: what is settled is laid out once and never moves.

A pure model behind the transcript view. Paragraphs ("blocks") are wrapped when they come; only
the last, open one may still grow, and of it only its last row. After a change of width the rows
around the reader are made first, and the rest in slices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from voxtui.events import Segment, SegmentKind, TranscriptChanged
from voxtui.ui.widgets.wrapping import clean, wrap

CONTINUOUS_S = 0.3
"""A segment that begins this soon after the last one may flow on in the same paragraph."""
SLICE_BLOCKS = 300
WINDOW_BLOCKS = 60

MARKS = {SegmentKind.SPEECH: "", SegmentKind.NOTE: "▸ ", SegmentKind.GAP: "· "}


@dataclass(slots=True)
class Block:
    """A paragraph: its kind, its text, the time that stands beside it ("" for none)."""

    kind: SegmentKind
    text: str
    stamp: str


class Row(NamedTuple):
    """One row: a part of a block's text; `end < 0` is the blank row above a block."""

    block: int
    start: int
    end: int


class Page:
    """All rows. `settled` ones are never changed; `live` ones are made anew with each change."""

    def __init__(self, width: int, clock: Callable[[float], str]) -> None:
        self.width = width
        self.blocks: list[Block] = []
        self.settled: list[Row] = []
        self.live: list[Row] = []
        self._clock = clock
        self._laid = range(0)  # the blocks that are laid out in `settled`
        self._open_from = 0  # where the rows of the open block that are not settled begin
        self._last: Segment | None = None  # the last settled segment, if talk may flow on from it
        self._tail: Block | None = None
        self._tail_flows_on = False
        self._last_stamp = ""

    # ---- reading

    @property
    def row_count(self) -> int:
        return len(self.settled) + len(self.live)

    @property
    def empty(self) -> bool:
        return not self.blocks and self._tail is None

    def row(self, y: int) -> Row | None:
        """The row at `y`, or None past the end."""
        if y < 0 or y >= self.row_count:
            return None
        base = len(self.settled)
        return self.settled[y] if y < base else self.live[y - base]

    def block_of(self, row: Row) -> Block:
        """The paragraph that a row belongs to (the tail may be one of its own)."""
        if row.block < len(self.blocks) and not (self._tail_flows_on and self._is_open(row.block)):
            return self.blocks[row.block]
        assert self._tail is not None
        return self._tail

    def text_of(self, row: Row) -> str:
        """What stands in a row, without the mark before notes and gaps."""
        return "" if row.end < 0 else self.block_of(row).text[row.start : row.end]

    # ---- growing

    def change(self, change: TranscriptChanged) -> None:
        """Take in what was settled and the new tail."""
        for segment in change.settled:
            self._settle(segment)
        self._set_tail(change.tail)
        if change.settled and self._tail is None:
            self._last = None  # a pause
        self._lay_live()

    def clear(self) -> None:
        """An empty page."""
        self.blocks.clear()
        self.settled.clear()
        self.live.clear()
        self._laid = range(0)
        self._open_from = 0
        self._last = None
        self._tail, self._tail_flows_on = None, False
        self._last_stamp = ""

    def _settle(self, segment: Segment) -> None:
        text = clean(segment.text).strip()
        if not text:
            return
        if self._flows_on(segment):
            block = self.blocks[-1]
            block.text += _joint(segment) + text
        else:
            self._close_block()
            self.blocks.append(Block(segment.kind, text, self._stamp(segment)))
            self._open_from = 0
            self._last_stamp = self._clock(segment.wall_time)
        self._last = segment
        self._commit_full_rows()

    def _set_tail(self, tail: Segment | None) -> None:
        text = clean(tail.text).strip() if tail is not None else ""
        self._tail, self._tail_flows_on = None, False
        if tail is None or not text:
            return
        self._tail_flows_on = self._flows_on(tail)
        if self._tail_flows_on:
            block = self.blocks[-1]
            self._tail = Block(block.kind, block.text + _joint(tail) + text, block.stamp)
        else:
            self._tail = Block(tail.kind, text, self._stamp(tail))

    def _flows_on(self, segment: Segment) -> bool:
        """Does it go on where the last one ended, in sound and on the wall clock?"""
        last = self._last
        if last is None or not last.kind is segment.kind is SegmentKind.SPEECH:
            return False
        in_sound = segment.start_s - last.start_s
        on_the_wall = segment.wall_time - last.wall_time
        return segment.start_s - last.end_s < CONTINUOUS_S and abs(on_the_wall - in_sound) < 0.5

    def _stamp(self, segment: Segment) -> str:
        stamp = self._clock(segment.wall_time)
        return "" if stamp == self._last_stamp else stamp

    def _is_open(self, block: int) -> bool:
        return block == len(self.blocks) - 1

    # ---- laying out

    def _rows_of(self, index: int, block: Block, start: int = 0) -> list[Row]:
        """The rows of a block from `start` on; with the blank row above it when from its top."""
        width = self.width - len(MARKS[block.kind])
        rows = [Row(index, *span) for span in wrap(block.text, width, start)]
        if start == 0 and index > 0:
            rows.insert(0, Row(index, 0, -1))
        return rows

    def _commit_full_rows(self) -> None:
        """The rows of the open block that more text cannot change become settled."""
        if self._laid.stop < len(self.blocks) - 1:
            return  # a slice to come will lay it out
        index = len(self.blocks) - 1
        rows = self._rows_of(index, self.blocks[index], self._open_from)
        if len(rows) > 1 and rows[-1].end >= 0 and rows[-2].end >= 0:
            self.settled.extend(rows[:-1])
            self._open_from = rows[-1].start

    def _close_block(self) -> None:
        """The open block will not grow any more: settle its last row too."""
        index = len(self.blocks) - 1
        if index < 0 or self._laid.stop < index:
            return
        self.settled.extend(self._rows_of(index, self.blocks[index], self._open_from))
        self._laid = range(self._laid.start, index + 1)

    def _lay_live(self) -> None:
        self.live = []
        if self._laid.stop < len(self.blocks) - 1:
            return
        if self.blocks:
            index = len(self.blocks) - 1
            block = self._tail if self._tail_flows_on and self._tail else self.blocks[index]
            self.live = self._rows_of(index, block, self._open_from)
        if self._tail is not None and not self._tail_flows_on:
            self.live += self._rows_of(len(self.blocks), self._tail)

    # ---- another width

    def rewrap(self, width: int, anchor: Row | None) -> int:
        """Lay out anew around `anchor` (None: the end). Returns the row where it stands now."""
        self.width = width
        self.settled = []
        self._open_from = 0
        last = max(0, len(self.blocks) - 1)  # the open block is always live
        middle = last if anchor is None else min(anchor.block, last)
        first, stop = max(0, middle - WINDOW_BLOCKS), min(last, middle + WINDOW_BLOCKS)
        for index in range(first, stop):
            self.settled += self._rows_of(index, self.blocks[index])
        self._laid = range(first, stop)
        if self.blocks and stop == last:
            self._commit_full_rows()
        self._lay_live()
        return self.row_count - 1 if anchor is None else self._find(anchor)

    @property
    def unfinished(self) -> bool:
        """Are there blocks that `rewrap_slice` has yet to lay out?"""
        return self._laid.start > 0 or self._laid.stop < len(self.blocks) - 1

    def rewrap_slice(self) -> int:
        """Lay out some more blocks, first below, then above. Returns the rows added above."""
        first, stop, last = self._laid.start, self._laid.stop, len(self.blocks) - 1
        if stop < last:
            until = min(last, stop + SLICE_BLOCKS)
            for index in range(stop, until):
                self.settled += self._rows_of(index, self.blocks[index])
            self._laid = range(first, until)
            if until == last:
                self._open_from = 0
                self._commit_full_rows()
                self._lay_live()
            return 0
        begin = max(0, first - SLICE_BLOCKS)
        rows: list[Row] = []
        for index in range(begin, first):
            rows += self._rows_of(index, self.blocks[index])
        self.settled[:0] = rows
        self._laid = range(begin, stop)
        return len(rows)

    def _find(self, anchor: Row) -> int:
        found = 0
        for y in range(self.row_count):
            row = self.row(y)
            assert row is not None
            if (row.block, row.start) > (anchor.block, anchor.start):
                break
            if row.block == anchor.block and (row.end >= 0 or anchor.end < 0):
                found = y
                if anchor.end < 0:
                    break
        return found


def _joint(segment: Segment) -> str:
    """What stands between a paragraph and the segment that flows on from it."""
    spaced = bool(segment.words) and segment.words[0].text[:1].isspace()
    return " " if spaced or not segment.words else ""
