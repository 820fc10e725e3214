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


SCALE_DB = (-60, -40, -20, -6, 0)


class LevelMeter(Widget):
    """`█████▌··╎··│····▏ -18 dB`: loudness, the voice threshold, the peak held; below it the scale
    where there is room for a second line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "meter--bar",
        "meter--quiet",
        "meter--hot",
        "meter--rest",
        "meter--tick",
        "meter--number",
    }
    DEFAULT_CSS = """
    LevelMeter {
        height: 1;
        & > .meter--bar { color: $accent; }
        & > .meter--quiet { color: $muted; }
        & > .meter--hot { color: $warning; }
        & > .meter--rest { color: $faint; }
        & > .meter--tick { color: $muted; }
        & > .meter--number { color: $muted; }
    }
    """

    live = reactive(False)
    voice_dbfs = reactive(-45.0)

    def __init__(
        self, *, id: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.needle = Ballistics()
        self._styles: dict[str, Style] = {}

    def hear(self, level: Level) -> None:
        """Show a level. Only while live: at rest the meter is still."""
        if self.live:
            self.needle.hear(level, self._clock())
            self.refresh()

    def watch_live(self, live: bool) -> None:
        if not live:
            self.needle.still()

    def notify_style_update(self) -> None:
        """Other colours."""
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """The bar, its frame and the number; or the scale."""
        width = self.size.width
        number = self._number() if width >= 16 else ""
        cells = max(1, width - 1 - len(number))
        if y:
            return Strip([Segment(_scale(cells), self._style("rest"))]).adjust_cell_length(
                width, self.rich_style
            )
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
        """Runs of equal style, so that a frame is a handful of segments."""
        tick = min(cells - 1, int(place(self.voice_dbfs, cells)))
        rest = self._style("rest")
        if not self.live:
            dots = "·" * cells
            return [Segment(dots[:tick] + TICK + dots[tick + 1 :], rest)]
        needle, hot = self.needle, math.ceil(place(HOT_DB, cells))
        filled = place(needle.level, cells)
        full = min(cells, int(filled))
        bar = self._style("bar" if needle.level >= self.voice_dbfs else "quiet")
        pieces = [_solid("█" * min(full, hot), bar)]
        if full > hot:
            pieces.append(_solid("█" * (full - hot), self._style("hot")))
        if full < cells:
            eighth = EIGHTHS[int((filled - full) * 8)].replace(" ", "·")
            lit = self._style("hot") if full >= hot else bar
            pieces.append(Segment(eighth, lit if eighth != "·" else rest))
            pieces.append(Segment("·" * (cells - full - 1), rest))
        line = Strip([piece for piece in pieces if piece.text])
        if tick >= full:
            line = _put(line, tick, Segment(TICK, self._style("tick")))
        peak = min(cells - 1, int(place(needle.peak, cells)))
        if needle.peak > FLOOR_DB and peak >= full:
            line = _put(line, peak, Segment("│", self._style("hot") if peak >= hot else bar))
        return list(line)

    def _style(self, name: str) -> Style:
        """Looked up once for each change of colours: this is drawn thirty times a second."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"meter--{name}")
        return style


TICK = "╎"


def _solid(text: str, style: Style) -> Segment:
    """The background too, else fonts leave seams."""
    return Segment(text, style + Style(bgcolor=style.color))


def _put(line: Strip, at: int, segment: Segment) -> Strip:
    """The line with one cell replaced."""
    left, _, right = line.divide([at, at + 1, line.cell_length])
    return Strip([*left, segment, *right])


def _scale(cells: int) -> str:
    """Decibels below full scale, each number where it belongs."""
    line = [" "] * (cells + 1)
    for db in SCALE_DB:
        text = str(db)
        at = min(cells + 1 - len(text), max(0, int(place(db, cells)) - len(text) // 2))
        if all(c == " " for c in line[max(0, at - 1) : at + len(text) + 1]):
            line[at : at + len(text)] = text
    return "".join(line)
