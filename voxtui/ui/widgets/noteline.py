"""A line to type a note or a mark while talking."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, Label, Static

from voxtui.ui.widgets.fieldline import FieldLine


class NoteLine(FieldLine):
    """`▸ mark: …`. Enter keeps it, Esc does not. Hidden until opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False, id="note.cancel", tooltip="No mark"),
    ]
    DEFAULT_CSS = """
    NoteLine {
        padding: 0 3;
        & > Static { width: auto; color: $muted; }
    }
    """

    class Kept(Message):
        """A note was written; "" is a plain mark."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(FieldLine.Closed):
        """The line went away."""

    def compose(self) -> ComposeResult:
        """The mark and the field."""
        yield Label("▸ mark")
        field = Input(placeholder="what to remember here")
        field.cursor_blink = False  # the page stays still
        yield field
        yield Static(self.keys(("Enter", "keep"), ("Esc", "cancel")))

    def open(self) -> None:
        """Show an empty line and type into it."""
        self.show_field().value = ""

    def action_cancel(self) -> None:
        """Forget what was typed."""
        self.close()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        """Keep what was typed; nothing is a plain mark."""
        self.post_message(self.Kept(self.query_one(Input).value.strip()))
        self.close()
