"""Captions: what was said in few, large words, the newest always in the same place."""

from __future__ import annotations

from rich.segment import Segment as Piece
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from voxtui.events import SegmentKind, TranscriptChanged
from voxtui.ui.widgets.drawing import with_hint
from voxtui.ui.widgets.letters import HEIGHT, can_draw, large, wrap_large
from voxtui.ui.widgets.page import MARKS, Block, Layout, Row
from voxtui.ui.widgets.pageview import PageView
from voxtui.ui.widgets.wrapping import Span
from voxtui.ui.words import count

PLAIN_WIDTH = 56
LARGE_WIDTH = 132
"""Some forty letters: what captions have at most, and the eye takes in at once."""
LEAST_WIDTH = 44
LEAST_ROWS = 3
"""With less room than this large letters are no help."""
MARGIN = 3
NARROW_POINTS = 7
"""What a large letter takes on the average."""
COLOURS = {SegmentKind.SPEECH: "", SegmentKind.NOTE: "note", SegmentKind.GAP: "gap"}


class Spaced(Layout):
    """The terminal's own letters, a blank line between two rows."""

    def lines(self, block: Block) -> int:
        return 2

    def height(self, block: Block, width: int) -> int:
        return 2 * super().height(block, width)

    def estimate(self, letters: int, width: int) -> int:
        return 2 * super().estimate(letters, width)


class Large(Spaced):
    """Large letters for what was said; notes, gaps and other scripts in the terminal's own."""

    def lines(self, block: Block) -> int:
        return HEIGHT if self._large(block) else 2

    def rows(self, block: Block, width: int, start: int = 0) -> list[Span]:
        if self._large(block):
            return wrap_large(block.text, width * 2, start)
        return super().rows(block, min(width, PLAIN_WIDTH), start)

    def height(self, block: Block, width: int) -> int:
        return len(self.rows(block, width)) * self.lines(block)

    def estimate(self, letters: int, width: int) -> int:
        return HEIGHT * letters * NARROW_POINTS // max(1, width * 2)

    def _large(self, block: Block) -> bool:
        return block.kind is SegmentKind.SPEECH and can_draw(block.text)


class CaptionsView(PageView):
    """Fills the screen from its foot: the newest words come there, whole rows move up."""

    COMPONENT_CLASSES = {"captions--note", "captions--gap", "captions--below"}  # noqa: RUF012
    DEFAULT_CSS = """
    CaptionsView {
        display: none;
        background: $background;
        scrollbar-size-vertical: 0;
        overflow-x: hidden;
        & > .captions--note { color: $accent; }
        & > .captions--gap { color: $warning; }
        & > .captions--below { color: $on-accent; background: $accent; }
    }
    """
    ALLOW_SELECT = False

    large_wanted = reactive(True)
    _hidden = False  # nothing was drawn, as much was still to come

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.page.layout = Spaced()

    @property
    def is_large(self) -> bool:
        """Are the letters large?"""
        return isinstance(self.page.layout, Large)

    @property
    def row_lines(self) -> int:
        """Lines of the screen that a row of words takes."""
        return HEIGHT if self.is_large else 2

    # ---- measures

    def watch_large_wanted(self) -> None:
        if self.is_attached and self.size:
            self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        event.prevent_default()  # the letters may be others now, even where the width is not
        self._lay_out()

    def _lay_out(self) -> None:
        room = self.size.height >= LEAST_ROWS * HEIGHT and self.size.width >= LEAST_WIDTH
        wanted = Large if self.large_wanted and room else Spaced
        if type(self.page.layout) is not wanted:
            self.page.layout = wanted()
            self._rewrap()
        elif self._text_width() != self.page.width:
            self._rewrap()
        elif self.following:
            self._to_end()

    @property
    def gutter_width(self) -> int:
        """The column of words stands in the middle."""
        return max(self._margin, (self.size.width - self._text_width()) // 2)

    @property
    def _margin(self) -> int:
        return 1 if self.screen.has_class("-narrow") else MARGIN

    def _text_width(self) -> int:
        most = LARGE_WIDTH if self.is_large else PLAIN_WIDTH
        return max(8, min(most, self.size.width - 2 * self._margin))

    # ---- what it is given

    def _take(self, change: TranscriptChanged) -> None:
        super()._take(change)
        if self._hidden or self.page.row_count <= self.size.height:
            self._hidden = False
            self.refresh()  # all rows stand elsewhere than before

    # ---- the wheel, by whole rows

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turn(event, -1)

    def _turn(self, event: events.MouseEvent, by: int) -> None:
        event.prevent_default()
        event.stop()
        self.scroll_relative(y=by * self.row_lines, animate=False)

    # ---- drawing

    def render_line(self, y: int) -> Strip:
        """One line of the screen; of a row that does not fit as a whole, nothing."""
        size = Size(self.scrollable_content_region.width, self.scrollable_content_region.height)
        if self.taking_in:  # thousands of paragraphs do not run over the screen
            self._hidden = True
            return Strip.blank(size.width, self.rich_style)
        above = max(0, size.height - self.page.row_count)
        line = y - above + self.scroll_offset.y
        row = self.page.row(line)
        if row is None or row.end < 0 or y < row.line or y - row.line + row.lines > size.height:
            strip = Strip.blank(size.width, self.rich_style)
        else:
            strip = self._draw(row, size.width)
        if self.new_words and y == size.height - 1:
            hint = f" ↓ {count(self.new_words, 'new word')} · End "
            style = self.get_component_rich_style("captions--below")
            style += Style.from_meta({"@click": "follow"})
            strip = with_hint(strip, size.width, hint, style)
        return strip

    def _draw(self, row: Row, width: int) -> Strip:
        block = self.page.block(row.block)
        text, mark = block.text[row.start : row.end], MARKS[block.kind]
        if row.lines == HEIGHT:
            text = large(text)[row.line]
        elif row.line:
            text = ""
        else:
            text = (mark if row.start == 0 else " " * len(mark)) + text
        kind = COLOURS[block.kind]
        style = self.get_component_rich_style(f"captions--{kind}") if kind else self.rich_style
        pieces = [Piece(" " * self.gutter_width, self.rich_style), Piece(text, style)]
        return Strip(pieces).adjust_cell_length(width, self.rich_style)

    def action_follow(self) -> None:
        """Back to the newest words."""
        self.return_to_end()
