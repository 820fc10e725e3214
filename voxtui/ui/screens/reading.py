"""Moving through the transcript."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import messages
from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.transcript import TranscriptView


class Reading(PageFrame):
    """Shows the words and scrolls them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll('line', -1)", show=False, id="page.up", tooltip="A line up"),
        Binding("down", "scroll('line', 1)", show=False, id="page.down", tooltip="A line down"),
        Binding("pageup", "scroll('page', -1)", show=False, id="page.back", tooltip="A page up"),
        Binding("pagedown", "scroll('page', 1)", show=False, id="page.on", tooltip="A page down"),
        Binding("home", "scroll('home', 0)", show=False, id="page.home", tooltip="The first words"),
        Binding("end", "follow", show=False, id="page.end", tooltip="The newest words"),
    ]

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        self.query_one(TranscriptView).change(message.change)
        self._show_blank()

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.query_one(TranscriptView).clear()
        self._show_blank()

    def action_scroll(self, by: str, direction: int) -> None:
        """Move through the transcript, or the note that is in its place."""
        blank = self.query_one(BlankPage)
        view = blank if blank.display else self.query_one(TranscriptView)
        if by == "home":
            view.scroll_home(animate=False)
        else:
            rows = max(1, view.size.height - 2) if by == "page" else 1
            view.scroll_relative(y=direction * rows, animate=False)

    def action_follow(self) -> None:
        """Back to the newest words."""
        self.query_one(TranscriptView).return_to_end()
