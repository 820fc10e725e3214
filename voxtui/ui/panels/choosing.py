"""Settings as rows: a name, a value among some, what it does and what it costs. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voxtui.settings import DELAYS_MS, Settings
from voxtui.ui.backend import ADVISED_DELAY_MS, Choice
from voxtui.ui.theme import THEMES, TITLES
from voxtui.ui.words import model_name

INTERVALS_S = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
GAINS_DB = (-12.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0)

# Words in error of a hundred, average of thirteen languages, as the model's authors published.
PUBLISHED_ERRORS = {160: 12.6, 240: 10.8, 480: 8.7, 960: 7.7, 2400: 6.7}


@dataclass(slots=True)
class Row:
    """One setting and where it stands among its choices."""

    group: str
    name: str
    label: str
    choices: list[Choice]
    at: int
    help: Callable[[Choice], str] = field(repr=False)

    @property
    def choice(self) -> Choice:
        return self.choices[self.at]

    def move(self, by: int) -> bool:
        """Take the next or the previous choice. False at the end of the list."""
        at = min(len(self.choices) - 1, max(0, self.at + by))
        moved, self.at = at != self.at, at
        return moved


@dataclass(slots=True)
class Tab:
    """A group of rows."""

    title: str
    rows: list[Row]


def _row(
    settings: Settings,
    group: str,
    name: str,
    label: str,
    choices: list[Choice],
    help_: Callable[[Choice], str],
) -> Row:
    value = getattr(getattr(settings, group), name)
    values = [choice.value for choice in choices]
    if value not in values:
        choices = [*choices, Choice(value, _plain(value))]
        values.append(value)
        if isinstance(value, int | float):
            choices.sort(key=lambda choice: float(choice.value))
            values.sort()
    return Row(group, name, label, choices, values.index(value), help_)


def _plain(value: Any) -> str:
    return model_name(value) if isinstance(value, str) else f"{value:g}"


def tabs(settings: Settings, microphones: list[Choice], models: list[Choice]) -> list[Tab]:
    """All rows, standing at what the settings say."""
    delays = [Choice(0, f"{ADVISED_DELAY_MS} ms"), *_delays()]
    delays.sort(key=lambda choice: choice.value or ADVISED_DELAY_MS)
    return [
        Tab(
            "Sound",
            [
                _row(settings, "audio", "device", "microphone", microphones, _microphone_help),
                _row(settings, "audio", "gain_db", "louder by", _gains(), _gain_help),
            ],
        ),
        Tab(
            "Words",
            [
                _row(settings, "engine", "model", "model", models, _model_help),
                _row(settings, "engine", "delay_ms", "delay", delays, _delay_help),
                _row(settings, "engine", "interval_s", "step", _intervals(), _interval_help),
            ],
        ),
        Tab(
            "Page",
            [
                _row(settings, "appearance", "theme", "colours", _themes(), _theme_help),
                _row(settings, "appearance", "timestamps", "times", _yes_no(), _stamps_help),
                _row(settings, "output", "copy_after_stop", "copy", _copies(), _copy_help),
            ],
        ),
    ]


def _gains() -> list[Choice]:
    return [Choice(value, f"{value:+.0f} dB" if value else "0 dB") for value in GAINS_DB]


def _delays() -> list[Choice]:
    return [Choice(ms, f"{ms} ms") for ms in DELAYS_MS if ms != ADVISED_DELAY_MS]


def _intervals() -> list[Choice]:
    return [Choice(value, f"{value:g} s") for value in INTERVALS_S]


def _themes() -> list[Choice]:
    return [Choice(theme.name, TITLES[theme.name]) for theme in THEMES]


def _yes_no() -> list[Choice]:
    return [Choice(True, "shown"), Choice(False, "hidden")]


def _copies() -> list[Choice]:
    return [Choice(False, "with C"), Choice(True, "when you let go")]


def _microphone_help(choice: Choice) -> str:
    note = f" ({choice.note})" if choice.note else ""
    return f"Who is heard{note}."


def _gain_help(choice: Choice) -> str:
    if choice.value > 12:
        return "Loud speech may clip: look at the right end of the meter."
    return "The meter shows just what is heard. Speech is good around -20 dB."


def _model_help(choice: Choice) -> str:
    if choice.value == "tiny":
        return "Knows some forty words: for trying, not for dictation."
    if choice.value == "auto":
        return "The best one on this machine."
    return f"{choice.note}. Loading takes a moment; nothing is lost meanwhile."


def _delay_help(choice: Choice) -> str:
    ms = choice.value or ADVISED_DELAY_MS
    errors = PUBLISHED_ERRORS.get(ms)
    known = f" Published errors: {errors:g} words of 100." if errors is not None else ""
    if not choice.value:
        return f"As the model advises.{known}"
    if ms < ADVISED_DELAY_MS:
        return f"Words come sooner and are less exact.{known}"
    return f"Words come later and are more exact.{known}"


def _interval_help(choice: Choice) -> str:
    if choice.value <= 0.2:
        return "Words come at once; costs the most work."
    if choice.value <= 0.5:
        return "Sound gathered before each step. A good middle."
    return "Words come in bursts; easiest for a slow machine."


def _theme_help(choice: Choice) -> str:
    return "Dark, light, or the colours of your terminal."


def _stamps_help(choice: Choice) -> str:
    return "The time beside each paragraph, where there is room."


def _copy_help(choice: Choice) -> str:
    if choice.value:
        return "What you said is on the clipboard when its last word is."
    return "C copies what is new since the last copy."
