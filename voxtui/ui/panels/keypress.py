"""Press a key, and it is taken."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from voxtui.ui.keys import MODIFIERS, bound, shown, why_not

ALONE_S = 0.7
"""Ctrl or Shift held so long alone is meant itself, not the key that follows."""


class KeyPress(ModalScreen[str | None]):
    """Dismissed with the key, or None. A key that is taken has to be pressed twice."""

    CSS = """
    KeyPress {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 54; max-width: 95%; height: auto; padding: 1 3;
            background: $panel;
        }
        & Static { width: 1fr; height: auto; }
        & #press-what { text-style: bold; }
        & #press-told { color: $warning; margin-top: 1; }
        & #press-how { color: $muted; margin-top: 1; }
    }
    """

    def __init__(self, what: str, taken_by: Callable[[str], str]) -> None:
        super().__init__()
        self._what = what
        self._taken_by = taken_by
        self._asked = ""
        self._alone: Timer | None = None

    def compose(self) -> ComposeResult:
        """What to do."""
        with Vertical():
            yield Static(f"Press the key for “{self._what}”.", id="press-what", markup=False)
            yield Static("", id="press-told", markup=False)
            yield Static("Esc or a click leaves it as it is.", id="press-how", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Whatever it is, nobody else gets it."""
        event.stop()
        event.prevent_default()
        if self._alone is not None:
            self._alone.stop()
            self._alone = None
        if event.key == "escape":
            self.dismiss(None)
        elif event.key.startswith(tuple(MODIFIERS)):
            self._alone = self.set_timer(ALONE_S, lambda: self._pressed(event.key))
        else:
            self._pressed(event.key)

    def on_click(self) -> None:
        """For those who have only the mouse at hand."""
        self.dismiss(None)

    def _pressed(self, key: str) -> None:
        told = self.query_one("#press-told", Static)
        problem, other = why_not(key), self._taken_by(key)
        if problem:
            told.update(problem)
        elif other and self._asked != key:
            self._asked = key
            told.update(
                f"{shown(key)} is “{other}”. Press it once more to take it from there, or another."
            )
        else:
            self.dismiss(bound(key))
