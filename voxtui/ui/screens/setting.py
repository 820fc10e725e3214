"""The settings panel beside the page."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import wording
from voxtui.ui.backend import CannotStartError
from voxtui.ui.panels.choosing import tabs
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.widgets.transcript import TranscriptView

APPLY_AFTER_S = 0.4
"""A microphone or a model is taken when the arrows have rested this long."""
SLOW_TO_APPLY = ("device", "gain_db", "model")


class Setting(PageFrame):
    """Opens the panel and brings what was chosen to where it belongs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,S", "settings", "settings", id="settings", tooltip="Settings beside the page"),
    ]

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
