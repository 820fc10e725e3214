"""The transcript as rows, for pages of any length.

A pure model behind the transcript view. Paragraphs ("blocks") are wrapped when they come; only
the last, open one may still grow, and of it only its last row. Blocks before it are kept in
chunks that know how many rows they take and make the rows when they are looked at. After a change
of width the numbers are estimated, and made exact chunk by chunk, the reader's first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from voxtui.events import Segment, SegmentKind, TranscriptChanged
from voxtui.printable import printable
from voxtui.ui.widgets.blocks import MARKS, Block, Part
from voxtui.ui.widgets.wrapping import Span, rows_needed, wrap

__all__ = ["MARKS", "Block", "Page", "Part", "Row"]

CONTINUOUS_S = 0.3
"""A segment that begins this soon after the last one may flow on in the same paragraph."""
CHUNK = 64
"""Blocks that are laid out together."""
CHUNKS_KEPT = 32
"""Chunks whose rows are remembered; those of others are made again when they are looked at."""


class Row(NamedTuple):
    """One row: a part of a block's text; `end < 0` is the blank row above a block.

    Where a part takes several lines of the screen each of them is a row: the `line`-th of `lines`.
    """

    block: int
    start: int
    end: int
    line: int = 0
    lines: int = 1


class Layout:
    """How a paragraph is laid out: in the terminal's own letters, line below line."""

    def rows(self, block: Block, width: int, start: int = 0) -> list[Span]:
        """The parts of the text from `start` on that stand below each other."""
        return wrap(block.text, width - len(MARKS[block.kind]), start)

    def lines(self, block: Block) -> int:
        """How many lines of the screen each of them takes."""
        return 1

    def height(self, block: Block, width: int) -> int:
        """How many lines all of them take."""
        return rows_needed(block.text, width - len(MARKS[block.kind]))

    def estimate(self, letters: int, width: int) -> int:
        """How many lines so many letters probably take."""
        return letters // max(1, width)


@dataclass(slots=True)
class _Chunk:
    """Some closed blocks: how many rows they take, or probably take."""

    height: int = 0
    letters: int = 0
    exact: bool = True


