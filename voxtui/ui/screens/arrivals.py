"""What arrives from the chain of sound and words, brought into the state of the page.

Every room of the live screen may handle the same messages: Textual calls each class's handler.
"""

from __future__ import annotations

from dataclasses import replace

from voxtui.events import EngineState, Level, Severity
from voxtui.ui import messages
from voxtui.ui.health import Speed
from voxtui.ui.screens.frame import PageFrame


class Arrivals(PageFrame):
    """Level, progress, microphone, engine, listening, notices."""

    def hear(self, level: Level) -> None:
        """How loud it is now."""
        self.meter.hear(level)

    def on_progress_arrived(self, message: messages.ProgressArrived) -> None:
        before, self.state.stats = self.state.stats, message.stats
        if before is None or before.audio_done_s != message.stats.audio_done_s:
            self._moved_at = self._clock()
        self.state.speed.take(message.stats)

    def on_microphone_arrived(self, message: messages.MicrophoneArrived) -> None:
        self.state.capture = message.change
        self._count_heard()
        self.show_state()

    def _count_heard(self) -> None:
        """The seconds go on while sound comes in."""
        if self.state.hearing and self._heard_since is None:
            self._heard_since = self._clock()
        elif not self.state.hearing and self._heard_since is not None:
            self._heard_s, self._heard_since = self.heard_s, None

    def on_engine_arrived(self, message: messages.EngineArrived) -> None:
        if message.change.state is EngineState.READY:
            self.state.engine = message.change
            self.state.speed = Speed()
        else:  # the names stay while it is away
            self.state.engine = replace(
                self.state.engine, state=message.change.state, detail=message.change.detail
            )
        self.show_state()

    def on_listening_arrived(self, message: messages.ListeningArrived) -> None:
        on = message.listening
        if not self.state.words_due:
            self._moved_at = self._clock()
        self.state.listening, self.state.paused = on, message.paused
        self._count_heard()
        self.state.error = "" if on else self.state.error
        self.state.words_due = True
        self.talking.confirmed(on)
        self.show_state()

    def on_utterance_arrived(self) -> None:
        if not self.state.listening or self.state.paused:
            self.state.words_due = False
        self.show_state()

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.state.kept_in, self.state.error = message.opened.path, ""
        self.state.stats, self.state.words_due = None, self.state.listening
        self._heard_s = 0.0
        self._heard_since = None
        self._count_heard()
        self.show_state()

    def on_notice_arrived(self, message: messages.NoticeArrived) -> None:
        if message.notice.severity is Severity.ERROR:
            self.state.error = message.notice.message
            self.show_state()
            return
        grave = message.notice.severity is not Severity.INFO
        self.say(message.notice.message, seconds=12.0 if grave else 6.0, warning=grave)
