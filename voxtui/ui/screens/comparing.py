"""Two transcripts of the same sound over one another, before one is chosen."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment as Piece
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from voxtui.session.difference import Difference, DiffLine, Side
from voxtui.ui.widgets.keybar import KeyBar, KeyItem
from voxtui.ui.words import count, elapsed

WIDEST = 92
STAMP = 9
SIGNS = {Side.BOTH: ("", ""), Side.OLD: ("[−", "]"), Side.NEW: ("[+", "]")}
"""What went and what came is told by signs, not by colour alone."""


class Run(NamedTuple):
    """Some words of a row, all of one side."""

    side: Side
    text: str


def wrap_line(line: DiffLine, width: int) -> list[list[Run]]:
    """A paragraph in rows."""
    words = []
    for piece in line.pieces:
        before, after = SIGNS[piece.side]
        texts = f"{before}{piece.text}{after}".split()
        words += [(piece.side, text) for text in texts]
    rows: list[list[Run]] = [[]]
    room = width
    for side, text in words:
        if rows[-1] and cell_len(text) + 1 > room:
            rows.append([])
            room = width
        space = " " if rows[-1] else ""
        if rows[-1] and rows[-1][-1].side is side:
            rows[-1][-1] = Run(side, f"{rows[-1][-1].text} {text}")
        else:
            rows[-1] += [Run(Side.BOTH, space)] * bool(space) + [Run(side, text)]
        room -= cell_len(text) + len(space)
    return rows


class DifferenceView(ScrollView, can_focus=True):
    """The paragraphs that differ; of others how many there are."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "difference--both",
        "difference--old",
        "difference--new",
        "difference--stamp",
    }
    DEFAULT_CSS = """
    DifferenceView {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        background: $background;
        & > .difference--both { color: $foreground; }
        & > .difference--old { color: $warning; text-style: strike; }
        & > .difference--new { color: $accent; text-style: bold; }
        & > .difference--stamp { color: $muted; }
    }
    """

    def __init__(self, found: Difference) -> None:
        super().__init__()
        self._found = found
        self._rows: list[tuple[str, list[Run] | None]] = []  # stamp, runs; None for a remark

    def on_resize(self) -> None:
        """Lay it out anew."""
        self._rows = []
        width = max(10, min(WIDEST, self.size.width - STAMP - 4))
        same = 0
        for line in self._found.lines:
            if not line.changed:
                same += 1
                continue
            self._same(same)
            same = 0
            for index, runs in enumerate(wrap_line(line, width)):
                self._rows.append((elapsed(line.at_s) if index == 0 else "", runs))
            self._rows.append(("", []))
        self._same(same)
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        self.refresh()

    def _same(self, number: int) -> None:
        if number:
            self._rows += [(f"· {count(number, 'paragraph')} the same", None), ("", [])]

    def render_line(self, y: int) -> Strip:
        """One row."""
        width = self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        if not 0 <= row < len(self._rows):
            return Strip.blank(width, self.rich_style)
        stamp, runs = self._rows[row]
        style = self.get_component_rich_style
        if runs is None:
            pieces = [Piece(f"{'':{STAMP}}{stamp}", style("difference--stamp"))]
        else:
            pieces = [Piece(f" {stamp:{STAMP - 1}}", style("difference--stamp"))]
            pieces += [Piece(run.text, style(f"difference--{run.side}")) for run in runs]
        return Strip(pieces).adjust_cell_length(width, self.rich_style)


class ComparingScreen(Screen[bool | None]):
    """Gives True for the new words, False for the old ones, None to decide later."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,a", "choose(True)", show=False, id="compare.new", tooltip="The new words"),
        Binding("o", "choose(False)", show=False, id="compare.old", tooltip="Keep the old words"),
        Binding("escape,q", "later", show=False, id="compare.later", tooltip="Decide later"),
    ]
    CSS = """
    ComparingScreen {
        background: $background;
        & > #compare-title { height: auto; padding: 1 3 0 3; }
        & > #compare-about { height: auto; padding: 0 3; color: $muted; margin-bottom: 1; }
        & > DifferenceView { height: 1fr; padding: 0 2; }
        & > KeyBar { padding: 0 3; margin: 1 0; }
    }
    """

    def __init__(self, found: Difference, title: str, model: str) -> None:
        super().__init__()
        self._found = found
        self._title = title
        self._model = model

    def compose(self) -> ComposeResult:
        """What differs."""
        found = self._found
        counts = (
            "Not a word differs."
            if found.same
            else f"{count(found.removed, 'word')} [−went], {count(found.added, 'word')} [+came],"
            f" {found.kept:,} the same."
        )
        yield Static(
            f"{self._title}, written again by {self._model}", id="compare-title", markup=False
        )
        yield Static(
            f"{counts} The old words are kept as a version.", id="compare-about", markup=False
        )
        yield DifferenceView(found)
        yield KeyBar()

    def on_mount(self) -> None:
        """Keys go to the page."""
        self.query_one(DifferenceView).focus()
        self.query_one(KeyBar).items = (
            KeyItem("Enter", "take the new words", "take new", "screen.choose(True)"),
            KeyItem("O", "keep the old", "keep old", "screen.choose(False)"),
            KeyItem("Esc", "decide later", "later", "screen.later"),
        )

    def action_choose(self, new: bool) -> None:
        """Decide."""
        self.dismiss(new)

    def action_later(self) -> None:
        """Not now."""
        self.dismiss(None)
