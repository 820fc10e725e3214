"""What stands in a session's files. Anybody may have written them: each value is looked at."""

from __future__ import annotations

from voxtui.printable import printable

LATEST = 250_000_000_000.0
"""Seconds; as a time of the clock in the year 9892."""


def as_number(value: object) -> float:
    """A time in seconds, or a probability. ValueError for what can be none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    if not 0 <= value <= LATEST:
        raise ValueError("out of range")
    return float(value)


def as_count(value: object) -> int:
    """How many, or the number of one. ValueError for what can be none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("no count")
    return value


def as_text(value: object) -> str:
    """Words, as a terminal may show them. ValueError for what is no text."""
    if not isinstance(value, str):
        raise ValueError("no text")
    return printable(value)
