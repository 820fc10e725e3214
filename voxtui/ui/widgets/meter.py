"""How loud it is: a bar in decibels below full scale, the peak held, and a mark when it clips."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from voxtui.events import Level

FLOOR_DB = -60.0
HOLD_S = 1.2
FALL_DB_S = 24.0
CLIP_SHOWN_S = 1.5
HOT_DB = -6.0
"""From here to full scale the bar warns."""
EIGHTHS = " ▏▎▍▌▋▊▉█"


class Ballistics:
    """What the needle does between two levels: rises at once, falls slowly, holds its peak."""

    def __init__(self) -> None:
        self.level = self.peak = -120.0
        self._at = 0.0
        self._peak_at = self._clip_at = -1e9

    def hear(self, level: Level, now: float) -> None:
        """Take in one level."""
        fallen = FALL_DB_S * max(0.0, now - self._at)
        self.level = max(level.rms_dbfs, self.level - fallen)
        if level.peak_dbfs >= self.peak:
            self.peak, self._peak_at = level.peak_dbfs, now
        elif now - self._peak_at > HOLD_S:
            self.peak = max(level.peak_dbfs, self.peak - fallen)
        if level.clipped:
            self._clip_at = now
        self._at = now

    def clipping(self, now: float) -> bool:
        """Was it too loud a moment ago?"""
        return now - self._clip_at < CLIP_SHOWN_S

    def still(self) -> None:
        """Nothing is heard."""
        self.__init__()  # type: ignore[misc]


def place(db: float, cells: int) -> float:
    """Where a level stands on a bar of that many cells."""
    return min(1.0, max(0.0, 1 - db / FLOOR_DB)) * cells


class LevelMeter(Widget):
    """One line: `█████▌·····│····▏ -18 dB`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "meter--bar",
        "meter--hot",
        "meter--rest",
        "meter--number",
    }
    DEFAULT_CSS = """
    LevelMeter {
        height: 1;
        & > .meter--bar { color: $accent; }
        & > .meter--hot { color: $warning; }
        & > .meter--rest { color: $faint; }
        & > .meter--number { color: $muted; }
    }
    """

    live = reactive(False)
    voice_dbfs = reactive(-45.0)
    plain = reactive(False)

    def __init__(
        self, *, id: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.needle = Ballistics()

    def hear(self, level: Level) -> None:
        """Show a level. Only while live: at rest the meter is still."""
        if self.live:
            self.needle.hear(level, self._clock())
            self.refresh()

    def watch_live(self, live: bool) -> None:
        if not live:
            self.needle.still()

    def render_line(self, y: int) -> Strip:
        """The bar, its frame and the number."""
        width = self.size.width
        number = self._number() if width >= 16 else ""
        cells = max(1, width - 1 - len(number))
        clipping = self.needle.clipping(self._clock())
        edge = self._style("hot" if clipping else "rest")
        pieces = [
            *self._bar(cells),
            Segment("!" if clipping else "▏", edge),
            Segment(number, self._style("hot" if clipping else "number")),
        ]
        return Strip(pieces).adjust_cell_length(width, self.rich_style)

    def _number(self) -> str:
        if not self.live:
            return "        "
        level = self.needle.level
        return " quiet  " if level <= FLOOR_DB else f" {level:3.0f} dB ".ljust(8)

    def _bar(self, cells: int) -> list[Segment]:
        rest = self._style("rest")
        if not self.live:
            return [Segment("·" * cells, rest)]
        filled = place(self.needle.level, cells)
        full = int(filled)
        text = "█" * full
        eighth = EIGHTHS[int((filled - full) * 8)]
        if full < cells:
            text += eighth if eighth != " " else "·"
        text = text.ljust(cells, "·")
        peak = min(cells - 1, int(place(self.needle.peak, cells)))
        hot = math.ceil(place(HOT_DB, cells))
        pieces = []
        for at, cell in enumerate(text):
            held = at == peak and self.needle.peak > FLOOR_DB and cell != "█"
            lit = held or cell != "·"
            style = self._style("hot" if at >= hot else "bar") if lit else rest
            if cell == "█":  # the background too, else fonts leave seams
                style += Style(bgcolor=style.color)
            pieces.append(Segment("│" if held else cell, style))
        return pieces

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"meter--{name}")
