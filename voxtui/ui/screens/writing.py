"""Writing into the transcript: notes and marks."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.noteline import NoteLine


class Writing(PageFrame):
    """Notes typed while talking."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m,M", "mark", "mark", id="mark", tooltip="Write a note or a mark here"),
    ]

    def action_mark(self) -> None:
        """A line for a note."""
        self.query_one(NoteLine).open()

    def on_note_line_kept(self, message: NoteLine.Kept) -> None:
        self.backend.note(message.text or "mark")
