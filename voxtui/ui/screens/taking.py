"""Taking words away with you: copies for the clipboard."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import messages
from voxtui.ui.copying import CopyBook, Portion
from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.transcript import TranscriptView
from voxtui.ui.words import count


class Taking(PageFrame):
    """Copies the selection, what is new, what was said last, or all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c,C", "copy", "copy", id="copy", tooltip="Copy the selection, or what is new"),
        Binding("y,Y", "copy_last", "copy the last words", id="copy_last", show=False,
                tooltip="Copy what was said last, in one go"),
        Binding("a,A", "copy_all", "copy all", id="copy_all", show=False,
                tooltip="Copy the whole session"),
    ]  # fmt: skip

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.copybook = CopyBook()
        self._one_at_a_time = threading.Lock()

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        self.copybook.change(message.change)

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.copybook.clear()

    def on_utterance_arrived(self) -> None:
        if not self.state.listening and self.preferences.shown.output.copy_after_stop:
            portion = self.copybook.portion()
            if portion is not None and not portion.what.startswith("the whole"):
                self._take(lambda: portion)

    def get_selected_text(self) -> str | None:
        """What is selected on the page, by keys or by mouse."""
        return self.query_one(TranscriptView).selected_text() or super().get_selected_text()

    def action_copy(self) -> None:
        """Copy what is selected, else what is new."""
        selected = self.query_one(TranscriptView).selected_text()
        if selected:
            words = count(len(selected.split()), "word")
            self._take(lambda: Portion(selected, f"the selection, {words},", -1.0))
        else:
            self._take(self.copybook.portion)

    def action_copy_last(self) -> None:
        """Copy what was said last."""
        self._take(self.copybook.last)

    def action_copy_all(self) -> None:
        """Copy the whole session."""
        self._take(self.copybook.whole)

    def _take(self, find: Callable[[], Portion | None]) -> None:
        """Copy a portion and say what became of it; a long one takes a moment."""

        def work() -> None:
            with self._one_at_a_time:
                portion = find()
                if portion is not None:
                    self.copybook.copied(portion)
            if portion is None:
                self.app.call_from_thread(self.say, "Nothing to copy yet.", seconds=3.0)
                return
            copied = self._copier(portion.text)
            sentence = f"{portion.what} {copied.where}."
            self.app.call_from_thread(self.say, sentence[0].upper() + sentence[1:])

        self.run_worker(work, thread=True, group="copy", exit_on_error=False)
