"""The user's settings while the application runs: changed, applied, kept."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from voxtui.engine.config import step_limit
from voxtui.settings import Settings
from voxtui.settingsfile import Setting, load, save
from voxtui.ui import glyphs
from voxtui.ui.backend import Backend
from voxtui.ui.options import UiOptions

RELOADS = ("name", "backend", "precision", "threads", "alternatives", "upstream", "url")
"""With another one of these the engine is started again."""


def once_each(names: Iterable[str]) -> list[str]:
    """Of the settings that are applied together, one."""
    together = {**dict.fromkeys(RELOADS, "engine"), "device": "sound", "gain_db": "sound"}
    return list({together.get(name, name): name for name in sorted(names)}.values())


class Preferences:
    """`kept` is what the file holds; `shown` has the choices of the command line on top."""

    def __init__(self, kept: Settings, path: Path | None, options: UiOptions | None = None) -> None:
        self.kept = kept
        self.shown = _with_options(kept, options or UiOptions())
        self._path = path
        self._stamp = self._stamp_now()
        self._reread: set[Setting] = set()  # taken from the file, not told of yet
        self._wrong: list[str] = []

    @property
    def plain_signs(self) -> bool:
        """Only signs that every font has: chosen, or because the terminal has no others."""
        return self.shown.appearance.plain_glyphs or glyphs.needed(os.environ)

    def take_edits(self) -> tuple[set[Setting], list[str]]:
        """What somebody changed in the file while the application runs, as (group, name), and a
        sentence for each thing that is wrong there. It is shown from now on, not yet applied."""
        self._read_edits()
        told = self._reread, self._wrong
        self._reread, self._wrong = set(), []
        return told

    def _read_edits(self) -> None:
        stamp = self._stamp_now()
        if stamp is None or stamp == self._stamp or self._path is None:
            return
        self._stamp = stamp
        kept, wrong = load(self._path, self.kept)
        self._wrong += wrong
        for group in dataclasses.fields(Settings):
            old, new = getattr(self.kept, group.name), getattr(kept, group.name)
            if group.name == "keys":
                if old != new:
                    self._reread.add(("keys", ""))
                    self.shown = dataclasses.replace(self.shown, keys=new)
                continue
            for spec in dataclasses.fields(new):
                value = getattr(new, spec.name)
                if value != getattr(old, spec.name):
                    self._reread.add((group.name, spec.name))
                    self.shown = self.shown.replace(group.name, **{spec.name: value})
        self.kept = kept

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path) if self._path is not None else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None

    def set(self, group: str, name: str, value: Any) -> str:
        """Change one value and keep it. Returns what is wrong, or "" ."""
        self._read_edits()  # what was written there by hand is not to be written over
        try:
            self.shown = self.shown.replace(group, **{name: value})
            self.kept = self.kept.replace(group, **{name: value})
        except ValueError as error:
            return str(error)
        return self._save((group, name))

    def set_key(self, action: str, key: str | None) -> str:
        """Another key for an action, None for its usual one. Returns what is wrong, or "" ."""
        self._read_edits()
        self.shown = self.shown.with_key(action, key)
        self.kept = self.kept.with_key(action, key)
        return self._save(("keys", action))

    def _save(self, changed: Setting) -> str:
        try:
            if self._path is not None:
                save(self._path, self.kept, changed)
                self._stamp = self._stamp_now()
        except OSError as error:
            return f"The settings could not be written: {error.strerror or error}."
        return ""

    def apply(self, name: str, backend: Backend) -> None:
        """Bring one changed setting to where the sound and the words are made.

        Raises CannotStartError with a sentence.
        """
        audio, engine = self.shown.audio, self.shown.engine
        match name:
            case "device" | "gain_db":
                backend.use_microphone(audio.device, audio.gain_db)
            case "model":
                backend.use_model(engine.model)
            case "delay_ms":
                backend.use_delay(engine.delay_ms)
            case "interval_s":
                backend.use_interval(engine.interval_s)
            case _ if name in RELOADS:
                backend.use_engine(self.shown)
            case "theme" | "timestamps" | "doubts" | "doubt_below" | "large_captions":
                pass  # the page's own
            case "plain_glyphs" | "bell":
                pass  # looked up when something is drawn or rings
            case _:
                backend.use(self.shown)


def _with_options(kept: Settings, options: UiOptions) -> Settings:
    shown = kept
    step = options.interval_s
    if options.low_latency:
        step = step_limit(kept.engine.interval_s if step is None else step, low_latency=True)
    given = (
        ("audio", "device", options.device if options.device is None else (options.device,)),
        ("engine", "model", options.model),
        ("engine", "name", options.engine),
        ("engine", "delay_ms", options.delay_ms),
        ("engine", "interval_s", step),
    )
    for group, name, value in given:
        if value is not None:
            try:
                shown = shown.replace(group, **{name: value})
            except ValueError:
                continue
    return shown
