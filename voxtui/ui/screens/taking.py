"""Taking words away with you: copies for the clipboard."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import messages
from voxtui.ui.copying import CopyBook
from voxtui.ui.screens.frame import PageFrame


class Taking(PageFrame):
    """Copies what is new since the last copy."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c,C", "copy", "copy", id="copy", tooltip="Copy what is new since the last copy"),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.copybook = CopyBook()

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        self.copybook.change(message.change)

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.copybook.clear()

    def on_utterance_arrived(self) -> None:
        if not self.state.listening and self.preferences.shown.output.copy_after_stop:
            self.action_copy(only_new=True)

    def action_copy(self, only_new: bool = False) -> None:
        """Copy what is new, and say what became of it."""
        portion = self.copybook.portion()
        if portion is None or (only_new and portion.what.startswith("the whole")):
            if not only_new:
                self.say("Nothing to copy yet.", seconds=3.0)
            return

        def work() -> None:
            copied = self._copier(portion.text)
            sentence = f"{portion.what} {copied.where}."
            self.app.call_from_thread(self.say, sentence[0].upper() + sentence[1:])

        self.copybook.copied(portion)
        self.run_worker(work, thread=True, group="copy", exit_on_error=False)
