"""A line to look for words: what, how many, and the way through them."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from voxtui.ui.widgets.fieldline import FieldLine


class SearchLine(FieldLine):
    """`/ words   3 of 12  ↑ ↓  Esc`. Enter goes up too. Hidden until opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False, id="search.earlier", tooltip="Match above"),
        Binding("shift+enter,down", "step(1)", show=False, id="search.later", tooltip="Below"),
        Binding("escape", "close", show=False, id="search.close", tooltip="End the search"),
        Binding("pageup", "screen.scroll('page', -1)", show=False, id="search.back"),
        Binding("pagedown", "screen.scroll('page', 1)", show=False, id="search.on"),
    ]
    DEFAULT_CSS = """
    SearchLine {
        padding: 0 3;
        & > Label { text-style: bold; }
        & > #search-count { width: auto; color: $muted; }
    }
    """

    class Changed(Message):
        """Something else is looked for."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class Stepped(Message):
        """The match before (-1) or after (1) is wanted."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Closed(FieldLine.Closed):
        """The search is over."""

    def compose(self) -> ComposeResult:
        """The sign, the field, the count with the ways on."""
        yield Label("/")
        field = Input(placeholder="words to look for")
        field.cursor_blink = False
        yield field
        yield Static(id="search-count")

    def open(self) -> None:
        """Show the line, with what was looked for last, and type into it."""
        field = self.show_field()
        field.select_all()
        self.show_count(0, 0, True)
        self.post_message(self.Changed(field.value))

    def show_count(self, number: int, total: int, done: bool) -> None:
        """Which match is shown, of how many."""
        asked = bool(self.query_one(Input).value.strip())
        count = f"{number:,} of {total:,}" if number else f"{total:,}" if total else "none"
        more = "" if done else " …"
        keys = (("↑", "step(-1)"), ("↓", "step(1)"), ("Esc", "close"))
        told = f"{count}{more}   " if asked else " "
        self.query_one("#search-count", Static).update(Content.assemble(told, self.keys(*keys)))

    def action_step(self, by: int) -> None:
        """Through the matches."""
        self.post_message(self.Stepped(by))

    def action_close(self) -> None:
        """Away with it."""
        self.close()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_step(-1)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self.post_message(self.Changed(event.value))
