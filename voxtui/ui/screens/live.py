"""The live screen: the transcript, and a thin frame that says how it goes.

`PageFrame` lays it out; each room adds keys, actions and handlers of one topic.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import wording
from voxtui.ui.screens.arrivals import Arrivals
from voxtui.ui.screens.captioning import Captioning
from voxtui.ui.screens.doctoring import Doctoring
from voxtui.ui.screens.editing import Editing
from voxtui.ui.screens.fetching import Fetching
from voxtui.ui.screens.help import page_help
from voxtui.ui.screens.reading import Reading
from voxtui.ui.screens.ruling import Ruling
from voxtui.ui.screens.searching import Looking
from voxtui.ui.screens.setting import Setting
from voxtui.ui.screens.shelving import Shelving
from voxtui.ui.screens.speaking import Speaking
from voxtui.ui.screens.taking import Taking
from voxtui.ui.screens.writing import Writing
from voxtui.ui.widgets.status import MessageLine
from voxtui.ui.widgets.transcript import TranscriptView


class LiveScreen(
    Doctoring,
    Captioning,
    Reading,
    Ruling,
    Editing,
    Looking,
    Fetching,
    Setting,
    Shelving,
    Writing,
    Taking,
    Speaking,
    Arrivals,
):
    """All rooms together; the help lists their keys from the last to the first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,N", "new", "new", id="new", tooltip="Begin a new session"),
        Binding("question_mark", "help", "help", id="help", tooltip="Keys and signs"),
        Binding("q,Q", "app.quit", "quit", id="leave", tooltip="Keep everything and leave"),
        Binding("escape", "dismiss_note", show=False, id="page.escape", tooltip="Back"),
    ]

    def action_new(self) -> None:
        """Another session; this one is kept."""
        self.talking.stop()
        self.backend.new_session()
        if self.copybook.words:
            self.say(f"A new session. The last one is in {wording.place(self.state.kept_in)}")

    def action_dismiss_note(self) -> None:
        """Put away what lies on the page: cursor and selection first; leave the captions."""
        if self.captioned:
            self.action_captions()
            return
        view = self.query_one(TranscriptView)
        if view.cursor is not None or view.selected is not None:
            view.leave_cursor()
            return
        self.query_one(MessageLine).hush()

    def action_help(self) -> None:
        """Keys and signs."""
        mine = [a.binding for a in self.active_bindings.values() if a.node is self]
        keys: dict[str, tuple[str, str]] = {}
        for binding in mine:
            if binding.id and binding.tooltip:
                keys.setdefault(binding.id, (self._key(binding), binding.tooltip))
        talking = self.talking
        talk = wording.talking(talking.hold_possible, talking.key, self.key_for("live"))
        kept = Path(self.state.kept_in) if self.state.kept_in else None
        self.app.push_screen(page_help(wording.key_lines(keys), talk, wording.places(kept)))
