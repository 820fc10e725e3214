"""Help in the library: its keys, how to search, where the sessions are."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui import wording
from voxtui.ui.screens.help import library_help
from voxtui.ui.screens.library_look import short_key
from voxtui.ui.screens.library_tidying import Tidying


class Helping(Tidying):
    """`?` opens it from anywhere, the field of the search included: nobody looks for that sign."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", id="library.help", tooltip="Keys and searching"),
    ]

    def action_help(self) -> None:
        """All that can be done here."""
        keys: dict[str, tuple[str, str]] = {}
        for room in reversed(type(self).__mro__):
            for binding in room.__dict__.get("BINDINGS", ()):
                if isinstance(binding, Binding) and (binding.id or "").startswith("library."):
                    assert binding.id is not None
                    keys[binding.id] = (short_key(binding.key), binding.tooltip)
        self.app.push_screen(
            library_help(wording.key_lines(keys), [("sessions", wording.place(self.root))])
        )
