"""Help in the library: its keys, how to search, where the sessions are."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from voxtui.ui import wording
from voxtui.ui.keys import bindings_of
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
        keys = {
            binding.id: (short_key(binding.key), binding.tooltip)
            for binding in bindings_of(type(self), Screen)
            if binding.id and binding.id.startswith("library.")
        }
        self.app.push_screen(
            library_help(wording.key_lines(keys), [("sessions", wording.place(self.root))])
        )
