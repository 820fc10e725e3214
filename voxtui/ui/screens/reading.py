"""Moving through the transcript, with and without a cursor."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import messages
from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.transcript import TranscriptView


def _key(keys: str, action: str, name: str, tooltip: str, description: str = "") -> Binding:
    return Binding(keys, action, description, show=False, id=f"page.{name}", tooltip=tooltip)


class Reading(PageFrame):
    """Shows the words, scrolls them, and moves a cursor from word to word."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("up", "scroll('line', -1)", "up", "A line up"),
        _key("down", "scroll('line', 1)", "down", "A line down"),
        _key("pageup", "scroll('page', -1)", "back", "A page up"),
        _key("pagedown", "scroll('page', 1)", "on", "A page down"),
        _key("home", "scroll('end', -1)", "home", "The first words"),
        _key("end", "follow", "end", "The newest words", "newest words"),
        _key("left", "cursor('word', -1)", "left", "A cursor; the word before"),
        _key("right", "cursor('word', 1)", "right", "The next word"),
        _key("ctrl+up,{", "cursor('paragraph', -1)", "paragraph_up", "The paragraph above"),
        _key("ctrl+down,}", "cursor('paragraph', 1)", "paragraph_down", "The paragraph below"),
        _key("shift+left", "select('word', -1)", "select_left", "Select words; Shift ↑ ↓ lines"),
        _key("shift+right", "select('word', 1)", "select_right", ""),
        _key("shift+up", "select('line', -1)", "select_up", ""),
        _key("shift+down", "select('line', 1)", "select_down", ""),
        _key("shift+pageup", "select('page', -1)", "select_back", ""),
        _key("shift+pagedown", "select('page', 1)", "select_on", ""),
        _key("shift+home", "select('end', -1)", "select_home", ""),
        _key("shift+end", "select('end', 1)", "select_end", ""),
        _key("ctrl+shift+up", "select('paragraph', -1)", "select_paragraph_up", ""),
        _key("ctrl+shift+down", "select('paragraph', 1)", "select_paragraph_down", ""),
        _key("v,V", "selecting", "select", "Select with plain arrows, or no more", "select"),
        _key("ctrl+a", "select_all", "select_all", "Select everything", "select everything"),
        _key("t,T", "times", "times", "Show or hide the times", "times"),
        _key("d,D", "doubts", "doubts", "Mark words that may be misheard", "doubtful words"),
    ]

    # ---- what arrives

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        self.query_one(TranscriptView).change(message.change)
        self._show_blank()

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.query_one(TranscriptView).clear()
        self._show_blank()

    def on_transcript_view_cursor_moved(self) -> None:
        self._show_keys()

    # ---- moving

    def action_scroll(self, by: str, direction: int) -> None:
        """Move the cursor; without one the transcript, or the note that is in its place."""
        blank, view = self.query_one(BlankPage), self.query_one(TranscriptView)
        if not blank.display and view.cursor is not None:
            view.move_cursor(by, direction)
            return
        moved = blank if blank.display else view
        if by == "end":
            moved.scroll_home(animate=False)
        else:
            rows = max(1, moved.size.height - 2) if by == "page" else 1
            moved.scroll_relative(y=direction * rows, animate=False)

    def action_cursor(self, by: str, direction: int) -> None:
        """The cursor by words and paragraphs; where there is none it comes."""
        self.query_one(TranscriptView).move_cursor(by, direction)

    def action_select(self, by: str, direction: int) -> None:
        """Move the cursor and select what it passes."""
        self.query_one(TranscriptView).move_cursor(by, direction, select=True)

    def action_selecting(self) -> None:
        """Select from here with plain arrows, or no more."""
        self.query_one(TranscriptView).toggle_selecting()

    def action_select_all(self) -> None:
        """Everything."""
        self.query_one(TranscriptView).select_all()

    def action_follow(self) -> None:
        """Back to the newest words."""
        view = self.query_one(TranscriptView)
        view.leave_cursor()
        view.return_to_end()

    # ---- what shows

    def action_times(self) -> None:
        """The times beside the paragraphs, or not."""
        shown = not self.preferences.shown.appearance.timestamps
        self._change("timestamps", shown, "Times are shown." if shown else "Times are hidden.")

    def action_doubts(self) -> None:
        """Words that may be misheard are marked, or not."""
        shown = not self.preferences.shown.appearance.doubts
        told = "Words that may be misheard are underlined." if shown else "No word is marked."
        self._change("doubts", shown, told)

    def _change(self, name: str, value: bool, told: str) -> None:
        problem = self.preferences.set("appearance", name, value)
        self.take_settings()
        self.say(problem or told, seconds=3.0, warning=bool(problem))
