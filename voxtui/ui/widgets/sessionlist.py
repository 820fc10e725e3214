"""The list of sessions: days, and under each the sessions of that day, two rows each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment as Piece
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from voxtui.session.library import SessionInfo
from voxtui.ui.widgets.fitting import shorten
from voxtui.ui.words import clock, count, elapsed

ROWS = 2
INDENT = 8
"""The text stands right of the time of day."""

Spans = tuple[tuple[int, int], ...]


class Line(NamedTuple):
    """One row of the list: a day's name, or the first or second row of a session."""

    entry: int  # -1 for a day, -2 for the blank row above it
    part: int = 0
    day: str = ""


class Found(NamedTuple):
    """What a search found in a session: a part of its text with the words' places."""

    text: str
    spans: Spans


def day_name(posix: float, today: float) -> str:
    """ "Today", "Yesterday", "Monday 16 November", and with the year when it is another."""
    if not posix:
        return "Without a date"
    then, now = time.localtime(posix), time.localtime(today)
    if then[:3] == now[:3]:
        return "Today"
    if then[:3] == time.localtime(today - 86400)[:3]:
        return "Yesterday"
    name = f"{time.strftime('%A', then)} {then.tm_mday} {time.strftime('%B', then)}"
    return name if then.tm_year == now.tm_year else f"{name} {then.tm_year}"


def lay_out(entries: Sequence[SessionInfo], today: float) -> list[Line]:
    """The rows of the list."""
    lines: list[Line] = []
    last = None
    for index, info in enumerate(entries):
        local = time.localtime(info.started)[:3] if info.started else ()
        if local != last:
            last = local
            lines += [Line(-2)] * bool(lines) + [Line(-1, day=day_name(info.started, today))]
        lines += [Line(index, part) for part in range(ROWS)]
    return lines


