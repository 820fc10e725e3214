"""The Talk button: says what the talk key does here, and can be held with the mouse."""

from __future__ import annotations

from enum import Enum

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class TalkMode(Enum):
    """What a press would do now."""

    HOLD = ("hold to talk", "hold")
    TAP = ("talk", "talk")
    LET_GO = ("let go to stop", "let go")
    SLIDE = ("let go to stop, ↑ stays on", "let go, ↑ on")
    STOP = ("stop", "stop")
    FILE = ("stop", "stop")


TIP = "Hold it with the mouse to talk; drawn up, it stays on"


class TalkButton(Widget):
    """`Space hold to talk`. Pressing and releasing it with the mouse is told as messages."""

    DEFAULT_CSS = """
    TalkButton {
        width: auto;
        height: 1;
        padding: 0 1;
        background: $pill;
        color: $foreground;
        text-style: none;
        &.-live { background: $accent; color: $on-accent; }
        &:ansi { text-style: reverse; }
        &:ansi.-live { text-style: none; }
    }
    """

    mode = reactive(TalkMode.TAP, layout=True)
    live = reactive(False)
    brief = reactive(False, layout=True)
    key = reactive("Space", layout=True)

    _held = False

    class Pressed(Message):
        """The mouse went down on it."""

    class Slid(Message):
        """The mouse was drawn up from it, still held."""

    class Released(Message):
        """The mouse went up again, wherever it is."""

    def on_mount(self) -> None:
        self.tooltip = TIP

    def render(self) -> Content:
        """The key, if there is one, and what it does."""
        long, short = self.mode.value
        key = Content.assemble((self.key, "bold"), " ") if self.key else Content()
        return Content.assemble(key, short if self.brief else long)

    def watch_live(self, live: bool) -> None:
        self.set_class(live, "-live")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            event.stop()
            self.capture_mouse()
            self._held = True
            self.tooltip = None  # nothing over the page while somebody talks
            self.post_message(self.Pressed())

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held and event.screen_y < self.region.y:
            self._held = False
            self.post_message(self.Slid())

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self.capture_mouse(False)
        self._held = False
        self.tooltip = TIP
        self.post_message(self.Released())
