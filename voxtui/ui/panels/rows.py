"""A setting as a row: a name, a value among some or typed, what it does and what it costs. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voxtui.settings import Settings
from voxtui.ui.backend import Choice
from voxtui.ui.words import model_name

Help = Callable[[Choice], str]
Put = Callable[[Any, Any], Any]
"""From the value of the whole setting and what was chosen in the row: the setting's new value."""


def _as_chosen(before: Any, chosen: Any) -> Any:
    return chosen


@dataclass(slots=True)
class Row:
    """One setting and where it stands among its choices; `typed` ones take any text."""

    group: str
    name: str
    label: str
    choices: list[Choice]
    at: int
    help: Help = field(repr=False)
    put: Put = field(repr=False, default=_as_chosen)
    typed: bool = False

    @property
    def choice(self) -> Choice:
        return self.choices[self.at]

    @property
    def help_line(self) -> str:
        """What the value means."""
        return self.help(self.choice)

    def move(self, by: int) -> bool:
        """Take the next or the previous choice. False at the end of the list."""
        at = min(len(self.choices) - 1, max(0, self.at + by))
        moved, self.at = at != self.at, at
        return moved

    def type(self, text: str) -> None:
        """Take what was typed."""
        self.choices, self.at = [Choice(text, text or self.choices[0].note)], 0


@dataclass(slots=True)
class KeyRow:
    """An action and the key for it."""

    action: str
    label: str
    usual: str
    """The key it has when nothing else was chosen, as a binding names it."""
    key: str
    shown: str
    """The key, as people call it."""
    taken: str = ""
    """What else has the same key."""

    @property
    def help_line(self) -> str:
        """What can be done."""
        if self.taken:
            return f"{self.shown} also means “{self.taken}”: choose another key for one of them."
        if self.key != self.usual:
            return "Enter, then the key. Backspace gives the usual one back."
        return "Enter, then the key that shall do it."


@dataclass(slots=True)
class Tab:
    """A group of rows."""

    title: str
    rows: list[Row | KeyRow]


def row(
    settings: Settings,
    group: str,
    name: str,
    label: str,
    choices: list[Choice],
    help_: Help,
) -> Row:
    """A setting that stands at its value; a value that is no choice becomes one."""
    return standing(group, name, label, choices, getattr(getattr(settings, group), name), help_)


def standing(
    group: str,
    name: str,
    label: str,
    choices: list[Choice],
    value: Any,
    help_: Help,
    put: Put = _as_chosen,
) -> Row:
    """A row that stands at `value`."""
    values = [choice.value for choice in choices]
    if value not in values:
        choices = [*choices, Choice(value, _plain(value))]
        values.append(value)
        if isinstance(value, int | float):
            choices.sort(key=lambda choice: float(choice.value))
            values.sort()
    return Row(group, name, label, choices, values.index(value), help_, put)


def _plain(value: Any) -> str:
    return model_name(value) if isinstance(value, str) else f"{value:g}"


def typed(settings: Settings, group: str, name: str, label: str, empty: str, help_: str) -> Row:
    """A row that takes any text; `empty` is shown where there is none."""
    value = getattr(getattr(settings, group), name)
    choice = Choice(value, value or empty, empty)
    return Row(group, name, label, [choice], 0, lambda _: help_, typed=True)
