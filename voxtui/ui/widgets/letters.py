"""Large letters, drawn with the signs for quarters of a cell. Pure but for reading its file.

A terminal cannot show one text larger than another; signs that fill quarters of a cell are in
every font, and letters of four cells by five are read from across a room.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

from voxtui import paths
from voxtui.ui.widgets.wrapping import Span

HEIGHT = 5
"""Lines of the screen that a row of large letters takes."""
POINTS = HEIGHT * 2
GAP = 2
"""Points between two letters."""
SPACE = 4
QUARTERS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the points that are set: above left 1, above right 2, below left 4, below right 8."""
CAPITALS_FROM = 1
DOTLESS = {"i": "ı", "j": "ȷ", "і": "ı", "ј": "ȷ"}


class Letter(NamedTuple):
    """One letter: its rows from the top, `#` where it is set; all are `width` points wide."""

    rows: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.rows[0])


@cache
def _drawn() -> dict[str, tuple[int, list[str]]]:
    """Of each letter in the file the row where it begins, and its rows."""
    found: dict[str, tuple[int, list[str]]] = {}
    file = paths.package_dir() / "assets" / "letters.txt"
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(";;"):
            continue
        name, first, *rows = line.split()
        key = chr(int(name[1:], 16)) if len(name) > 1 else name
        found[key] = (int(first), rows) if rows else found[first]
    return found


@cache
def letter(character: str) -> Letter | None:
    """How a character is drawn; None where it cannot be."""
    if character.isspace():
        return Letter(("." * SPACE,) * POINTS)
    drawn = _drawn()
    if character in drawn:
        return _placed(*drawn[character], 0)
    base, *marks = list(unicodedata.normalize("NFD", character))
    if not marks or base not in drawn or any(mark not in drawn for mark in marks):
        return None
    return _accented(base, marks)


def _accented(base: str, marks: list[str]) -> Letter:
    above = [mark for mark in marks if _drawn()[mark][0] < 2]
    first, rows = _drawn()[DOTLESS.get(base, base) if above else base]
    tall = first == CAPITALS_FROM
    if above and tall:  # a row less makes room for what stands above
        same = [at for at in range(1, len(rows)) if rows[at] == rows[at - 1]]
        rows = [row for at, row in enumerate(rows) if at != (same[0] if same else 2)]
        first += 1
    whole = _placed(first, rows, max(len(_drawn()[mark][1][0]) for mark in marks))
    for mark in marks:
        at, signs = _drawn()[mark]
        if tall and at < 2:
            at, signs = 0, signs[:1]
        whole = _laid_over(whole, at, signs)
    return whole


def _placed(first: int, rows: list[str], least: int) -> Letter:
    """A letter at its rows, at least so wide."""
    width = max(len(rows[0]), least)
    blank = "." * width
    shown = [_middle(row, width) for row in rows]
    below = POINTS - first - len(rows)
    return Letter((*[blank] * first, *shown, *[blank] * below))


def _laid_over(whole: Letter, at: int, signs: list[str]) -> Letter:
    rows = list(whole.rows)
    for y, sign in enumerate(signs, at):
        over = _middle(sign, whole.width)
        rows[y] = "".join(max(pair, key="#".find) for pair in zip(rows[y], over, strict=True))
    return Letter(tuple(rows))


def _middle(row: str, width: int) -> str:
    left = (width - len(row)) // 2
    return "." * left + row + "." * (width - len(row) - left)


def can_draw(text: str) -> bool:
    """Has each character a large form?"""
    return all(letter(character) is not None for character in set(text))


def width_of(text: str) -> int:
    """How many points a text takes."""
    shown = [letter(character) for character in text]
    return sum(one.width for one in shown if one is not None) + GAP * max(0, len(text) - 1)


def wrap_large(text: str, width: int, start: int = 0) -> list[Span]:
    """The rows of `text[start:]` at `width` points; greedy as `wrapping.wrap` is."""
    rows: list[Span] = []
    begin = end = -1
    at = start
    for word in text[start:].split():
        at = text.index(word, at)
        if begin >= 0 and width_of(text[begin : at + len(word)]) <= width:
            end = at + len(word)
        else:
            if begin >= 0:
                rows.append(Span(begin, end))
            begin, end = at, at + len(word)
            while width_of(text[begin:end]) > width:
                cut = begin + 1
                while width_of(text[begin : cut + 1]) <= width:
                    cut += 1
                rows.append(Span(begin, cut))
                begin = cut
        at += len(word)
    if begin >= 0:
        rows.append(Span(begin, end))
    return rows


@cache
def _points(character: str, row: int) -> str:
    shown = letter(character)
    return shown.rows[row] + "." * GAP if shown is not None else ""


@lru_cache(maxsize=256)
def large(text: str) -> tuple[str, ...]:
    """The lines of a text in large letters: `HEIGHT` of them, all of one length."""
    lines: list[str] = []
    for y in range(0, POINTS, 2):
        above = "".join(_points(character, y) for character in text) + "."
        below = "".join(_points(character, y + 1) for character in text) + "."
        lines.append("".join(
            QUARTERS[
                (above[x] == "#") + 2 * (above[x + 1] == "#")
                + 4 * (below[x] == "#") + 8 * (below[x + 1] == "#")
            ]
            for x in range(0, len(above) - 1, 2)
        ))  # fmt: skip
    return tuple(lines)
