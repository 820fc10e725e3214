"""How loud it is: a bar in decibels below full scale, the peak held, and a mark when it clips."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import groupby
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from voxtui.events import Level
from voxtui.ui.terminal.brush import Brush

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


class Picture(NamedTuple):
    """What can be told apart of a level: drawn anew only when this changes."""

    cells: int
    tick: int
    """The cell of the voice threshold."""
    eighths: int
    """How long the bar is; below 0 there is none."""
    peak: int
    """The cell of the peak; below 0 there is none."""
    voice: bool
    clipping: bool
    number: str


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
        self._drawn: Picture | None = None
        self._brush: Brush | None = None
        self._background: Color | None = None

    def on_mount(self) -> None:
        """Ready to show."""
        self._brush = Brush(self)

    def hear(self, level: Level) -> None:
        """Show a level. Only while live: at rest the meter is still."""
        if not self.live:
            return
        self.needle.hear(level, self._clock())
        if self._picture() == self._drawn:
            return
        if self._brush is None or not self._brush.paint():
            self.refresh(Region(0, 0, self.outer_size.width, 1))  # the scale stays

    def watch_live(self, live: bool) -> None:
        if not live:
            self.needle.still()

    def notify_style_update(self) -> None:
        """Other colours."""
        super().notify_style_update()
        self._styles.clear()
        self._background = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Anew each time: a line that was kept would be older than what `Brush` has drawn."""
        if self._background is None:
            self._background = self.background_colors[1]
        lines, filters = [], self.app.get_line_filters()
        for y in crop.line_range:
            line = self.render_line(y)
            for each in filters:
                line = line.apply_filter(each, self._background)
            lines.append(line.crop(crop.x, crop.right))
        return lines

    def render_line(self, y: int) -> Strip:
        """The bar, its frame and the number; or the scale."""
        width = self.outer_size.width
        if y:
            scale = Strip([Segment(_scale(self._picture().cells), self._style("rest"))])
            return scale.adjust_cell_length(width, self.rich_style)
        self._drawn = picture = self._picture()
        edge = self._style("hot" if picture.clipping else "rest")
        pieces = [
            *self._bar(picture),
            Segment("!" if picture.clipping else "▏", edge),
            Segment(picture.number, self._style("hot" if picture.clipping else "number")),
        ]
        return Strip(pieces).crop(0, width)

    def _picture(self) -> Picture:
        """What the level comes to on this width."""
        width, needle = self.outer_size.width, self.needle
        number = self._number() if width >= 16 else ""
        cells = max(1, width - 1 - len(number))
        return Picture(
            cells,
            min(cells - 1, int(place(self.voice_dbfs, cells))),
            int(place(needle.level, cells) * 8) if self.live else -1,
            min(cells - 1, int(place(needle.peak, cells))) if needle.peak > FLOOR_DB else -1,
            needle.level >= self.voice_dbfs,
            needle.clipping(self._clock()),
            number,
        )

    def _number(self) -> str:
        if not self.live:
            return "        "
        level = self.needle.level
        return " quiet  " if level <= FLOOR_DB else f" {level:3.0f} dB ".ljust(8)

    def _bar(self, picture: Picture) -> list[Segment]:
        """Runs of equal style, so that a frame is a handful of segments."""
        cells, rest = picture.cells, self._style("rest")
        if picture.eighths < 0:
            dots = "·" * cells
            return [Segment(dots[: picture.tick] + TICK + dots[picture.tick + 1 :], rest)]
        hot = math.ceil(place(HOT_DB, cells))
        full, eighth = divmod(picture.eighths, 8)
        lit = "bar" if picture.voice else "quiet"
        signs = ["█"] * full + ["·"] * (cells - full)
        styles = [self._solid(lit)] * full + [rest] * (cells - full)
        styles[hot:full] = [self._solid("hot")] * max(0, full - hot)
        if full < cells and eighth:
            signs[full] = EIGHTHS[eighth]
            styles[full] = self._style("hot" if full >= hot else lit)
        if picture.tick >= full:
            signs[picture.tick], styles[picture.tick] = TICK, self._style("tick")
        if picture.peak >= full:
            signs[picture.peak] = "│"
            styles[picture.peak] = self._style("hot" if picture.peak >= hot else lit)
        runs, at = [], 0
        for _, run in groupby(styles, key=id):
            length = sum(1 for _ in run)
            runs.append(Segment("".join(signs[at : at + length]), styles[at]))
            at += length
        return runs

    def _solid(self, name: str) -> Style:
        """The background too, else fonts leave seams."""
        style = self._styles.get(f"solid {name}")
        if style is None:
            plain = self._style(name)
            style = self._styles[f"solid {name}"] = plain + Style(bgcolor=plain.color)
        return style

    def _style(self, name: str) -> Style:
        """Looked up once for each change of colours: this is drawn thirty times a second."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"meter--{name}")
        return style


TICK = "╎"


def _scale(cells: int) -> str:
    """Decibels below full scale, each number where it belongs."""
    line = [" "] * (cells + 1)
    for db in SCALE_DB:
        text = str(db)
        at = min(cells + 1 - len(text), max(0, int(place(db, cells)) - len(text) // 2))
        if all(c == " " for c in line[max(0, at - 1) : at + len(text) + 1]):
            line[at : at + len(text)] = text
    return "".join(line)
