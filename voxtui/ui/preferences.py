"""The user's settings while the application runs: changed, applied, kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voxtui.engine.config import step_limit
from voxtui.settings import Settings, save
from voxtui.ui.backend import Backend
from voxtui.ui.options import UiOptions


class Preferences:
    """`kept` is what the file holds; `shown` has the choices of the command line on top."""

    def __init__(self, kept: Settings, path: Path | None, options: UiOptions | None = None) -> None:
        self.kept = kept
        self.shown = _with_options(kept, options or UiOptions())
        self._path = path

    def set(self, group: str, name: str, value: Any) -> str:
        """Change one value and keep it. Returns what is wrong, or "" ."""
        try:
            self.shown = self.shown.replace(group, **{name: value})
            self.kept = self.kept.replace(group, **{name: value})
        except ValueError as error:
            return str(error)
        return self._save()

    def set_key(self, action: str, key: str | None) -> str:
        """Another key for an action, None for its usual one. Returns what is wrong, or "" ."""
        self.shown = self.shown.with_key(action, key)
        self.kept = self.kept.with_key(action, key)
        return self._save()

    def _save(self) -> str:
        try:
            if self._path is not None:
                save(self._path, self.kept)
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
            case "precision" | "threads" | "alternatives":
                backend.use_engine(engine.precision, engine.threads, engine.alternatives)
            case "theme" | "timestamps" | "doubts" | "doubt_below" | "plain_glyphs":
                pass  # the page's own
            case "folder" | "bell":
                pass  # from the next start, or asked for when it rings
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
