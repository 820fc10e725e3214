"""Keeps the garbage collector from standing in the way of the screen."""

from __future__ import annotations

import gc


def set_aside() -> None:
    """What is there now stays: the collector need not look at it again.

    A look at a million words would take half a second, in which every thread stands still. What
    is not used any more is freed all the same, unless it refers to itself.
    """
    gc.collect(1)
    gc.freeze()
