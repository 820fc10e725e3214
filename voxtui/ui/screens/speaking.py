"""Talking: the key, the button, hands-free."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import messages
from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.meter import LevelMeter
from voxtui.ui.widgets.status import StatusStrip

BELL_GAP_S = 0.25


class Speaking(PageFrame):
    """From keys and the button to the talk gesture."""

    _rung_for = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "talk", "talk", id="talk", tooltip="Talk"),
        Binding("l,L", "live", "live", id="live", tooltip="Listen until pressed again"),
        Binding("enter", "latch", show=False, id="latch", tooltip="Edit; while holding: stay on"),
    ]

    def on_mount(self) -> None:
        self.take_keys()
        self.query_one(LevelMeter).tooltip = "How loud you are; the mark is where a voice begins"
        self.query_one(StatusStrip).tooltip = "Are you heard, and how far are the words behind?"

    def on_listening_arrived(self, message: messages.ListeningArrived) -> None:
        if self.preferences.shown.talk.bell and message.listening != self._rung_for:
            self.app.bell()
            if not message.listening:
                self.set_timer(BELL_GAP_S, self.app.bell)
        self._rung_for = message.listening

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        self.talking.heard_words()

    def on_talk_button_pressed(self) -> None:
        self.talking.press(mouse=True)

    def on_talk_button_slid(self) -> None:
        self.talking.latch()

    def on_talk_button_released(self) -> None:
        self.talking.release()

    def action_talk(self) -> None:
        """Space, where it comes as a mere key and not as a `TalkKey`."""
        if not self.talking.told_by_terminal and not self.ended:
            self.talking.tap()

    async def action_latch(self) -> None:
        """What is held stays on."""
        self.talking.latch()

    def action_live(self) -> None:
        """Hands-free on or off."""
        if not self.ended:
            self.talking.toggle_live()
