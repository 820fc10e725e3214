"""The terminal application: joins screens and backend."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widgets import Input, TextArea

from voxtui import paths
from voxtui.memory import set_aside
from voxtui.ui import palette
from voxtui.ui.backend import Backend
from voxtui.ui.glyphs import PlainGlyphs
from voxtui.ui.keys import problems, talk_key
from voxtui.ui.preferences import Preferences
from voxtui.ui.relay import Relay
from voxtui.ui.screens.leaving import PATIENCE_S, Leave, LeavingScreen, wait_s
from voxtui.ui.screens.live import LiveScreen
from voxtui.ui.terminal import clipboard
from voxtui.ui.terminal.clipboard import Copied
from voxtui.ui.terminal.hold import (
    HoldDriver,
    KeySeen,
    KeyWatcher,
    ReleaseReported,
    Stroke,
    TalkKey,
)
from voxtui.ui.terminal.inturn import InTurn
from voxtui.ui.theme import DARK, THEMES, own_variables
from voxtui.ui.wording import place
from voxtui.ui.words import TITLE

LAST_WORDS_S = 10.0
SWITCH_S = 0.001
"""So soon the page has its turn while a thread reads files or searches."""
PLAIN_GLYPHS = PlainGlyphs()
LAST_TRANSCRIPT = "last-transcript.txt"


class VoxtuiApp(InTurn):
    """Modes, themes, leaving; all else is in the screens."""

    TITLE = TITLE
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "quit", show=False, id="quit", tooltip="Keep all and leave"),
    ]
    CSS = (
        """
    * { link-style: none; link-style-hover: underline; link-color-hover: $accent;
        link-background-hover: transparent; }
    ToastRack { display: none; }
    """
        + palette.CSS
    )

    def __init__(
        self,
        backend: Backend,
        preferences: Preferences,
        *,
        demo: bool = False,
        captions: bool = False,
        copier: Callable[[str], Copied] | None = None,
        own_terminal: bool = False,
        clock: Callable[[], float] = time.monotonic,
        warnings: Iterable[str] = (),
    ) -> None:
        super().__init__(driver_class=HoldDriver if own_terminal else None)
        self.backend = backend
        self.preferences = preferences
        self.live = LiveScreen(backend, preferences, copier or self._copy, demo=demo, clock=clock)
        self.live.talking.told_by_terminal = own_terminal
        self._own_terminal = own_terminal
        self._captions = captions
        self._warnings = tuple(warnings)
        self._leaving = False

    def on_mount(self) -> None:
        """Themes, the page, then sound and words."""
        for theme in THEMES:
            self.register_theme(theme)
        wanted = self.preferences.shown.appearance.theme
        self.theme = wanted if wanted in self.available_themes else DARK.name
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self.push_screen(self.live)
        loop = asyncio.get_running_loop()
        if self._own_terminal:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(number, self._told_to_leave)
        self.backend.start(Relay(loop, self.live.post_message, self.live.hear))
        self.live.call_after_refresh(self._begin)  # the page first
        file, chosen = place(paths.config_file()), self.preferences.shown.keys
        wrong = [f"{file}: {problem}" for problem in problems(self.live.deeds(), chosen)]
        if told := " ".join((*self._warnings, *wrong)):
            self.live.call_after_refresh(self.live.say, told, seconds=15.0, warning=True)

    def _begin(self) -> None:
        if self._own_terminal:
            set_aside()
            sys.setswitchinterval(SWITCH_S)
        self.backend.open()
        if self._captions:
            self.live.begin_captions()

    def _theme_changed(self, theme: object) -> None:
        if self.theme != self.preferences.shown.appearance.theme:
            self.preferences.set("appearance", "theme", self.theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Fine signs become plain ones where that was chosen."""
        plain = [PLAIN_GLYPHS] if self.preferences.plain_signs else []
        return [*super().get_line_filters(), *plain]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colour names for themes that are not ours."""
        return own_variables(self.current_theme)

    # ---- the talk key, told by the terminal

    @property
    def talk_key(self) -> str:
        """The key to talk with, as Textual names it."""
        return talk_key(self.preferences.shown.keys)

    @property
    def watches_keys(self) -> bool:
        """Does somebody want to see each key go down and up?"""
        return bool(self._screen_stacks) and isinstance(self.screen, KeyWatcher)

    def on_key_seen(self, event: KeySeen) -> None:
        """A key, for those who watch."""
        if isinstance(self.screen, KeyWatcher):
            self.screen.key_seen(event.seen, event.stroke)

    def on_release_reported(self, event: ReleaseReported) -> None:
        """This terminal can tell when a key is let go."""
        self.live.talking.hold_possible = True
        self.live.show_state()

    def on_talk_key(self, event: TalkKey) -> None:
        """The talk key went down or up, or was tapped."""
        talking = self.live.talking
        if event.stroke is Stroke.UP:
            talking.hold_possible = True
            talking.release(event.at)
        elif self._heard_by_page:
            if event.stroke is Stroke.DOWN:
                talking.hold_possible = True
                talking.press(event.at)
            else:
                talking.tap(event.at)

    @property
    def _heard_by_page(self) -> bool:
        """Is the page what the keys are for?"""
        on_top = self.screen is self.live and not isinstance(self.focused, Input | TextArea)
        return on_top and not self.live.ended

    def on_app_blur(self, event: events.AppBlur) -> None:
        """The terminal lost the focus: a key that is let go now will not be told."""
        self.live.talking.lost_focus()

    # ---- copying

    def copy_to_clipboard(self, text: str) -> None:
        """What the mouse selected."""
        self.run_worker(lambda: self._say_copied(text), thread=True, exit_on_error=False)

    def _say_copied(self, text: str) -> None:
        copied = self._copy(text)
        self.call_from_thread(self.live.say, f"The selection was {copied.where}.")

    def _copy(self, text: str) -> Copied:
        return clipboard.copy(
            text,
            env=os.environ,
            native=clipboard.native_copy,
            to_terminal=super().copy_to_clipboard,
            last_file=paths.data_dir() / LAST_TRANSCRIPT,
        )

    # ---- leaving

    def action_help_quit(self) -> None:
        """Ctrl+C: stops listening; when nothing is heard, leaves."""
        if self.live.state.listening and not self._leaving:
            self.live.talking.stop()
            self.live.say("Stopped. Ctrl+C once more leaves; everything is kept.")
        else:
            self.call_later(self.action_quit)

    async def action_quit(self) -> None:
        """Wait for the last words, then leave; ask when they take long. A second time leaves."""
        live = self.live
        wait = wait_s(live.state)
        if self._leaving or (wait is not None and wait <= PATIENCE_S) or live.ended:
            self._told_to_leave()
        elif not isinstance(self.screen, LeavingScreen):
            live.talking.stop()
            name = Path(live.state.kept_in).name
            over = lambda: not live.state.words_due  # noqa: E731
            self.push_screen(LeavingScreen(live.state, name, over), self._chosen_to_leave)

    def _chosen_to_leave(self, chosen: Leave | None) -> None:
        if chosen is Leave.NOW:
            self._leaving = True
            self._close_within(0.0)
        elif chosen is Leave.WRITTEN:
            self._told_to_leave()

    def _told_to_leave(self) -> None:
        if self._leaving:
            self.exit()
            return
        self._leaving = True
        self.live.say("Writing the last words. Once more leaves at once.", seconds=60.0)
        self._close_within(LAST_WORDS_S)

    def _close_within(self, seconds: float) -> None:
        def close() -> None:
            self.backend.close(seconds)
            self.call_from_thread(self.exit)

        self.run_worker(close, thread=True, exit_on_error=False)

    # ---- the command palette

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """All that the keys do, and the colours."""
        if any(screen is ours for ours in (self.live, self.live.library)):
            yield from palette.commands(self, screen)
        yield SystemCommand("Colours", "Choose a theme", self.action_change_theme)
