"""The settings panel beside the page."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import keys, wording
from voxtui.ui.backend import CannotStartError
from voxtui.ui.panels.choosing import Found, tabs
from voxtui.ui.panels.keypress import KeyPress
from voxtui.ui.panels.rows import KeyRow, Tab
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.preferences import RELOADS, once_each
from voxtui.ui.screens.frame import PageFrame

APPLY_AFTER_S = 0.4
"""A microphone or a model is taken when the arrows have rested this long."""
LOOK_EVERY_S = 1.0
"""So often the settings file is looked at for what was edited by hand."""
SLOW_TO_APPLY = ("device", "gain_db", *RELOADS, "model")


def no_folder(typed: str) -> str:
    """Why a folder cannot be used, or ""."""
    from voxtui.doctor.files import may_write

    path = Path(typed).expanduser()
    if typed and not may_write(path):
        return f"{path} is no folder that can be written: choose another one."
    return ""


class Setting(PageFrame):
    """Opens the panel and brings what was chosen to where it belongs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,S", "settings", "settings", id="settings", tooltip="Settings beside the page"),
    ]

    def on_mount(self) -> None:
        self._found = wording.known_choices(self.preferences.shown)
        self.set_interval(LOOK_EVERY_S, self.take_edits)

    async def action_settings(self, title: str = "") -> None:
        """Open or close the panel."""
        panel = self.query_one(SettingsPanel)
        if panel.is_open:
            panel.close()
            return
        self.add_class("-beside")
        await panel.open(self._setting_tabs(), title)
        self._look_again()

    def _setting_tabs(self) -> list[Tab]:
        chosen = self.preferences.shown
        return tabs(chosen, self._found, keys.key_rows(self.deeds(), chosen.keys))

    def _look_again(self) -> None:
        self.run_worker(self._look_around, thread=True, group="look", exit_on_error=False)

    def _look_around(self) -> None:
        """Which microphones and models are there (in a thread)."""
        from voxtui.machine.hardware import hardware

        engine = self.state.engine
        found = Found(
            self.backend.microphones(),
            self.backend.models(),
            self.backend.engines(),
            self.backend.abilities(),
            engine.precision,
            engine.backend,
            hardware().cores,
        )

        def fill() -> None:
            self._found = found
            self._refill()

        self.app.call_from_thread(fill)

    def _refill(self) -> None:
        panel = self.query_one(SettingsPanel)
        panel.call_later(panel.fill, self._setting_tabs())

    def on_settings_panel_closed(self) -> None:
        self.remove_class("-beside")

    def on_settings_panel_changed(self, message: SettingsPanel.Changed) -> None:
        row = message.row
        if row.name in ("folder", "daily_folder") and (problem := no_folder(row.choice.value)):
            self.say(problem, warning=True)
            self._refill()
            return
        before = getattr(getattr(self.preferences.shown, row.group), row.name)
        value = row.put(before, row.choice.value)
        problem = self.preferences.set(row.group, row.name, value)
        if problem:
            self.say(problem, warning=True)
        if row.name == "theme":
            self.app.theme = row.choice.value
        elif row.name in ("device", "name"):
            self._refill()  # there are other rows and choices now
        self.take_settings()
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
        if name == "name":
            self._look_again()  # another engine has other choices
        self.show_state()

    # ---- the file, edited by hand while this runs

    def take_edits(self) -> None:
        """What was changed in the settings file applies now."""
        edited, wrong = self.preferences.take_edits()
        if wrong:
            self.say(" ".join(wrong), seconds=15.0, warning=True)
        if not edited:
            return
        if not wrong:
            names = ", ".join(sorted(name or "keys" for _, name in edited))
            self.say(f"The settings file was changed: {names}.")
        if ("appearance", "theme") in edited:
            self.app.theme = self.preferences.shown.appearance.theme
        self.take_settings()
        if ("keys", "") in edited:
            self.take_keys()
        try:
            for name in once_each(name for _, name in edited if name):
                self.preferences.apply(name, self.backend)
        except CannotStartError as error:
            self.say(str(error), seconds=12.0, warning=True)
        self._refill()
        self.show_state()

    # ---- keys

    def on_settings_panel_key_wanted(self, message: SettingsPanel.KeyWanted) -> None:
        row = message.row
        if message.usual:
            self._take_key(row, None)
            return

        def taken_by(key: str) -> str:
            return keys.taken_by(key, row.action, self.deeds(), self.preferences.shown.keys)

        def pressed(key: str | None) -> None:
            if key is not None:
                self._take_key(row, key)

        self.app.push_screen(KeyPress(row.label, taken_by), pressed)

    def _take_key(self, row: KeyRow, key: str | None) -> None:
        chosen, all_ = self.preferences.shown.keys, self.deeds()
        changes: dict[str, str | None] = {row.action: None if key == row.usual else key}
        for deed in all_ if key is not None else ():
            kept = [k for k in keys.keys_of(deed, chosen) if k not in (key or "").split(",")]
            if deed.id != row.action and len(kept) < len(keys.keys_of(deed, chosen)):
                changes[deed.id] = ",".join(kept) or keys.NONE
        for action, new in changes.items():
            problem = self.preferences.set_key(action, new)
            if problem:
                self.say(problem, warning=True)
        self.take_keys()
        self._refill()