class Page:
    """All rows. What is settled does not change but when it is edited or the width is another."""

    def __init__(
        self, width: int, clock: Callable[[float], str], layout: Layout | None = None
    ) -> None:
        self.width = width
        self.layout = layout or Layout()
        self.blocks: list[Block] = []
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """An empty page."""
        self.blocks.clear()
        self._homes: list[int] = []  # of each settled segment the block, -1 for none
        self._chunks: list[_Chunk] = []
        self._tops: list[int] | None = None
        self._kept: dict[int, list[Row]] = {}  # rows of chunks
        self._todo: list[int] = []  # chunks to make exact, the most urgent last
        self._open: list[Row] = []  # rows of the open block that more text cannot change
        self._open_from = 0  # where its other rows begin
        self._live: list[Row] = []  # those, the tail's, and those that wait
        self._last: Segment | None = None  # the last settled segment, if talk may flow on from it
        self._tail: Block | None = None
        self._tail_flows_on = False
        self._waiting: list[Block] = []
        self._last_stamp = ""

    # ---- reading

    @property
    def row_count(self) -> int:
        return self._closed_rows + len(self._open) + len(self._live)

    @property
    def settled_rows(self) -> int:
        """Rows that stay as they are when words come."""
        return self._closed_rows + len(self._open)

    @property
    def empty(self) -> bool:
        return not (self.blocks or self._tail or self._waiting)

    @property
    def block_count(self) -> int:
        """Paragraphs on the page, the one being spoken and those that wait included."""
        tail = self._tail is not None and not self._tail_flows_on
        return len(self.blocks) + tail + len(self._waiting)

    def block(self, index: int) -> Block:
        """A paragraph as it shows now."""
        last = len(self.blocks) - 1
        if index < last or (index == last and not self._tail_flows_on):
            return self.blocks[index]
        extra = ([self._tail] if self._tail is not None else []) + self._waiting
        return extra[index - last - (0 if self._tail_flows_on else 1)]

    def row(self, y: int) -> Row | None:
        """The row at `y`, or None past the end."""
        if y < 0:
            return None
        closed = self._closed_rows
        if y < closed:
            tops = self._chunk_tops()
            chunk = bisect_right(tops, y) - 1
            rows = self._rows_in(chunk)
            at = y - tops[chunk]
            return rows[at] if at < len(rows) else None
        y -= closed
        if y < len(self._open):
            return self._open[y]
        y -= len(self._open)
        return self._live[y] if y < len(self._live) else None

    def text_of(self, row: Row) -> str:
        """What stands in a row, without the mark before notes and gaps."""
        return "" if row.end < 0 else self.block(row.block).text[row.start : row.end]

    def find_row(self, block: int, at: int = 0, *, above: bool = False) -> int:
        """The `y` of the row with a block's character `at`; `above`: its blank row, if any."""
        closed = max(0, len(self.blocks) - 1)
        if block < closed:
            chunk = block // CHUNK
            base, rows = self._chunk_tops()[chunk], self._rows_in(chunk)
        else:
            base, rows = self._closed_rows, self._open + self._live
        found = 0
        for y, row in enumerate(rows):
            if row.block > block or (row.block == block and row.end >= 0 and row.start > at):
                break
            if row.block == block:
                found = y - row.line
                if above:
                    break
        return base + found

    def part_of(self, segment: int) -> tuple[int, Part] | None:
        """The block and the part that hold a settled segment."""
        home = self._homes[segment] if 0 <= segment < len(self._homes) else -1
        if home < 0:
            return None
        return home, next(part for part in self.blocks[home].parts if part.number == segment)

    # ---- growing

    def change(self, change: TranscriptChanged) -> None:
        """Take in what was settled and the new tail."""
        self.settle(change.settled)
        for index, segment in change.edited:
            self._edit(index, segment)
        self._set_tail(change.tail)
        before = self._tail.stamp if self._tail is not None else ""
        self._waiting = [
            Block.of("" if stamp == before else stamp, [Part(-1, segment, 0)])
            for segment, stamp in ((s, self._stamp(s)) for s in change.waiting)
        ]
        if change.settled and self._tail is None:
            self._last = None  # a pause
        self._lay_live()

    def settle(self, segments: tuple[Segment, ...] | list[Segment]) -> None:
        """A part of a change that is too long to be taken in at once; `change` ends it."""
        for segment in segments:
            self._settle(segment)

    def _settle(self, segment: Segment) -> None:
        index = len(self._homes)
        if not printable(segment.text).strip():
            self._homes.append(-1)
            return
        if self._flows_on(segment):
            self.blocks[-1].add(index, segment)
        else:
            self._close_block()
            self.blocks.append(Block.of(self._stamp(segment), [Part(index, segment, 0)]))
            self._last_stamp = self._clock(segment.wall_time)
        self._homes.append(len(self.blocks) - 1)
        self._last = segment
        self._lay_open()

    def _edit(self, index: int, segment: Segment) -> None:
        home = self._homes[index] if index < len(self._homes) else -1
        if home < 0:
            return
        old = self.blocks[home]
        parts = [
            part if part.number != index else Part(index, segment, part.start) for part in old.parts
        ]
        self.blocks[home] = Block.of(old.stamp, parts)
        if home == len(self.blocks) - 1:
            self._open, self._open_from = [], 0
            self._lay_open()
            return
        chunk = self._chunks[home // CHUNK]
        chunk.letters += len(self.blocks[home].text) - len(old.text)
        self._kept.pop(home // CHUNK, None)
        if chunk.exact:
            self._measure(home // CHUNK)

    def _set_tail(self, tail: Segment | None) -> None:
        self._tail, self._tail_flows_on = None, False
        if tail is None or not printable(tail.text).strip():
            return
        self._tail_flows_on = self._flows_on(tail)
        if self._tail_flows_on:
            last = self.blocks[-1]
            self._tail = Block(last.kind, last.text, last.stamp, list(last.parts), last.settled)
            self._tail.add(-1, tail)
        else:
            self._tail = Block.of(self._stamp(tail), [Part(-1, tail, 0)])

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

    # ---- laying out

    def _rows_of(self, index: int, block: Block, start: int = 0) -> list[Row]:
        """The rows of a block from `start` on; with the blank row above it when from its top."""
        lines = self.layout.lines(block)
        spans = self.layout.rows(block, self.width, start)
        rows = [Row(index, *span, line, lines) for span in spans for line in range(lines)]
        if start == 0 and index > 0 and rows:
            rows.insert(0, Row(index, 0, -1))
        return rows

    def _lay_open(self) -> None:
        """The rows of the open block that more text cannot change are made for good."""
        index = len(self.blocks) - 1
        rows = self._rows_of(index, self.blocks[index], self._open_from)
        last = rows[-1].lines if rows else 0
        if len(rows) > last and rows[-1].end >= 0 and rows[-last - 1].end >= 0:
            self._open.extend(rows[:-last])
            self._open_from = rows[-1].start

    def _close_block(self) -> None:
        """The open block will not grow any more: it goes to the last chunk."""
        index = len(self.blocks) - 1
        if index < 0:
            return
        rows = self._open + self._rows_of(index, self.blocks[index], self._open_from)
        if index % CHUNK == 0:
            self._chunks.append(_Chunk())
            self._keep(index // CHUNK, [])
        chunk = self._chunks[-1]
        chunk.height += len(rows)
        chunk.letters += len(self.blocks[index].text)
        if index // CHUNK in self._kept:
            self._kept[index // CHUNK].extend(rows)
        if self._tops is not None:
            del self._tops[len(self._chunks) - 1 :]
            before = self._tops[-1] + self._chunks[-2].height if self._tops else 0
            self._tops.append(before)
        self._open, self._open_from = [], 0

    def _lay_live(self) -> None:
        self._live = []
        if self.blocks:
            index = len(self.blocks) - 1
            block = self._tail if self._tail_flows_on and self._tail else self.blocks[index]
            self._live = self._rows_of(index, block, self._open_from)
        for index in range(len(self.blocks), self.block_count):
            self._live += self._rows_of(index, self.block(index))

    # ---- chunks

    @property
    def _closed_rows(self) -> int:
        return self._chunk_tops()[-1] + self._chunks[-1].height if self._chunks else 0

    def _chunk_tops(self) -> list[int]:
        """The row where each chunk begins."""
        if self._tops is None:
            heights = (chunk.height for chunk in self._chunks[:-1])
            self._tops = list(accumulate(heights, initial=0)) if self._chunks else []
        return self._tops

    def _blocks_in(self, chunk: int) -> range:
        return range(chunk * CHUNK, min(len(self.blocks) - 1, (chunk + 1) * CHUNK))

    def _rows_in(self, chunk: int) -> list[Row]:
        rows = self._kept.get(chunk)
        if rows is None:
            rows = []
            for index in self._blocks_in(chunk):
                rows += self._rows_of(index, self.blocks[index])
            self._keep(chunk, rows)
        return rows

    def _keep(self, chunk: int, rows: list[Row]) -> None:
        self._kept[chunk] = rows
        if len(self._kept) > CHUNKS_KEPT:
            self._kept.pop(next(iter(self._kept)))

    def _measure(self, chunk: int) -> None:
        """Know how many rows a chunk takes."""
        kept = self._kept.get(chunk)
        height = len(kept) if kept is not None else self._count(chunk)
        if height != self._chunks[chunk].height:
            self._chunks[chunk].height = height
            self._tops = None
        self._chunks[chunk].exact = True

    def _count(self, chunk: int) -> int:
        height = 0
        for index in self._blocks_in(chunk):
            block = self.blocks[index]
            rows = self.layout.height(block, self.width)
            height += rows + (1 if rows and index > 0 else 0)
        return height

    # ---- another width

    def rewrap(self, width: int, near: int | None) -> None:
        """Lay out anew: what is around the block `near` (None: the end) now, the rest guessed."""
        self.width = width
        self._kept.clear()
        for number, chunk in enumerate(self._chunks):
            chunk.exact = False
            blocks = len(self._blocks_in(number))
            chunk.height = blocks * 3 // 2 + self.layout.estimate(chunk.letters, width)
        self._tops = None
        middle = len(self._chunks) - 1 if near is None else near // CHUNK
        self._todo = sorted(range(len(self._chunks)), key=lambda at: -abs(at - middle))
        for _ in range(3):
            self.refine()
        if self.blocks:
            self._open, self._open_from = [], 0
            self._lay_open()
        self._lay_live()

    @property
    def unfinished(self) -> bool:
        """Are there rows that are only guessed?"""
        return bool(self._todo)

    def refine(self) -> None:
        """Make the next chunk exact."""
        if self._todo:
            self._measure(self._todo.pop())

    def make_exact(self, y: int, height: int) -> bool:
        """Make the rows of a part of the page exact. Did that move any?"""
        tops = self._chunk_tops()
        if not tops:
            return False
        first = max(0, bisect_right(tops, y) - 1)
        last = max(0, bisect_right(tops, y + height) - 1)
        moved = False
        for chunk in range(first, last + 1):
            if not self._chunks[chunk].exact:
                before = self._chunks[chunk].height
                self._measure(chunk)
                moved |= self._chunks[chunk].height != before
        return moved
