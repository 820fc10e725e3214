"""Breaking text into rows by what it takes on the screen.

Greedy and stable: more text at the end never changes a row before the last one. Pure, so that it
can be compared with a plain reference.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len

# Scripts that are written without spaces may break between any two characters, but a row does
# not begin with their closing punctuation.
_IDEOGRAPH = "\u2e80-\u3000\u3003-\u3007\u3012-\ua4cf\uf900-\ufaff\uff10-\uff19\uff21-\uff5a"
_CLOSING = "\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1a\uff1b\u300d\u300f\uff09\u3011\u300b"
_UNIT = re.compile(rf"[{_IDEOGRAPH}][{_CLOSING}]*|[^\s{_IDEOGRAPH}]+")
_NARROW = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff]*")
"""Characters that take one cell each, among which only spaces break."""


class Span(NamedTuple):
    """One row: the part `text[start:end]` of its paragraph."""

    start: int
    end: int


def wrap(text: str, width: int, start: int = 0) -> list[Span]:
    """The rows of `text[start:]` (`printable`) at `width` cells; none for text without words.

    A single character wider than the width gets a row of its own.
    """
    width = max(1, width)
    if _NARROW.fullmatch(text, start):
        return [Span(*row.span()) for row in _narrow_row(width).finditer(text, start)]
    rows: list[Span] = []
    row_start = row_end = -1
    used = 0
    for unit in _UNIT.finditer(text, start):
        begin, end = unit.span()
        cells = _cells(unit[0])
        if row_start >= 0:
            gap = begin - row_end
            if used + gap + cells <= width:
                row_end, used = end, used + gap + cells
                continue
            rows.append(Span(row_start, row_end))
        if cells > width:
            pieces = _split(text, begin, end, width)
            rows.extend(pieces[:-1])
            begin, end = pieces[-1]
            cells = _cells(text[begin:end])
        row_start, row_end, used = begin, end, cells
    if row_start >= 0:
        rows.append(Span(row_start, row_end))
    return rows


def rows_needed(text: str, width: int) -> int:
    """How many rows `wrap` gives."""
    width = max(1, width)
    if _NARROW.fullmatch(text):
        return len(_narrow_row(width).findall(text))
    return len(wrap(text, width))


@lru_cache(maxsize=32)
def _narrow_row(width: int) -> re.Pattern[str]:
    """The longest run that ends with a word; else a word cut where the row is full."""
    whole = rf"\S(?:.{{0,{width - 2}}}\S)?(?!\S)" if width > 1 else r"\S(?!\S)"
    return re.compile(rf"{whole}|\S{{1,{width}}}")


def _cells(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _split(text: str, start: int, end: int, width: int) -> list[Span]:
    """A word too long for a row, cut where the row is full."""
    pieces: list[Span] = []
    begin = at = start
    while at < end:
        after = at + 1
        while after < end and unicodedata.combining(text[after]):
            after += 1
        if at > begin and _cells(text[begin:after]) > width:
            pieces.append(Span(begin, at))
            begin = at
        at = after
    pieces.append(Span(begin, end))
    return pieces
