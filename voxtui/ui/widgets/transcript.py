"""The transcript on the screen: rows of a `Page`, drawn line by line, followed to the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment as Piece
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from voxtui.events import SegmentKind, TranscriptChanged
from voxtui.ui.widgets.page import MARKS, Page, Row
from voxtui.ui.words import clock as wall_clock

WIDEST_TEXT = 92
STAMPED_FROM = 66
"""Narrower than this there are no time stamps."""
CARET = "▁"


class TranscriptView(ScrollView, can_focus=False):
    """Shows what was said. Follows the end until the reader scrolls up."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "transcript--stamp",
        "transcript--note",
        "transcript--gap",
        "transcript--caret",
        "transcript--below",
    }
    DEFAULT_CSS = """
    TranscriptView {
        overflow-y: scroll;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        background: $background;
        & > .transcript--stamp { color: $muted; }
        & > .transcript--note { color: $accent; }
        & > .transcript--gap { color: $warning; }
        & > .transcript--caret { color: $accent; }
        & > .transcript--below { color: $on-accent; background: $accent; }
    }
    """

    following = reactive(True)
    new_below = reactive(False)
    show_caret = reactive(False)
    stamps = reactive(True)

    class FollowingChanged(Message):
        """The view began or stopped following the end."""

        def __init__(self, following: bool) -> None:
            super().__init__()
            self.following = following

    def __init__(
        self, *, id: str | None = None, clock: Callable[[float], str] = wall_clock
    ) -> None:
        super().__init__(id=id)
        self.page = Page(40, clock)
        self._moving = False

    # ---- what it is given

    def change(self, change: TranscriptChanged) -> None:
        """Show what is new."""
        before = self.page.row_count
        settled = len(self.page.settled)
        self.page.change(change)
        if not self.following and (change.settled or change.tail):
            self.new_below = True
        if self.page.row_count != before:
            self._resized_page()
        self.refresh_lines(settled, max(1, self.page.row_count - settled + 1))

    def clear(self) -> None:
        """Begin an empty page."""
        self.page.clear()
        self.following = True
        self._resized_page()
        self.refresh()

    def return_to_end(self) -> None:
        """Follow again."""
        self.following = True
        self._to_end()

    # ---- measures

    @property
    def _stamp_width(self) -> int:
        return 8 if self.stamps and self.size.width >= STAMPED_FROM else 0

    @property
    def gutter_width(self) -> int:
        """Cells left of the text."""
        margin = 3 if self.size.width >= 40 and not self.screen.has_class("-narrow") else 1
        return margin + self._stamp_width

    def _text_width(self) -> int:
        right = 3 if self.size.width >= STAMPED_FROM else 2
        return max(8, min(WIDEST_TEXT, self.size.width - self.gutter_width - right))

    # ---- scrolling

    def _resized_page(self) -> None:
        self._moving = True
        self.virtual_size = Size(self.scrollable_content_region.width, self.page.row_count)
        self._moving = False
        if self.following:
            self._to_end()

    def _to_end(self) -> None:
        self._go_to(self.max_scroll_y)

    def _go_to(self, y: int) -> None:
        self._moving = True
        self.scroll_to(y=y, animate=False, immediate=True, force=True)
        self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self.following = round(new_value) >= self.max_scroll_y

    def watch_following(self, following: bool) -> None:
        if following:
            self.new_below = False
        self.post_message(self.FollowingChanged(following))

    def watch_new_below(self) -> None:
        self.refresh()

    def watch_show_caret(self) -> None:
        self.refresh_lines(max(0, self.page.row_count - 1))

    def watch_stamps(self) -> None:
        if self.is_mounted:
            self._rewrap()

    def on_resize(self, event: events.Resize) -> None:
        if self._text_width() != self.page.width:
            self._rewrap()
        elif self.following:
            self._to_end()

    def _rewrap(self) -> None:
        anchor = None if self.following else self.page.row(self.scroll_offset.y)
        row = self.page.rewrap(self._text_width(), anchor)
        self._resized_page()
        if not self.following:
            self._go_to(row)
        self.refresh()
        if self.page.unfinished:
            self.call_later(self._rewrap_slice, self.page.width)

    def _rewrap_slice(self, width: int) -> None:
        if width != self.page.width or not self.page.unfinished:
            return
        above = self.page.rewrap_slice()
        y = self.scroll_offset.y
        self._resized_page()
        if not self.following:
            self._go_to(y + above)
        self.refresh()
        if self.page.unfinished:
            self.set_timer(0.01, lambda: self._rewrap_slice(width))

    # ---- drawing

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        line = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        row = self.page.row(line)
        strip = Strip.blank(width, self.rich_style) if row is None else self._draw(row, line, width)
        if self.new_below and y == self.scrollable_content_region.height - 1:
            strip = self._with_hint(strip, width)
        return strip

    def _draw(self, row: Row, line: int, width: int) -> Strip:
        base = self.rich_style
        if row.end < 0:
            return Strip.blank(width, base).apply_offsets(0, line)
        block = self.page.block_of(row)
        first = row.start == 0
        stamp = block.stamp if first and self._stamp_width else ""
        gutter = self.gutter_width
        left = f"{'':{gutter - self._stamp_width}}{stamp}" if stamp else ""
        style = {
            SegmentKind.SPEECH: base,
            SegmentKind.NOTE: self._style("note"),
            SegmentKind.GAP: self._style("gap"),
        }[block.kind]
        mark = MARKS[block.kind]
        mark = mark if first else " " * len(mark)
        pieces = [Piece(f"{left:{gutter}}", self._style("stamp"))]
        if mark:
            pieces.append(Piece(mark, style))
        pieces += self._words(self.page.text_of(row), line, gutter + len(mark), style)
        last = line == self.page.row_count - 1
        if self.show_caret and last and block.kind is SegmentKind.SPEECH:
            pieces.append(Piece(CARET, self._style("caret")))
        strip = Strip(pieces).adjust_cell_length(width, base)
        return strip.apply_offsets(0, line)

    def _words(self, text: str, line: int, x: int, style: Style) -> list[Piece]:
        """The text of a row, with what the mouse selected marked."""
        selection = self.text_selection
        span = selection.get_span(line) if selection is not None else None
        if span is None:
            return [Piece(text, style)]
        start = min(len(text), max(0, span[0] - x))
        end = len(text) if span[1] < 0 else min(len(text), max(0, span[1] - x))
        marked = style + self.screen.get_component_rich_style("screen--selection")
        parts = ((text[:start], style), (text[start:end], marked), (text[end:], style))
        return [Piece(part, how) for part, how in parts if part]

    def _with_hint(self, strip: Strip, width: int) -> Strip:
        hint = " ↓ new words · End "
        if width < len(hint) + 4:
            hint = " ↓ "
        at = width - len(hint) - 1
        style = self._style("below") + Style.from_meta({"@click": "follow"})
        return Strip.join(
            [strip.crop(0, at), Strip([Piece(hint, style)]), strip.crop(width - 1, width)]
        )

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"transcript--{name}")

    def action_follow(self) -> None:
        """Back to the newest words."""
        self.return_to_end()

    # ---- selecting

    def selection_updated(self, selection: Selection | None) -> None:
        """The mouse selected something else."""
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected words, without time stamps, paragraphs in one piece."""
        last = self.page.row_count - 1
        begin = selection.start.y if selection.start is not None else 0
        end = min(last, selection.end.y if selection.end is not None else last)
        out: list[str] = []
        previous: Row | None = None
        for y in range(max(0, begin), end + 1):
            row = self.page.row(y)
            if row is None or row.end < 0:
                continue
            block = self.page.block_of(row)
            x = self.gutter_width + len(MARKS[block.kind])
            text = self.page.text_of(row)
            stop = selection.end.x - x if selection.end is not None and y == end else len(text)
            start = selection.start.x - x if selection.start is not None and y == begin else 0
            part = text[max(0, start) : max(0, stop)]
            if previous is not None and previous.block == row.block:
                out.append(block.text[previous.end : row.start] + part)
            else:
                out.append(("\n\n" if out else "") + part)
            previous = row
        return "".join(out), "\n"
