"""A cursor that stands on words, and what lies between two places. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from voxtui.events import Word
from voxtui.printable import printable
from voxtui.ui.widgets.page import MARKS, Block, Page, Row

_WORD = re.compile(r"\S+")


class Place(NamedTuple):
    """A character of a block."""

    block: int
    at: int


class Span(NamedTuple):
    """Where a word stands in its block, and the word itself (None in a note)."""

    start: int
    end: int
    word: Word | None


def words_of(block: Block) -> list[Span]:
    """The words of a paragraph."""
    found: list[Span] = []
    for part in block.parts:
        if not part.segment.words:
            stop = len(block.text)
            found += [Span(*m.span(), None) for m in _WORD.finditer(block.text, part.start, stop)]
            continue
        texts = [printable(word.text) for word in part.segment.words]
        whole = "".join(texts)
        at = part.start - (len(whole) - len(whole.lstrip()))
        for word, text in zip(part.segment.words, texts, strict=True):
            start, at = at + len(text) - len(text.lstrip()), at + len(text)
            stop = start + len(text.strip())
            if stop > start:
                found.append(Span(start, stop, word))
    return found


def word_at(page: Page, place: Place) -> Span | None:
    """The word that a place is in, or the one before it."""
    words = words_of(page.block(place.block)) if place.block < page.block_count else []
    index = bisect_right(words, place.at, key=lambda span: span.start) - 1
    return words[max(0, index)] if words else None


def nearest(page: Page, place: Place) -> Place | None:
    """The word at a place of a page that may have changed; None on an empty page."""
    if place.block < page.block_count and page.block(place.block).text:
        word = word_at(page, place)
        return Place(place.block, word.start) if word is not None else None
    before = _with_words(page, min(place.block, page.block_count) - 1, -1)
    return last(page) if before is None else Place(before, words_of(page.block(before))[-1].start)


def beside(page: Page, place: Place, by: int) -> Place:
    """The next word or the one before; stays at the ends."""
    words = words_of(page.block(place.block))
    index = bisect_right(words, place.at, key=lambda span: span.start) - 1 + by
    if 0 <= index < len(words):
        return Place(place.block, words[index].start)
    block = _with_words(page, place.block + by, by)
    if block is None:
        return place
    found = words_of(page.block(block))
    return Place(block, found[0 if by > 0 else -1].start)


def paragraph(page: Page, place: Place, by: int) -> Place:
    """The beginning of this paragraph, of the one before, or of the next."""
    if by < 0 and place.at > 0:
        return Place(place.block, 0)
    block = _with_words(page, place.block + by, by)
    return place if block is None else Place(block, 0)


def first(page: Page) -> Place | None:
    """The first word of all."""
    block = _with_words(page, 0, 1)
    return None if block is None else Place(block, 0)


def last(page: Page) -> Place | None:
    """The last word of all."""
    block = _with_words(page, page.block_count - 1, -1)
    return None if block is None else Place(block, words_of(page.block(block))[-1].start)


def in_row(page: Page, row: Row, column: int) -> Place | None:
    """The word of a row that is nearest to a cell of its text; None in a blank row."""
    if row.end < 0:
        return None
    words = [w for w in words_of(page.block(row.block)) if w.end > row.start and w.start < row.end]
    if not words:
        return None
    at = row.start + max(0, column)
    return Place(row.block, min(words, key=lambda w: max(w.start - at, at - w.end + 1, 0)).start)


def above_or_below(page: Page, place: Place, by: int, column: int) -> Place:
    """The word some rows away, near a column; stays at the ends."""
    y = page.find_row(place.block, place.at) + by
    while 0 <= y < page.row_count:
        row = page.row(y)
        found = in_row(page, row, column) if row is not None else None
        if found is not None:
            return found
        y += 1 if by > 0 else -1
    return (first(page) if by < 0 else last(page)) or place


def column_of(page: Page, place: Place) -> int:
    """Where a place stands in its row."""
    row = page.row(page.find_row(place.block, place.at))
    return place.at - row.start if row is not None else 0


def text_between(page: Page, start: Place, end: Place) -> str:
    """What lies between two places; notes with their mark."""
    parts = []
    for block in range(start.block, min(end.block, page.block_count - 1) + 1):
        shown = page.block(block)
        begin = start.at if block == start.block else 0
        stop = end.at if block == end.block else len(shown.text)
        part = shown.text[begin:stop]
        if part:
            parts.append(("" if begin else MARKS[shown.kind]) + part)
    return "\n\n".join(parts)


def _with_words(page: Page, block: int, by: int) -> int | None:
    while 0 <= block < page.block_count:
        if page.block(block).text:
            return block
        block += by
    return None
