"""Writing into the transcript: notes and marks."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.noteline import NoteLine


class Writing(PageFrame):
    """Notes typed while talking."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m,M", "mark", "mark", id="mark", tooltip="Write a note or a mark here"),
    ]

    _begun: tuple[float | None, float] = (None, 0.0)  # when the note was begun: sound, clock

    def action_mark(self) -> None:
        """A line for a note; its time is now, however long the typing takes."""
        at_s = self.state.stats.audio_in_s if self.state.stats and self.state.listening else None
        self._begun = (at_s, time.time())
        self.query_one(NoteLine).open()

    def on_note_line_kept(self, message: NoteLine.Kept) -> None:
        self.backend.note(message.text or "mark", *self._begun)
