"""The doctor's screen: the same checks as `voxtui doctor`, and keys and microphone live."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from voxtui.doctor import Check, Finding, State, terminal
from voxtui.doctor.sound import LISTEN_S, Heard, judge
from voxtui.events import CaptureChanged, Level
from voxtui.ui.keys import shown
from voxtui.ui.terminal.hold import KeyWatcher
from voxtui.ui.widgets.keybar import KeyBar, KeyItem
from voxtui.ui.widgets.meter import LevelMeter

FRAME_S = 1 / 30
STROKES = 6
"""So many of the last keys are shown."""
HELD = 4
"""So many times the same key, and never let go: it was held, and nobody told."""
KEYS_CHECK = "keys"
SIGNS = {
    State.OK: ("ok", "$accent"),
    State.NOTE: ("note", "$warning"),
    State.BROKEN: ("broken", "bold $warning"),
    State.UNKNOWN: ("?", "$muted"),
}
WAITING = ("…", "$muted")
KEYS = (
    KeyItem("Esc", "back", "back", "screen.dismiss"),
    KeyItem("F5", "again", "again", "screen.again"),
    KeyItem("↑ ↓", "more", "more", ""),
)


class CheckLine(Static):
    """`ok  clipboard  Copied and read back with xclip.`, and the fix below."""

    DEFAULT_CSS = """
    CheckLine { width: 1fr; max-width: 116; height: auto; layout: horizontal; }
    CheckLine > Static { height: auto; }
    CheckLine > .check-sign { width: 8; }
    CheckLine > .check-what { width: 12; color: $muted; }
    CheckLine > .check-told { width: 1fr; padding-right: 1; }
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def compose(self) -> ComposeResult:
        """Sign, name, words."""
        yield Static(Content.styled(*WAITING), classes="check-sign")
        yield Static(self._what, classes="check-what", markup=False)
        yield Static("", classes="check-told", markup=False)

    def show(self, finding: Finding) -> None:
        """What was found."""
        self.query_one(".check-sign", Static).update(Content.styled(*SIGNS[finding.state]))
        parts: list[Content | tuple[str, str] | str] = [finding.told]
        if finding.fix and finding.state is not State.OK:
            parts += ["\n", ("→ ", "$accent"), (finding.fix, "$foreground")]
        self.query_one(".check-told", Static).update(Content.assemble(*parts))


