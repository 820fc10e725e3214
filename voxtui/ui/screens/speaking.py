"""Talking: the key, the button, hands-free."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import messages
from voxtui.ui.screens.frame import PageFrame


class Speaking(PageFrame):
    """From keys and the button to the talk gesture."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "talk", "talk", id="talk", tooltip="Talk"),
        Binding("l,L", "live", "live", id="live", tooltip="Listen until pressed again"),
    ]

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        self.talking.heard_words()

    def on_talk_button_pressed(self) -> None:
        self.talking.press()

    def on_talk_button_released(self) -> None:
        self.talking.release()

    def action_talk(self) -> None:
        """Space, where it comes as a mere key and not as a `TalkKey`."""
        if not self.talking.told_by_terminal and not self.ended:
            self.talking.tap()

    def action_live(self) -> None:
        """Hands-free on or off."""
        if not self.ended:
            self.talking.toggle_live()
