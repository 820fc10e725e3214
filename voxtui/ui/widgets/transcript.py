"""The transcript on the screen: a page with a cursor, a selection and a search."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection
from textual.strip import Strip

from voxtui.events import SegmentKind, TranscriptChanged
from voxtui.ui.widgets import cursor as moving
from voxtui.ui.widgets.cursor import Place, text_between, word_at, words_of
from voxtui.ui.widgets.drawing import Layer, Tail, draw_row, with_hint
from voxtui.ui.widgets.page import MARKS, Block, Row
from voxtui.ui.widgets.pageview import PageView
from voxtui.ui.widgets.searching import Searching
from voxtui.ui.words import count

CARET = "▁"


class TranscriptView(Searching, PageView):
    """Draws the page and what lies on it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "transcript--stamp",
        "transcript--note",
        "transcript--gap",
        "transcript--tail",
        "transcript--doubt",
        "transcript--match",
        "transcript--found",
        "transcript--cursor",
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
        & > .transcript--tail { text-style: italic; }
        & > .transcript--doubt { text-style: underline; }
        & > .transcript--match { background: $match; color: $on-match; text-style: bold; }
        & > .transcript--found { background: $accent; color: $on-accent; text-style: bold; }
        & > .transcript--cursor { text-style: reverse; }
        & > .transcript--caret { color: $accent; }
        & > .transcript--below { color: $on-accent; background: $accent; }
    }
    """

    show_caret = reactive(False)
    doubts = reactive(False)
    """Are words marked that are less probable than `doubt_below`?"""
    doubt_below = reactive(0.5)
    cursor: reactive[Place | None] = reactive(None)
    """The beginning of the word it stands on."""

    class CursorMoved(Message):
        """The cursor or the selection is another."""

    class EditWanted(Message):
        """A paragraph was clicked twice."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles: dict[str, Style] = {}
        self._anchor: Place | None = None  # where a selection by keys began
        self._dragged: tuple[Place, Place] | None = None  # what the mouse selected

    def change(self, change: TranscriptChanged) -> None:
        """Show what is new; the cursor stays on its word as far as there is one."""
        super().change(change)
        if self.cursor is not None and (change.edited or change.tail is None):
            self._keep_cursor()

    def clear(self) -> None:
        """Begin an empty page."""
        self.leave_cursor()
        self._dragged = None
        super().clear()

    # ---- the cursor

    def _keep_cursor(self) -> None:
        assert self.cursor is not None
        self.cursor = moving.nearest(self.page, self.cursor)

    def place_cursor(self) -> Place | None:
        """Put the cursor on the last word in sight, where there is none yet."""
        if self.cursor is None:
            bottom = self.scroll_offset.y + self.scrollable_content_region.height - 1
            for y in range(min(bottom, self.page.row_count - 1), -1, -1):
                row = self.page.row(y)
                found = moving.in_row(self.page, row, 10_000) if row is not None else None
                if found is not None:
                    self.cursor = found
                    break
        return self.cursor

    def move_cursor(self, by: str, direction: int, *, select: bool = False) -> None:
        """By "word", "line", "page", "paragraph", or to the "end"; perhaps selecting."""
        fresh = self.cursor is None
        here = self.place_cursor()
        if here is None:
            return
        if select and self._anchor is None:
            self._anchor = here
        elif not select and not self.selecting:
            self._anchor = None
        self._dragged = None
        if not fresh or select:
            self.cursor = self._target(here, by, direction)
        self._show_cursor()

    def _target(self, here: Place, by: str, direction: int) -> Place:
        page = self.page
        match by:
            case "word":
                return moving.beside(page, here, direction)
            case "paragraph":
                return moving.paragraph(page, here, direction)
            case "end":
                return (moving.first(page) if direction < 0 else moving.last(page)) or here
        rows = max(1, self.size.height - 2) if by == "page" else 1
        y = page.find_row(*here) + direction * rows
        near = page.find_row(*here) + direction * (rows - 1) if 0 <= y < page.row_count else None
        column = moving.column_of(page, here)
        if near is not None and rows > 1:
            row = page.row(near)
            here = (moving.in_row(page, row, column) if row is not None else None) or here
        return moving.above_or_below(page, here, direction, column)

    def _show_cursor(self) -> None:
        if self.cursor is not None:
            self.show_row(self.page.find_row(*self.cursor))

    def leave_cursor(self) -> None:
        """No cursor, no selection."""
        self.cursor = self._anchor = None
        self.selecting = False
        if self._dragged is not None:
            self._dragged = None
            self.screen.clear_selection()
        self._tell_cursor()

    selecting = False
    """Do plain cursor keys select?"""

    def toggle_selecting(self) -> None:
        """Begin to select here, or select no more."""
        if self.selecting:
            self.selecting, self._anchor = False, None
        elif self.place_cursor() is not None:
            self.selecting, self._anchor = True, self.cursor
        self._tell_cursor()

    def select_all(self) -> None:
        """From the first word to the last."""
        begin, end = moving.first(self.page), moving.last(self.page)
        if begin is not None and end is not None:
            self._dragged = None
            self.selecting, self._anchor, self.cursor = True, begin, end
            self._tell_cursor()

    def watch_cursor(self) -> None:
        self._tell_cursor()

    def _tell_cursor(self) -> None:
        self.refresh()
        self.post_message(self.CursorMoved())

    # ---- the selection

    @property
    def selected(self) -> tuple[Place, Place] | None:
        """From where to where words are selected, by keys or by mouse."""
        if self._dragged is not None:
            return self._dragged
        if self._anchor is None or self.cursor is None:
            return None
        begin, end = sorted((self._anchor, self.cursor))
        span = word_at(self.page, end)
        return begin, Place(end.block, span.end if span is not None else end.at)

    def selected_text(self) -> str:
        """The selected words, paragraphs in one piece, without times."""
        found = self.selected
        return text_between(self.page, *found).strip() if found is not None else ""

    def selection_updated(self, selection: Selection | None) -> None:
        """The mouse selected something else."""
        if selection is None:
            self._dragged = None
        else:
            begin, end = self._place(selection.start, 0), self._place(selection.end, -1)
            self._dragged = (begin, end) if begin is not None and end is not None else None
            if self._dragged is not None and self.cursor is not None:
                self._anchor, self.selecting, self.cursor = None, False, None
        self._tell_cursor()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The words the mouse selected."""
        begin, end = self._place(selection.start, 0), self._place(selection.end, -1)
        if begin is None or end is None:
            return None
        return text_between(self.page, begin, end), "\n"

    def _place(self, offset: Offset | None, end: int) -> Place | None:
        """The character at an offset of a drawn line; None: the very first or last."""
        page = self.page
        if page.empty:
            return None
        y = offset.y if offset is not None else (0 if end == 0 else page.row_count - 1)
        row = page.row(min(max(0, y), page.row_count - 1))
        if row is None:
            return None
        if row.end < 0:
            return Place(row.block, 0)
        if offset is None:
            return Place(row.block, row.start if end == 0 else row.end)
        x = offset.x - self.gutter_width - len(MARKS[page.block(row.block).kind])
        return Place(row.block, min(row.end, row.start + max(0, x)))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a word, a second one edits its paragraph."""
        if "@click" in event.style.meta or self.screen.selections.get(self) is not None:
            return
        event.prevent_default()
        _, offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
        row = self.page.row(offset.y) if offset is not None else None
        if row is None or row.end < 0:
            self.leave_cursor()
            return
        assert offset is not None
        column = offset.x - self.gutter_width - len(MARKS[self.page.block(row.block).kind])
        self._anchor, self.selecting = None, False
        self.cursor = moving.in_row(self.page, row, column)
        if event.chain == 2:
            self.post_message(self.EditWanted())

    # ---- drawing

    def watch_show_caret(self) -> None:
        self.refresh_lines(max(0, self.page.row_count - 1))

    def watch_doubts(self) -> None:
        self.refresh()

    def watch_doubt_below(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        line = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        row = self.page.row(line)
        strip = Strip.blank(width, self._style("")) if row is None else self._draw(row, line, width)
        if self.new_words and y == self.scrollable_content_region.height - 1:
            hint = f" ↓ {count(self.new_words, 'new word')} · End "
            style = self._style("below") + Style.from_meta({"@click": "follow"})
            strip = with_hint(strip, width, hint, style)
        return strip

    def _draw(self, row: Row, line: int, width: int) -> Strip:
        base = self._style("")
        if row.end < 0:
            return Strip.blank(width, base).apply_offsets(0, line)
        block = self.page.block(row.block)
        caret = self.show_caret and line == self.page.row_count - 1
        pieces = draw_row(
            row,
            block,
            gutter=self.gutter_width,
            stamp_width=self._stamp_width,
            stamp=self._style("stamp"),
            text=self._style(TEXT[block.kind]),
            layers=self._layers(row.block, block),
            after=Tail(CARET, self._style("caret"))
            if caret and block.kind is SegmentKind.SPEECH
            else None,
        )
        return Strip(pieces).adjust_cell_length(width, base).apply_offsets(0, line)

    def _layers(self, index: int, block: Block) -> list[Layer]:
        """What lies over the plain words of a block."""
        layers = []
        if block.settled < len(block.text) and block.kind is SegmentKind.SPEECH:
            layers.append(Layer(block.settled, len(block.text), self._style("tail")))
        if self.doubts:
            layers += [
                Layer(span.start, span.end, self._style("doubt"))
                for span in words_of(block)
                if span.word is not None and span.word.probability < self.doubt_below
            ]
        for match in self.matches_in(index):
            style = "found" if match == self.match else "match"
            layers.append(Layer(match.start, match.end, self._style(style)))
        selected = self.selected
        if selected is not None and selected[0].block <= index <= selected[1].block:
            begin = selected[0].at if index == selected[0].block else 0
            end = selected[1].at if index == selected[1].block else len(block.text)
            layers.append(Layer(begin, end, self._selection_style))
        if self.cursor is not None and self.cursor.block == index:
            word = word_at(self.page, self.cursor)
            if word is not None:
                layers.append(Layer(word.start, word.end, self._style("cursor")))
        return layers

    @property
    def _selection_style(self) -> Style:
        style = self.screen.get_component_rich_style("screen--selection")
        return Style(bgcolor=style.bgcolor) if style.color == style.bgcolor else style

    def notify_style_update(self) -> None:
        """Other colours."""
        super().notify_style_update()
        self._styles.clear()

    def _style(self, name: str) -> Style:
        """Looked up once for each change of colours: a screen takes hundreds of them."""
        style = self._styles.get(name)
        if style is None:
            part = f"transcript--{name}"
            style = (
                self.get_component_rich_style(part, partial=name in PARTIAL)
                if name
                else self.rich_style
            )
            self._styles[name] = style
        return style

    def action_follow(self) -> None:
        """Back to the newest words."""
        self.return_to_end()


TEXT = {SegmentKind.SPEECH: "", SegmentKind.NOTE: "note", SegmentKind.GAP: "gap"}
"""The styles of the words."""
PARTIAL = frozenset({"tail", "doubt", "cursor", "match", "found"})
"""Styles that lie over others."""
