"""Putting phrases on one line: as many as fit, the most important first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size


def shorten(text: str, width: int) -> str:
    """The text, cut with an ellipsis when it is too long."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1).rstrip() + "…"


def fit(phrases: Sequence[str], width: int, joint: str = " · ") -> str:
    """The first phrases that fit on the line together; the very first is shortened at need."""
    line = ""
    for phrase in phrases:
        longer = line + joint + phrase if line else phrase
        if cell_len(longer) > width:
            break
        line = longer
    return line or (shorten(phrases[0], width) if phrases else "")
