"""A line to type a folder or a file into, completed from the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Label

from voxtui.ui.widgets.fieldline import FieldLine


class PathSuggester(Suggester):
    """The first folder, or file of the wanted kind, that goes on as typed."""

    def __init__(self, suffix: str) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffix = suffix

    async def get_suggestion(self, value: str) -> str | None:
        """The whole path, written the way it was begun."""
        head, slash, tail = value.rpartition("/")
        folder = Path(os.path.expanduser(head + slash) if slash else ".")
        try:
            names = sorted(
                entry.name + "/" * entry.is_dir()
                for entry in os.scandir(folder)
                if (entry.is_dir() or entry.name.endswith(self._suffix))
                and entry.name.startswith(tail)
                and (tail or not entry.name.startswith("."))
            )
        except OSError:
            return None
        return head + slash + names[0] if tail and names else None


class PathLine(FieldLine):
    """`folder or file: …`. Tab completes, Enter takes it, Esc does not. Hidden until opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "back", show=False, id="path.cancel", tooltip="No folder"),
        Binding("tab", "complete", "complete", show=False, id="path.complete", tooltip="Complete"),
    ]

    class Given(Message):
        """A path was given."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class Closed(FieldLine.Closed):
        """The line went away."""

    def compose(self) -> ComposeResult:
        """What it is for, and the field."""
        yield Label("folder or file:")
        field = Input(
            placeholder="~/voxtral, or a .gguf file; Tab completes",
            suggester=PathSuggester(".gguf"),
        )
        field.cursor_blink = False  # the page stays still
        yield field

    def open(self) -> None:
        """Show it and type into it; what was typed before is still there."""
        self.show_field()

    def action_cancel(self) -> None:
        """Not this way."""
        self.close()

    def action_complete(self) -> None:
        """Take what is suggested."""
        field = self.query_one(Input)
        field.action_end()
        field.action_cursor_right()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.give()

    def give(self) -> None:
        """Take what was typed."""
        path = self.query_one(Input).value.strip()
        if path:
            self.post_message(self.Given(path))