class SessionList(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows sessions, one of them chosen. `found` tells what a search found in one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "sessions--day",
        "sessions--text",
        "sessions--title",
        "sessions--about",
        "sessions--state",
        "sessions--live",
        "sessions--match",
        "sessions--bar",
        "sessions--chosen",
    }
    DEFAULT_CSS = """
    SessionList {
        overflow-y: scroll;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        background: $background;
        & > .sessions--day { color: $muted; text-style: bold; }
        & > .sessions--text { color: $foreground; }
        & > .sessions--title { color: $foreground; text-style: bold; }
        & > .sessions--about { color: $muted; }
        & > .sessions--state { color: $warning; }
        & > .sessions--live { color: $accent; }
        & > .sessions--match { color: $accent; text-style: bold underline; }
        & > .sessions--bar { color: $faint; }
        & > .sessions--chosen { background: $pill; }
        &:focus > .sessions--bar { color: $accent; }
    }
    """

    at = reactive(0)
    """Which session is chosen."""

    class Chosen(Message):
        """Another session is chosen."""

    class Opened(Message):
        """The chosen one is to be read."""

    def __init__(
        self,
        found: Callable[[SessionInfo], Found | None] = lambda info: None,
        now: Callable[[], float] = time.time,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.entries: list[SessionInfo] = []
        self.by_hand = False
        """Has somebody chosen one?"""
        self._lines: list[Line] = []
        self._found = found
        self._now = now
        self._tops: list[int] = []

    # ---- what it is given

    def show(self, entries: Sequence[SessionInfo], keep: str | None = None) -> None:
        """Show these; the one called `keep` stays chosen where it is still there, else its place;
        with None it is the first."""
        self.entries = list(entries)
        self._lines = lay_out(self.entries, self._now())
        self._tops = [y for y, line in enumerate(self._lines) if line.entry >= 0 and not line.part]
        names = [info.name for info in self.entries]
        at = 0 if keep is None else min(self.at, len(names) - 1)
        at = names.index(keep) if keep in names else at
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self.at = max(0, at)
        self._in_sight()
        self.refresh()

    @property
    def chosen(self) -> SessionInfo | None:
        """The session that is chosen."""
        return self.entries[self.at] if 0 <= self.at < len(self.entries) else None

    def move(self, by: int) -> None:
        """Choose another one, `by` sessions further down."""
        if self.entries:
            self.by_hand = True
            self.at = min(len(self.entries) - 1, max(0, self.at + by))
            self._in_sight()

    @property
    def page(self) -> int:
        """How many sessions a page is."""
        return max(1, self.size.height // ROWS - 1)

    def watch_at(self, old: int, new: int) -> None:
        self.refresh()
        if old != new:
            self.post_message(self.Chosen())

    def _in_sight(self) -> None:
        if not self._tops or not self.size.height:
            return
        top = self._tops[self.at]
        above = 1 if self._lines[top - 1].entry == -1 else 0  # with its day
        region = Region(0, top - above, 1, ROWS + above)
        self.scroll_to_region(region, animate=False, force=True)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self._in_sight()

    # ---- the mouse

    def on_click(self, event: events.Click) -> None:
        y = event.y + self.scroll_offset.y
        if 0 <= y < len(self._lines) and self._lines[y].entry >= 0:
            self.by_hand = True
            self.at = self._lines[y].entry
            if event.chain == 2:
                self.post_message(self.Opened())

    # ---- drawing

    def render_line(self, y: int) -> Strip:
        """One row."""
        width = self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        if not 0 <= row < len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[row]
        if line.entry == -2:
            return Strip.blank(width, self.rich_style)
        if line.entry == -1:
            day = f" {shorten(line.day, width - 1)}"
            pieces = [Piece(day, self.rich_style + self._style("day"))]
            return Strip(pieces).adjust_cell_length(width, self.rich_style)
        info, chosen = self.entries[line.entry], line.entry == self.at
        base = self._style("chosen") if chosen else self.rich_style
        under = Style(bgcolor=base.bgcolor)
        bar = Piece("▌" if chosen else " ", self._style("bar") + under)
        room = width - INDENT - 1
        text = self._first(info, room) if line.part == 0 else self._second(info, room)
        pieces = [bar, *(Piece(words, style + under) for words, style in text)]
        return Strip(pieces).adjust_cell_length(width, under)

    def _first(self, info: SessionInfo, room: int) -> list[tuple[str, Style]]:
        """The time of day, and the title, what was found, or the first words."""
        at = clock(info.started) if info.started else ""
        out = [(f" {at:{INDENT - 1}}"[:INDENT], self._style("about"))]
        found = self._found(info)
        if found is not None and found.text:
            return out + self._with_matches(found, room)
        if info.title:
            title = shorten(info.title, room)
            room -= cell_len(title) + 2
            out.append((title, self._style("title")))
            if room > 6 and info.first_words:
                out.append((f"  {shorten(info.first_words, room)}", self._style("about")))
        else:
            words = info.first_words or (info.name if info.problem else "no words")
            style = "text" if info.first_words else "about"
            out.append((shorten(words, room), self._style(style)))
        return out

    def _with_matches(self, found: Found, room: int) -> list[tuple[str, Style]]:
        text, out, at = shorten(" ".join(found.text.split("\n")), room), [], 0
        for begin, end in found.spans:
            if begin >= len(text):
                break
            out.append((text[at:begin], self._style("text")))
            out.append((text[begin:end], self._style("match")))
            at = end
        return [*out, (text[at:], self._style("text"))]

    def _second(self, info: SessionInfo, room: int) -> list[tuple[str, Style]]:
        """How long, how many words, and what is unusual."""
        room -= 1
        about = f"{elapsed(info.audio_s)} · {count(info.words, 'word')}"
        state, style = state_of(info)
        if info.title and self._found(info) is not None:
            about = f"{about} · {info.title}"
        out = [(" " * INDENT, self._style("about"))]
        if state:
            out.append((shorten(state, room), self._style(style)))
            room -= cell_len(state) + 3
            about = f" · {about}"
        if room > 4:
            out.append((shorten(about, room + 3 * bool(state)), self._style("about")))
        return out

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"sessions--{name}", partial=name != "chosen")


def state_of(info: SessionInfo) -> tuple[str, str]:
    """What is unusual about a session, and how it is to look."""
    if info.problem:
        return "cannot be read", "state"
    if info.live:
        return "● being written", "live"
    return ("", "about") if info.finished else ("broke off", "state")
