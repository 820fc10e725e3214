"""Looking for words in the transcript, whatever their case and accents. Pure, in slices."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple


class Match(NamedTuple):
    """Where a block holds what is looked for."""

    block: int
    start: int
    end: int


class _Folds(dict[int, str]):
    """Characters without case and accents, as `str.translate` asks for them."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code).casefold())
        bare = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
        self[code] = bare
        return bare


_FOLDS = _Folds()


def fold(text: str) -> str:
    """The text as it is compared."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def spans(text: str, query: str) -> Iterator[tuple[int, int]]:
    """Where a folded query stands in a text, from left to right, none over another."""
    folded = fold(text)
    at = folded.find(query)
    if at < 0 or not query:
        return
    lengths = None if len(folded) == len(text) else [len(fold(c)) for c in text]
    ends = list(accumulate(lengths)) if lengths is not None else []
    while at >= 0:
        stop = at + len(query)
        if lengths is None:
            yield at, stop
        else:  # characters that fold to several, or to none
            yield bisect_right(ends, at), max(bisect_left(ends, stop) + 1, bisect_right(ends, stop))
        at = folded.find(query, stop)


class Finder:
    """One search: which blocks hold it, and how often, as far as it has looked.

    `text` gives a block's text; blocks are looked at in order, some at a time.
    """

    def __init__(self, query: str, text: Callable[[int], str]) -> None:
        self.query = fold(" ".join(query.split()))
        self._text = text
        self._blocks: list[int] = []
        self._totals: list[int] = []  # matches up to each of the blocks
        self._looked = 0

    @property
    def total(self) -> int:
        """How many matches there are so far."""
        return self._totals[-1] if self._totals else 0

    def look(self, blocks: Iterable[int]) -> None:
        """Look at the blocks that come next."""
        if not self.query:
            return
        for block in blocks:
            self._looked = block + 1
            number = fold(self._text(block)).count(self.query)
            if number:
                self._blocks.append(block)
                self._totals.append(self.total + number)

    @property
    def looked(self) -> int:
        """How many blocks were looked at."""
        return self._looked

    def forget(self, block: int) -> None:
        """The blocks from here on are others now."""
        keep = bisect_left(self._blocks, block)
        del self._blocks[keep:], self._totals[keep:]
        self._looked = min(self._looked, block)

    def in_block(self, block: int) -> list[Match]:
        """The matches of a block, whether it was looked at or not."""
        return [Match(block, *span) for span in spans(self._text(block), self.query)]

    def number(self, match: Match) -> int:
        """Which one it is, counted from 1; 0 when it is none of those found so far."""
        at = bisect_left(self._blocks, match.block)
        if at == len(self._blocks) or self._blocks[at] != match.block:
            return 0
        before = self._totals[at - 1] if at else 0
        starts = [found.start for found in self.in_block(match.block)]
        return before + starts.index(match.start) + 1 if match.start in starts else 0

    def step(self, block: int, at: int, by: int) -> Match | None:
        """The next match after a place, or the one before it; at the end it begins anew."""
        if not self._blocks:
            return None
        if by > 0:
            here = [m for m in self.in_block(block) if m.start > at] if self._holds(block) else []
            if here:
                return here[0]
            index = bisect_right(self._blocks, block) % len(self._blocks)
            return self.in_block(self._blocks[index])[0]
        here = [m for m in self.in_block(block) if m.start < at] if self._holds(block) else []
        if here:
            return here[-1]
        return self.in_block(self._blocks[bisect_left(self._blocks, block) - 1])[-1]

    def _holds(self, block: int) -> bool:
        at = bisect_left(self._blocks, block)
        return at < len(self._blocks) and self._blocks[at] == block
