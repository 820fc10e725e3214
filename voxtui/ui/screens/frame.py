"""How the state shows: the page, and the thin frame around it."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, TextArea

from voxtui.events import CaptureState
from voxtui.ui import wording
from voxtui.ui.backend import Backend
from voxtui.ui.health import LiveState, health, trouble
from voxtui.ui.keys import (
    Deed,
    bindings_of,
    deeds,
    first_of_each,
    keys_of,
    shown,
    talk_key,
    types,
)
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.preferences import Preferences
from voxtui.ui.talking import Talking
from voxtui.ui.terminal.clipboard import Copied
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.captionline import CaptionLine
from voxtui.ui.widgets.captions import CaptionsView
from voxtui.ui.widgets.fetchline import FetchLine
from voxtui.ui.widgets.keybar import KeyBar, KeyItem
from voxtui.ui.widgets.meter import LevelMeter
from voxtui.ui.widgets.noteline import NoteLine
from voxtui.ui.widgets.searchline import SearchLine
from voxtui.ui.widgets.status import MessageLine, StatusStrip
from voxtui.ui.widgets.talk import TalkButton, TalkMode
from voxtui.ui.widgets.topline import TopLine
from voxtui.ui.widgets.transcript import TranscriptView
from voxtui.ui.words import model_name, precision_name

TICK_S = 0.5

Copier = Callable[[str], Copied]
"""Brings text to the clipboard; may take a moment."""


class PageFrame(Screen[None]):
    """Lays the page out and brings it up to date with `state`; knows no events."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-narrow"),
        (66, "-medium"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-low"), (24, "-usual"), (30, "-tall")]  # noqa: RUF012
    SCOPED_CSS = False  # a screen's rules are scoped to its own name, not to its base's
    CSS = """
    PageFrame {
        background: $background;
        & > #middle { height: 1fr; margin-top: 1; }
        & #sheet { width: 1fr; height: 1fr; layers: base over; }
        & > #strip { height: 1; padding: 0 3; margin-top: 1; }
        & #strip LevelMeter { width: 44; margin-right: 3; }
        & > #foot { height: 1; padding: 0 3; margin: 1 0; }
        & #foot TalkButton { margin-right: 3; }
        &.-medium SettingsPanel { width: 38; }
        &.-narrow SettingsPanel { width: 1fr; }
        &.-short SettingsPanel { padding: 0; }
        &.-narrow TopLine, &.-narrow MessageLine, &.-narrow NoteLine, &.-narrow FetchLine {
            padding: 0 1;
        }
        &.-narrow SearchLine, &.-narrow CaptionLine { padding: 0 1; }
        &.-narrow BlankPage Static { padding: 0 1; }
        &.-short BlankPage #blank-note { margin-top: 1; }
        &.-medium #strip LevelMeter { width: 32; }
        &.-narrow #strip LevelMeter { width: 36%; max-width: 22; margin-right: 2; }
        &.-narrow #strip, &.-narrow #foot { padding: 0 1; }
        &.-narrow #foot TalkButton { margin-right: 2; }
        &.-narrow.-beside #sheet { display: none; }
        &.-tall TopLine { margin-top: 1; }
        &.-tall #strip, &.-tall #strip LevelMeter { height: 2; }
        &.-short #middle { margin-top: 0; }
        &.-short #strip { margin-top: 0; }
        &.-short #foot { margin: 0; }
        &.-short #foot TalkButton.-live { background: $pill; color: $accent; }
        &.-low #strip { margin-top: 0; }
        &.-low MessageLine.-stands { margin: 1 0; }
        &.-short MessageLine.-stands { margin: 0; }
        &.-low #foot { margin: 1 0 0 0; }
        &.-captions {
            & > TopLine, & > FetchLine, & > MessageLine, & > #strip, & > #foot { display: none; }
            & > #middle { margin-top: 0; }
            & > CaptionLine { display: block; }
        }
    }
    """

    def __init__(
        self,
        backend: Backend,
        preferences: Preferences,
        copier: Copier,
        *,
        demo: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.backend = backend
        self.preferences = preferences
        self._copier = copier
        self.state = LiveState(hears_file=backend.hears_file)
        self.talking = Talking(
            backend.listen, self.show_state, self._hint, self.set_timer, clock, backend.hands_free
        )
        self._demo = demo
        self._deeds: list[Deed] = []
        self._plain_glyphs = preferences.plain_signs
        self._clock = clock
        self.meter = LevelMeter(clock=clock)
        self._heard_s = 0.0
        self._heard_since: float | None = None
        self._moved_at = clock()

    def compose(self) -> ComposeResult:
        """The page."""
        yield TopLine()
        with Horizontal(id="middle"):
            with Vertical(id="sheet"):
                yield BlankPage()
                yield TranscriptView()
                yield CaptionsView()
            yield SettingsPanel()
        yield NoteLine()
        yield FetchLine()
        yield SearchLine()
        yield MessageLine()
        with Horizontal(id="strip"):
            yield self.meter
            yield StatusStrip()
        with Horizontal(id="foot"):
            yield TalkButton()
            yield KeyBar()
        yield CaptionLine()

    def on_mount(self) -> None:
        """Ready to show."""
        self.take_settings()
        self.set_interval(TICK_S, self.show_state)
        self.show_state()

    def on_resize(self) -> None:
        """Another size."""
        self.call_after_refresh(self._show_keys)

    def take_settings(self) -> None:
        """What the settings say about the page itself."""
        chosen = self.preferences.shown
        self.talking.limit(chosen.talk.longest_hold_s, chosen.talk.idle_stop_min * 60)
        self.meter.voice_dbfs = chosen.audio.voice_dbfs
        if self._plain_glyphs != self.preferences.plain_signs:
            self._plain_glyphs = self.preferences.plain_signs
            self.app.refresh_css(animate=False)  # every line anew
        view = self.query_one(TranscriptView)
        view.stamps = chosen.appearance.timestamps
        view.doubts = chosen.appearance.doubts
        view.doubt_below = chosen.appearance.doubt_below

    def take_keys(self) -> None:
        """The keys that were chosen."""
        chosen = self.preferences.shown.keys
        self.app.set_keymap({action: key for action, key in chosen.items() if key})
        self.talking.key = shown(talk_key(chosen))
        self.call_after_refresh(self._show_keys)
        self.show_state()

    def on_descendant_focus(self) -> None:
        self._show_talk()

    def on_descendant_blur(self) -> None:
        self._show_talk()

    @property
    def ended(self) -> bool:
        """Was it a recording, and is it over?"""
        return self.backend.hears_file and self.state.capture.state is CaptureState.FINISHED

    def show_state(self) -> None:
        """Bring header, strip, message and button up to date."""
        if not self.is_mounted:
            return
        state = self.state
        state.settings_key = self.key_for("settings")
        state.still_s = self._clock() - self._moved_at
        top = self.query_one(TopLine)
        top.source = self.backend.source_name or state.capture.source
        top.model = model_name(state.engine.model)
        top.precision = "" if top.model == "small model" else precision_name(state.engine.precision)
        top.delay_ms = state.engine.delay_ms
        top.listening = state.hearing
        top.elapsed_s = int(self.heard_s)
        top.rung = self.talking.rung.value if state.listening and not state.hears_file else ""
        self.query_one(StatusStrip).health = health(state)
        self.query_one(MessageLine).trouble = trouble(state)
        self.meter.live = state.listening and not state.paused
        self._show_talk()
        self._show_blank()

    def _show_talk(self) -> None:
        button = self.query_one(TalkButton)
        in_field = isinstance(self.focused, Input | TextArea)
        typed = in_field and types(talk_key(self.preferences.shown.keys))
        button.key = "" if typed else self.talking.key
        button.mode = self.talking.mode
        button.live = self.state.listening
        held = button.mode in (TalkMode.LET_GO, TalkMode.SLIDE)
        button.brief = self.size.width < (100 if held else 66)
        button.display = not self.ended

    def _show_blank(self) -> None:
        transcript, blank = self.query_one(TranscriptView), self.query_one(BlankPage)
        empty = transcript.page.empty
        transcript.display, blank.display = not empty, empty
        transcript.show_caret = self.state.listening
        if not empty:
            return
        blank.mode = self.talking.mode
        blank.key, blank.live_key = self.talking.key, self.key_for("live")
        blank.listening = self.state.listening
        blank.waiting = self.state.listening and not self.state.hearing
        blank.source = self.backend.source_name
        wanted = self.backend.small_model and not self._demo
        fetching = self.query_one(FetchLine).progress is not None
        blank.small_model_note = wording.small_model_note(fetching) if wanted else ""

    def _show_keys(self) -> None:
        if isinstance(self.focused, Input | TextArea):
            return  # what a field takes for itself comes back with the page
        by_id = first_of_each(self.active_bindings.values())
        items = []
        view = self.query_one(TranscriptView)
        on_words = view.cursor is not None or view.selected is not None
        for id_, words, brief in wording.FOOT_ON_WORDS if on_words else wording.FOOT:
            binding = by_id.get(id_)
            if binding is not None:
                action = binding.action if "." in binding.action else f"screen.{binding.action}"
                items.append(KeyItem(self._key(binding), words, brief, action, binding.tooltip))
        self.query_one(KeyBar).items = tuple(items)

    def _key(self, binding: Binding) -> str:
        return shown(binding.key)

    def key_for(self, action: str) -> str:
        """The key of an action, as people call it; "" when there is none."""
        chosen = self.preferences.shown.keys
        keys = [key for deed in self.deeds() if deed.id == action for key in keys_of(deed, chosen)]
        return shown(keys[0]) if keys else ""

    def deeds(self) -> list[Deed]:
        """All that the page's keys can do, in the order of the help."""
        if not self._deeds:
            self._deeds = deeds(bindings_of(type(self), PageFrame))
        return self._deeds

    @property
    def heard_s(self) -> float:
        """Seconds that were listened to in this session."""
        since = self._heard_since
        counted = self._heard_s + (self._clock() - since if since is not None else 0.0)
        return max(counted, self.state.stats.audio_in_s if self.state.stats is not None else 0.0)

    def say(self, text: str, *, seconds: float = 5.0, warning: bool = False) -> None:
        """A sentence in passing."""
        self.query_one(MessageLine).say(text, seconds=seconds, warning=warning)

    def hush(self) -> None:
        """The sentence in passing has been read."""
        self.query_one(MessageLine).hush()

    def _hint(self, text: str) -> None:
        self.say(text, seconds=12.0)
