"""The models as lines to choose from, with the keys or the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from voxtui.ui.widgets.fitting import fit, shorten


@dataclass(frozen=True, slots=True)
class Line:
    """One choice."""

    name: str
    title: str
    size: str
    """ "" where there is none: then the title may be long."""
    phrases: Sequence[str] = ()
    strong: bool = False
    """Is it the one in use, or on its way?"""


class ModelRow(Static):
    """`▸ title   size   what there is to know`."""

    DEFAULT_CSS = """
    ModelRow { height: 1; }
    """

    chosen = reactive(False)

    def __init__(self, line: Line, title_width: int) -> None:
        super().__init__(markup=False)
        self.line = line
        self._title_width = title_width

    def set_line(self, line: Line) -> None:
        """Another state of the same choice."""
        if line != self.line:
            self.line = line
            self.refresh()

    def render(self) -> Content:
        """As much as fits."""
        line, width = self.line, self.content_size.width
        if line.size:
            title = set_cell_size(shorten(line.title, self._title_width), self._title_width)
        else:
            title = shorten(line.title, width - 2)
        size = f"{line.size:>8}" if line.size else ""
        gap = "   " if width >= 64 else "  "
        left = width - 2 - cell_len(title) - len(size) - len(gap)
        said = fit(line.phrases, left) if line.phrases else ""
        return Content.assemble(
            ("▸ " if self.chosen else "  ", "$accent"),
            (title, "bold $accent" if self.chosen else "$foreground"),
            (size + gap, "$muted"),
            (said, "$foreground" if line.strong else "$muted"),
        )

    def watch_chosen(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self))

    class Clicked(Message):
        """This line was clicked."""

        def __init__(self, row: ModelRow) -> None:
            super().__init__()
            self.row = row


class ModelList(Vertical):
    """Keeps which line is chosen while the lines change."""

    DEFAULT_CSS = """
    ModelList { height: auto; }
    """

    class Moved(Message):
        """Another line is chosen, or the chosen one was clicked `again`."""

        def __init__(self, again: bool = False) -> None:
            super().__init__()
            self.again = again

    def __init__(self) -> None:
        super().__init__()
        self.name_chosen = ""

    async def show(self, lines: Sequence[Line]) -> None:
        """These lines; widgets are made anew only when there are others than before."""
        rows = list(self.query(ModelRow))
        if [row.line.name for row in rows] == [line.name for line in lines]:
            for row, line in zip(rows, lines, strict=True):
                row.set_line(line)
        else:
            width = max(cell_len(line.title) for line in lines if line.size)
            with self.app.batch_update():
                await self.remove_children()
                await self.mount_all(ModelRow(line, min(width, 30)) for line in lines)
        self._mark()

    def choose(self, name: str) -> None:
        """Stand at this line."""
        self.name_chosen = name
        self._mark()

    def move(self, by: int) -> None:
        """The line below or above."""
        names = [row.line.name for row in self.query(ModelRow)]
        if names:
            at = names.index(self.name_chosen) if self.name_chosen in names else 0
            self.choose(names[max(0, min(len(names) - 1, at + by))])
            self.post_message(self.Moved())

    def on_model_row_clicked(self, event: ModelRow.Clicked) -> None:
        event.stop()
        again = event.row.line.name == self.name_chosen
        self.choose(event.row.line.name)
        self.post_message(self.Moved(again))

    def _mark(self) -> None:
        for row in self.query(ModelRow):
            row.chosen = row.line.name == self.name_chosen
            if row.chosen:
                row.scroll_visible(animate=False)
