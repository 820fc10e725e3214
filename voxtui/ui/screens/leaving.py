"""Leaving while many words are still to be written: how long it takes, and a choice."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from voxtui.ui.health import LiveState
from voxtui.ui.words import span

LOOK_S = 0.5
PATIENCE_S = 10.0
"""Words that come within this time are simply waited for."""


class Leave(Enum):
    """What was chosen, or came of itself."""

    WRITTEN = "all words are out"
    NOW = "leave now"
    STAY = "go on"


def wait_s(state: LiveState) -> float | None:
    """How long the last words take from now on; None when that cannot be told."""
    lag = state.lag_s
    if not state.words_due or lag <= 0.5:
        return 0.0
    speed = state.speed.times_real_time
    return lag / speed if speed else None


def projection(state: LiveState) -> str:
    """The backlog in plain words."""
    lag, wait = state.lag_s, wait_s(state)
    if wait == 0.0:
        return "The last words are coming."
    about = f"they take about {span(wait)} here" if wait is not None else "how long is not known"
    return f"The words of the last {span(lag)} are not written yet; {about}."


class LeavingScreen(ModalScreen[Leave]):
    """Waits by itself, and leaves when all is written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,Q,l,L,ctrl+q,ctrl+c", "now", "leave", id="leaving.now", tooltip="Leave now"),
        Binding("escape", "stay", "stay", id="leaving.stay", tooltip="Do not leave"),
    ]
    CSS = """
    LeavingScreen {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 62; max-width: 95%; height: auto; padding: 1 3; background: $panel;
        }
        & Static { width: 1fr; height: auto; margin-bottom: 1; }
        & #leaving-bar { color: $accent; }
        & .leaving-choice { margin-bottom: 0; }
        & .leaving-choice:hover { text-style: bold; }
    }
    """

    def __init__(self, state: LiveState, name: str, over: Callable[[], bool]) -> None:
        """`over` tells when all words are out; `name` is the session's."""
        super().__init__()
        self._state = state
        self._name = name
        self._over = over
        self._most_s = max(state.lag_s, 0.1)

    def compose(self) -> ComposeResult:
        """What is left, and the choices."""
        later = (
            "Q   leave now; the sound is kept. The rest later:\n"
            f"    voxtui sessions retranscribe {self._name}"
        )
        with Vertical():
            yield Static(id="leaving-what", markup=False)
            yield Static(id="leaving-bar", markup=False)
            yield Static("Waiting; it leaves by itself when all is written.", markup=False)
            yield Static(later, id="leaving-now", classes="leaving-choice", markup=False)
            yield Static("Esc stay", id="leaving-stay", classes="leaving-choice", markup=False)

    def on_mount(self) -> None:
        self.set_interval(LOOK_S, self._look)
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        if self._over():
            self.dismiss(Leave.WRITTEN)
            return
        lag = self._state.lag_s
        self._most_s = max(self._most_s, lag)
        self.query_one("#leaving-what", Static).update(projection(self._state))
        bar = self.query_one("#leaving-bar", Static)
        cells = max(4, bar.size.width - 6)
        done = 1 - lag / self._most_s
        full = round(done * cells)
        line = "█" * full + "·" * (cells - full) + f" {done:4.0%}"
        bar.update(line if cell_len(line) <= max(10, bar.size.width) else "")

    def action_now(self) -> None:
        """The rest later."""
        self.dismiss(Leave.NOW)

    def action_stay(self) -> None:
        """Not yet."""
        self.dismiss(Leave.STAY)

    def on_click(self, event: object) -> None:
        """With the mouse."""
        widget = getattr(event, "widget", None)
        chosen = {"leaving-now": Leave.NOW, "leaving-stay": Leave.STAY}
        if widget is not None and widget.id in chosen:
            self.dismiss(chosen[widget.id])
