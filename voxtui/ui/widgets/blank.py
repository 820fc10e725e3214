"""The page before the first word: what to do, and on the first run what the small model is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Center, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from voxtui.ui.widgets.talk import TalkMode


class BlankPage(VerticalScroll, can_focus=False):
    """Stands where the transcript will be."""

    DEFAULT_CSS = """
    BlankPage {
        align: center middle;
        scrollbar-size-vertical: 1;
        & > Static { width: 100%; text-align: center; padding: 0 3; height: auto; }
        & Center { height: auto; }
        & #blank-note {
            margin-top: 2;
            padding: 0 3;
            width: 100%;
            height: auto;
            max-width: 78;
            text-align: left;
            color: $muted;
            display: none;
        }
        & #blank-note.-shown { display: block; }
    }
    """

    mode = reactive(TalkMode.TAP)
    listening = reactive(False)
    waiting = reactive(False)
    """Is there no microphone that hears yet?"""
    source = reactive("")
    key = reactive("Space")
    live_key = reactive("L")
    small_model_note = reactive("")
    _ready = False

    def compose(self) -> ComposeResult:
        """The invitation and the note."""
        yield Static(id="blank-what")
        with Center():
            yield Static(id="blank-note")

    def on_mount(self) -> None:
        self._ready = True
        self._show()

    def watch_mode(self) -> None:
        self._show()

    def watch_listening(self) -> None:
        self._show()

    def watch_waiting(self) -> None:
        self._show()

    def watch_key(self) -> None:
        self._show()

    def watch_live_key(self) -> None:
        self._show()

    def watch_source(self) -> None:
        self._show()

    def watch_small_model_note(self) -> None:
        self._show()

    def _show(self) -> None:
        if not self._ready:
            return
        self.query_one("#blank-what", Static).update(self._invitation())
        note = self.query_one("#blank-note", Static)
        note.update(Content.from_markup(self.small_model_note))
        note.set_class(bool(self.small_model_note), "-shown")

    def _invitation(self) -> Content:
        if self.listening:
            if self.source:
                return Content.assemble(("hearing ", "$muted"), self.source)
            if self.waiting:
                return Content.assemble(
                    "one moment\n", ("no sound comes from the microphone yet", "$muted")
                )
            keeps = self.live_key or "Enter"
            more = {
                TalkMode.LET_GO: f"let go when you are done; {keeps} keeps it on",
                TalkMode.SLIDE: "let go when you are done; slide up to keep it on",
                TalkMode.STOP: f"{self.key} when you are done",
            }.get(self.mode, "")
            return Content.assemble(("listening", "$accent"), "\n", (more, "$muted"))
        if self.source:
            return Content.assemble((self.source, "$muted"))
        verb = "hold" if self.mode is TalkMode.HOLD else "press"
        return Content.assemble(
            verb,
            " ",
            (self.key, "bold $accent"),
            " and speak\n",
            (f"or {self.live_key} to be heard until {self.live_key} again", "$muted"),
        )
