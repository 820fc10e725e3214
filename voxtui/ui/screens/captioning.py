"""Captions on the whole screen, for reading along: no frame, few and large words."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from voxtui.events import Level, TranscriptChanged
from voxtui.ui import messages
from voxtui.ui.captions import Hearing, sentence
from voxtui.ui.health import trouble
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.screens.arrivals import Arrivals
from voxtui.ui.screens.editing import Editing
from voxtui.ui.screens.reading import Reading
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.captionline import CaptionLine, Way
from voxtui.ui.widgets.captions import CaptionsView
from voxtui.ui.widgets.status import MessageLine
from voxtui.ui.widgets.transcript import TranscriptView

CLASS = "-captions"
NOT_HERE = {"edit", "other_words", "remove", "undo", "redo", "cursor", "select", "selecting"}
NOT_HERE |= {"select_all", "search", "times", "doubts", "settings"}
"""What is done with words, not while they are read."""


class Captioning(Reading, Editing, Arrivals):
    """The page becomes captions and the page again; all that is heard goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f,F", "captions", "captions", id="captions",
                tooltip="Captions: large words on the whole screen"),
        Binding("plus,equals_sign", "letters(True)", id="captions.larger", show=False,
                tooltip="Large letters"),
        Binding("minus", "letters(False)", id="captions.smaller", show=False,
                tooltip="The terminal's own letters"),
    ]  # fmt: skip

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.hearing = Hearing()

    @property
    def captioned(self) -> bool:
        """Are captions shown?"""
        return self.has_class(CLASS)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that are for the other view do nothing."""
        if action == "letters":
            return self.captioned and not self._plain_glyphs
        return not (self.captioned and action in NOT_HERE)

    # ---- what arrives

    def hear(self, level: Level) -> None:
        """How loud it is now."""
        super().hear(level)
        self.hearing.hear(level, self._clock())
        if self.captioned:
            line = self.query_one(CaptionLine)
            if any(line.bar):  # else something is in the way, and told
                line.bar = self.hearing.bar

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        if self.captioned:
            self.query_one(CaptionsView).change(message.change)

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.query_one(CaptionsView).clear()

    # ---- showing

    def take_settings(self) -> None:
        super().take_settings()
        chosen = self.preferences.shown
        self.hearing.voice_dbfs = chosen.audio.voice_dbfs
        large = chosen.appearance.large_captions and not self._plain_glyphs
        self.query_one(CaptionsView).large_wanted = large

    def _show_blank(self) -> None:
        super()._show_blank()
        view = self.query_one(CaptionsView)
        view.display = self.captioned and not self.query_one(BlankPage).display
        if self.captioned:
            self.query_one(TranscriptView).display = False

    def show_state(self) -> None:
        super().show_state()
        if self.is_mounted and self.captioned:
            self._show_sentence()

    def say(self, text: str, *, seconds: float = 5.0, warning: bool = False) -> None:
        super().say(text, seconds=seconds, warning=warning)
        if self.captioned:
            self._show_sentence()
            self.set_timer(seconds + 0.05, self._show_sentence)

    def hush(self) -> None:
        super().hush()
        self._show_sentence()

    def _show_sentence(self) -> None:
        line, told = self.query_one(CaptionLine), self.query_one(MessageLine)
        line.warning = told.warns
        line.sentence = told.text or sentence(
            self.state, self.hearing.sound(self._clock()), self.key_for("live")
        )
        heard = self.state.hearing and trouble(self.state) is None
        line.bar = self.hearing.bar if heard else ("", "")
        line.ways = self._ways()

    def _ways(self) -> tuple[Way, ...]:
        view = self.query_one(CaptionsView)
        large = view.large_wanted
        live = "stop" if self.state.listening else "listen"
        ways = [] if self.ended else [(self.key_for("live"), live, "screen.live")]
        if not self._plain_glyphs:
            key = self.key_for("captions.smaller" if large else "captions.larger")
            size = "smaller" if large else "larger"
            ways.append((key, size, f"screen.letters({not large})"))
        ways.append((self.key_for("captions"), "back", "screen.captions"))
        return tuple(way for way in ways if way[0])

    def begin_captions(self) -> None:
        """Captions from the start: shown, and somebody is heard."""
        self.action_captions()
        if not self.state.listening and not self.backend.hears_file:
            self.talking.toggle_live()

    # ---- what the keys do

    def action_captions(self) -> None:
        """From the page to captions, and back."""
        on = not self.captioned
        self.set_class(on, CLASS)
        view, page = self.query_one(CaptionsView), self.query_one(TranscriptView)
        view.clear()
        if on:
            page.leave_cursor()
            self.query_one(SettingsPanel).close()
            view.change(TranscriptChanged(tuple(self.copybook.settled), self.copybook.tail))
        self.show_state()
        self.refresh_bindings()
        self.call_after_refresh(self._show_keys)

    async def action_edit(self) -> None:
        """Not while the words are only read."""
        if not self.captioned:
            await super().action_edit()

    def action_letters(self, large: bool) -> None:
        """Large letters, or the terminal's own."""
        problem = self.preferences.set("appearance", "large_captions", large)
        self.take_settings()
        view = self.query_one(CaptionsView)
        if problem:
            self.say(problem, warning=True)
        elif large and not view.is_large:
            self.say("There is no room for larger letters: make the window larger.")
        else:
            self._show_sentence()

    def action_scroll(self, by: str, direction: int) -> None:
        """By whole rows of words."""
        view = self.query_one(CaptionsView)
        if not view.display:
            super().action_scroll(by, direction)
        elif by == "end":
            view.scroll_home(animate=False)
        else:
            rows = max(1, view.size.height // view.row_lines - 1) if by == "page" else 1
            view.scroll_relative(y=direction * rows * view.row_lines, animate=False)

    def action_follow(self) -> None:
        """Back to the newest words."""
        super().action_follow()
        self.query_one(CaptionsView).return_to_end()
