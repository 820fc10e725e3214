"""Rows of the transcript as strips: styles laid one over another. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.segment import Segment as Piece
from rich.style import Style
from textual.strip import Strip

from voxtui.ui.widgets.page import MARKS, Block, Row


class Layer(NamedTuple):
    """A style for a part of a block's text; later layers lie over earlier ones."""

    start: int
    end: int
    style: Style


class Tail(NamedTuple):
    """What follows the text of the last row."""

    text: str
    style: Style


def draw_row(
    row: Row,
    block: Block,
    *,
    gutter: int,
    stamp_width: int,
    stamp: Style,
    text: Style,
    layers: Sequence[Layer],
    after: Tail | None = None,
) -> list[Piece]:
    """One row: the time, the mark, the words."""
    first = row.start == 0
    time = block.stamp if first and stamp_width else ""
    left = f"{'':{gutter - stamp_width}}{time}" if time else ""
    pieces = [Piece(f"{left:{gutter}}", stamp)]
    mark = MARKS[block.kind]
    if mark:
        pieces.append(Piece(mark if first else " " * len(mark), text))
    pieces += painted(block.text, row.start, row.end, text, layers)
    if after is not None:
        pieces.append(Piece(*after))
    return pieces


def painted(
    text: str, start: int, end: int, base: Style, layers: Iterable[Layer]
) -> Iterable[Piece]:
    """`text[start:end]` cut where a layer begins or ends, each piece in all styles it lies in."""
    over = [layer for layer in layers if layer.start < end and layer.end > start]
    if not over:
        return [Piece(text[start:end], base)]
    cuts = {start, end}
    for layer in over:
        cuts |= {max(start, layer.start), min(end, layer.end)}
    places = sorted(cuts)
    pieces = []
    for begin, stop in itertools.pairwise(places):
        style = base
        for layer in over:
            if layer.start <= begin and stop <= layer.end:
                style += layer.style
        pieces.append(Piece(text[begin:stop], style))
    return pieces


def with_hint(strip: Strip, width: int, hint: str, style: Style) -> Strip:
    """A word at the right end of a row."""
    if width < len(hint) + 4:
        hint = " ↓ "
    at = width - len(hint) - 1
    return Strip.join(
        [strip.crop(0, at), Strip([Piece(hint, style)]), strip.crop(width - 1, width)]
    )
