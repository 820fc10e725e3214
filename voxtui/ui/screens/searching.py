"""Looking for words in the transcript."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.cursor import Place, word_at
from voxtui.ui.widgets.searchline import SearchLine
from voxtui.ui.widgets.transcript import TranscriptView


class Looking(PageFrame):
    """Opens the search line and brings the page to what it finds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", id="search", tooltip="Look for words"),
    ]

    def action_search(self) -> None:
        """A line for what to look for."""
        self.query_one(SearchLine).open()

    def on_search_line_changed(self, message: SearchLine.Changed) -> None:
        self.query_one(TranscriptView).search(message.query)

    def on_search_line_stepped(self, message: SearchLine.Stepped) -> None:
        self.query_one(TranscriptView).step(message.by)

    def on_search_line_closed(self) -> None:
        """The cursor stays on what was found."""
        view = self.query_one(TranscriptView)
        match = view.match
        view.stop_search()
        if match is not None:
            word = word_at(view.page, Place(match.block, match.start))
            view.cursor = Place(match.block, word.start) if word is not None else None

    def on_searching_found(self, message: TranscriptView.Found) -> None:
        self.query_one(SearchLine).show_count(message.number, message.total, message.done)
