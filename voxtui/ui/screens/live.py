"""The live screen: the transcript, and a thin frame that says how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.events import EngineState, Severity
from voxtui.ui import messages, wording
from voxtui.ui.backend import Backend, CannotStartError
from voxtui.ui.copying import CopyBook
from voxtui.ui.health import Speed
from voxtui.ui.panels.choosing import tabs
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.preferences import Preferences
from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.screens.help import HelpScreen
from voxtui.ui.terminal.clipboard import Copied
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.meter import LevelMeter
from voxtui.ui.widgets.noteline import NoteLine
from voxtui.ui.widgets.status import MessageLine
from voxtui.ui.widgets.transcript import TranscriptView

APPLY_AFTER_S = 0.4
"""A microphone or a model is taken when the arrows have rested this long."""
SLOW_TO_APPLY = ("device", "gain_db", "model")

Copier = Callable[[str], Copied]


class LiveScreen(PageFrame):
    """Shows what arrives, and asks the backend for what the keys mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "talk", "talk", id="talk", tooltip="Talk"),
        Binding("l,L", "live", "live", id="live", tooltip="Listen until pressed again"),
        Binding("c,C", "copy", "copy", id="copy", tooltip="Copy what is new since the last copy"),
        Binding("m,M", "mark", "mark", id="mark", tooltip="Write a note or a mark here"),
        Binding("n,N", "new", "new", id="new", tooltip="Begin a new session"),
        Binding("s,S", "settings", "settings", id="settings", tooltip="Settings beside the page"),
        Binding("question_mark", "help", "help", id="help", tooltip="Keys and signs"),
        Binding("q,Q", "app.quit", "quit", id="leave", tooltip="Keep everything and leave"),
        Binding("up", "scroll('line', -1)", show=False, id="page.up", tooltip="A line up"),
        Binding("down", "scroll('line', 1)", show=False, id="page.down", tooltip="A line down"),
        Binding("pageup", "scroll('page', -1)", show=False, id="page.back", tooltip="A page up"),
        Binding("pagedown", "scroll('page', 1)", show=False, id="page.on", tooltip="A page down"),
        Binding("home", "scroll('home', 0)", show=False, id="page.home", tooltip="The first words"),
        Binding("end", "follow", show=False, id="page.end", tooltip="The newest words"),
        Binding("escape", "dismiss_note", show=False, id="page.escape", tooltip="Put a note away"),
    ]

    def __init__(
        self,
        backend: Backend,
        preferences: Preferences,
        copier: Copier,
        *,
        demo: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(backend, preferences, demo=demo, clock=clock)
        self.copybook = CopyBook()
        self._copier = copier

    # ---- what arrives

    def on_level_arrived(self, message: messages.LevelArrived) -> None:
        self.query_one(LevelMeter).hear(message.level)

    def on_progress_arrived(self, message: messages.ProgressArrived) -> None:
        self.state.stats = message.stats
        self.state.speed.take(message.stats)

    def on_transcript_arrived(self, message: messages.TranscriptArrived) -> None:
        self.copybook.change(message.change)
        self.talking.heard_words()
        self.query_one(TranscriptView).change(message.change)
        self._show_blank()

    def on_microphone_arrived(self, message: messages.MicrophoneArrived) -> None:
        self.state.capture = message.change
        self.show_state()

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
        if on and self._heard_since is None:
            self._heard_since = self._clock()
        elif not on and self._heard_since is not None:
            self._heard_s, self._heard_since = self.heard_s, None
        self.state.listening = on
        self.state.words_due = True
        self.talking.confirmed(on)
        self.show_state()

    def on_utterance_arrived(self) -> None:
        if not self.state.listening:
            self.state.words_due = False
            if self.preferences.shown.output.copy_after_stop:
                self.action_copy(only_new=True)
        self.show_state()

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.state.kept_in = message.opened.path
        self.state.stats, self.state.words_due = None, self.state.listening
        self._heard_s = 0.0
        self._heard_since = self._clock() if self.state.listening else None
        self.copybook.clear()
        self.query_one(TranscriptView).clear()
        self.show_state()

    def on_notice_arrived(self, message: messages.NoticeArrived) -> None:
        grave = message.notice.severity is not Severity.INFO
        self.say(message.notice.message, seconds=12.0 if grave else 6.0, warning=grave)

    # ---- talking

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

    # ---- the page

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

    def action_dismiss_note(self) -> None:
        """Put away what lies on the page."""
        if self.query_one(BlankPage).small_model_note:
            self.preferences.set("appearance", "dismissed_first_run", True)
            self.show_state()
        self.query_one(MessageLine).hush()

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

    def action_mark(self) -> None:
        """A line for a note."""
        self.query_one(NoteLine).open()

    def on_note_line_kept(self, message: NoteLine.Kept) -> None:
        self.backend.note(message.text or "mark")

    def action_new(self) -> None:
        """Another session; this one is kept."""
        self.talking.stop()
        self.backend.new_session()
        if self.copybook.words:
            self.say(f"A new session. The last one is in {wording.place(self.state.kept_in)}")

    # ---- settings

    async def action_settings(self) -> None:
        """Open or close the panel."""
        panel = self.query_one(SettingsPanel)
        if panel.is_open:
            panel.close()
            return
        self.add_class("-beside")
        shown = self.preferences.shown
        await panel.open(tabs(shown, *wording.known_choices(shown)))
        self.run_worker(self._look_around, thread=True, group="look", exit_on_error=False)

    def _look_around(self) -> None:
        """Which microphones and models are there (in a thread)."""
        microphones, models = self.backend.microphones(), self.backend.models()
        panel = self.query_one(SettingsPanel)

        def fill() -> None:
            panel.call_later(panel.fill, tabs(self.preferences.shown, microphones, models))

        self.app.call_from_thread(fill)

    def on_settings_panel_closed(self) -> None:
        self.remove_class("-beside")

    def on_settings_panel_changed(self, message: SettingsPanel.Changed) -> None:
        row = message.row
        problem = self.preferences.set(row.group, row.name, row.choice.value)
        if problem:
            self.say(problem, warning=True)
        if row.name == "theme":
            self.app.theme = row.choice.value
        elif row.name == "timestamps":
            self.query_one(TranscriptView).stamps = row.choice.value
        value = row.choice.value
        if row.name in SLOW_TO_APPLY:
            self.set_timer(APPLY_AFTER_S, lambda: self._apply(row.group, row.name, value))
        else:
            self._apply(row.group, row.name, value)

    def _apply(self, group: str, name: str, value: object) -> None:
        if getattr(getattr(self.preferences.shown, group), name) != value:
            return  # the arrows went on
        try:
            self.preferences.apply(name, self.backend)
        except CannotStartError as error:
            self.say(str(error), seconds=12.0, warning=True)
        self.show_state()

    # ---- help

    def action_help(self) -> None:
        """Keys and signs."""
        mine = [a.binding for a in self.active_bindings.values() if a.node is self]
        keys = {b.id: (self._key(b), b.tooltip) for b in reversed(mine) if b.tooltip}
        talk = wording.TALK_HOLD if self.talking.hold_possible else wording.TALK_TAP
        kept = Path(self.state.kept_in) if self.state.kept_in else None
        self.app.push_screen(
            HelpScreen([*reversed(keys.values()), *wording.MORE_KEYS], talk, wording.places(kept))
        )