class DoctorScreen(ModalScreen[None], KeyWatcher):
    """Runs the checks one after the other in a thread; keys and sound are shown as they come."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "back", id="doctor.close", tooltip="Back"),
        Binding("up", "scroll(-1)", show=False, id="doctor.up", tooltip="Up"),
        Binding("down", "scroll(1)", show=False, id="doctor.down", tooltip="Down"),
        Binding("pageup", "scroll(-10)", show=False, id="doctor.page_up", tooltip="Page up"),
        Binding("pagedown", "scroll(10)", show=False, id="doctor.page_down", tooltip="Page down"),
        Binding("f5", "again", "again", id="doctor.again", tooltip="Look again"),
    ]
    CSS = """
    DoctorScreen {
        background: $background;
        & > Vertical { padding: 1 3 0 3; height: auto; }
        & > Vertical > Static, & > Vertical > Horizontal { height: 1; }
        & #doctor-title { text-style: bold; margin-bottom: 1; }
        & .doctor-label { width: 16; color: $muted; }
        & LevelMeter { width: 1fr; max-width: 44; margin-right: 2; }
        & #doctor-heard { width: auto; color: $muted; height: 1; }
        & #doctor-strokes { width: 1fr; height: 1; }
        & > VerticalScroll { height: 1fr; padding: 0 3; margin: 1 0; scrollbar-size-vertical: 1; }
        & > KeyBar { padding: 0 3; margin-bottom: 1; }
    }
    """

    def __init__(
        self,
        checks: Sequence[Check],
        level: Callable[[], Level | None],
        capture: Callable[[], CaptureChanged],
    ) -> None:
        super().__init__()
        self._checks = checks
        self._level = level
        self._capture = capture
        self._strokes: deque[tuple[str, str, int]] = deque(maxlen=STROKES)
        self._told_by_terminal = False
        self._releases: bool | None = None
        self._seen: Level | None = None
        self._heard = Heard()

    def compose(self) -> ComposeResult:
        """Live lines above, findings below."""
        with Vertical():
            yield Static("Doctor", id="doctor-title")
            with Horizontal():
                yield Static("hold any key", classes="doctor-label")
                yield Static("", id="doctor-strokes")
            with Horizontal():
                yield Static("say something", classes="doctor-label")
                yield LevelMeter()
                yield Static("", id="doctor-heard", markup=False)
        with VerticalScroll(can_focus=False):
            for check in self._checks:
                line = CheckLine(check.what)
                line.id = f"check-{check.what}"
                yield line
            yield CheckLine("microphone")
        foot = KeyBar()
        foot.items = KEYS
        yield foot

    def on_mount(self) -> None:
        self.query_one(LevelMeter).live = True
        self.set_interval(FRAME_S, self._hear)
        self.action_again()

    def action_again(self) -> None:
        """All checks from the beginning."""
        for line in self.query(CheckLine):
            line.query_one(".check-sign", Static).update(Content.styled(*WAITING))
        self._heard = Heard()
        self.run_worker(self._look, thread=True, exclusive=True, exit_on_error=False)
        self.set_timer(LISTEN_S, self._judge_microphone)

    def action_scroll(self, by: int) -> None:
        """Up and down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _look(self) -> None:
        for check in self._checks:
            finding = check.run()
            if not self.is_running:
                return
            self.app.call_from_thread(self._show, check, finding)

    def _show(self, check: Check, finding: Finding) -> None:
        seen_better = check.what == KEYS_CHECK and self._releases is not None
        if self.is_mounted and not seen_better:
            self.query_one(f"#check-{check.what}", CheckLine).show(finding)

    # ---- the microphone: the page has it open already

    def _hear(self) -> None:
        level = self._level()
        if level is None or level is self._seen:
            return
        self._seen = level
        heard = self._heard
        heard.loudest_dbfs = max(heard.loudest_dbfs, level.rms_dbfs)
        heard.peak_dbfs = max(heard.peak_dbfs, level.peak_dbfs)
        heard.clipped = heard.clipped or level.clipped
        heard.seconds += FRAME_S
        self.query_one(LevelMeter).hear(level)
        self.query_one("#doctor-heard", Static).update(self._capture().source)

    def _judge_microphone(self) -> None:
        change = self._capture()
        self._heard.state, self._heard.name = change.state, change.source
        self._heard.detail = change.detail
        self.query(CheckLine).last().show(judge(self._heard))

    # ---- keys

    def key_seen(self, key: str, stroke: str) -> None:
        """The terminal told of a key: "down", "repeat" or "up"."""
        self._told_by_terminal = True
        self._stroke(key, stroke)
        if stroke == "up":
            self._judge_keys(releases=True)

    def on_key(self, event: events.Key) -> None:
        """A key in a terminal that tells only presses."""
        if not self._told_by_terminal and event.key != "ignore":
            self._stroke(event.key, "pressed")
            if self._strokes[-1][2] >= HELD:
                self._judge_keys(releases=False)

    def _judge_keys(self, *, releases: bool) -> None:
        """What was seen is better than what the terminal's name tells."""
        if releases != self._releases:
            self._releases = releases
            for line in self.query(f"#check-{KEYS_CHECK}").results(CheckLine):
                line.show(terminal.keys(os.environ, terminal.Answers(keyboard=releases)))

    def _stroke(self, key: str, stroke: str) -> None:
        strokes = self._strokes
        if strokes and strokes[-1][:2] == (key, stroke):
            strokes[-1] = (key, stroke, strokes[-1][2] + 1)
        else:
            strokes.append((key, stroke, 1))
        parts: list[Content | tuple[str, str] | str] = []
        for name, what, times in strokes:
            parts += [
                (shown(name), "bold $accent"),
                f" {what}" + (f" ×{times}" if times > 1 else ""),
                ("  ·  ", "$faint"),
            ]
        self.query_one("#doctor-strokes", Static).update(Content.assemble(*parts[:-1]))
