"""A line to type a note or a mark while talking."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class NoteLine(Horizontal):
    """`▸ mark: …`. Enter keeps it, Esc does not. Hidden until opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False, id="note.cancel", tooltip="No mark"),
    ]
    DEFAULT_CSS = """
    NoteLine {
        height: 1;
        padding: 0 3;
        display: none;
        &.-open { display: block; }
        & > Label { color: $accent; width: auto; }
        & > Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $background; }
        & > Input:focus { border: none; background: $background; }
    }
    """

    class Kept(Message):
        """A note was written; "" is a plain mark."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The line went away."""

    def compose(self) -> ComposeResult:
        """The mark and the field."""
        yield Label("▸ mark")
        field = Input(placeholder="what to remember here; Enter keeps it, Esc does not")
        field.cursor_blink = False  # the page stays still
        yield field

    @property
    def is_open(self) -> bool:
        """Is it shown?"""
        return self.has_class("-open")

    def open(self) -> None:
        """Show an empty line and type into it."""
        self.add_class("-open")
        field = self.query_one(Input)
        field.value = ""
        self.screen.set_focus(field)  # at once: the next key is for it

    def close(self) -> None:
        """Away with it."""
        if self.is_open:
            self.remove_class("-open")
            self.query_one(Input).blur()
            self.post_message(self.Closed())

    def action_cancel(self) -> None:
        """Forget what was typed."""
        self.close()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Kept(event.value.strip()))
        self.close()
