"""A field over a paragraph, to rewrite it in place."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from voxtui.printable import printable
from voxtui.ui.widgets.wrapping import rows_needed

KEEP_KEYS = ("enter", "ctrl+enter", "shift+enter", "ctrl+j")


class ParagraphEditor(TextArea):
    """Enter keeps the text, Esc leaves it as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(KEEP_KEYS), "keep", show=False, id="edit.keep", tooltip="Keep it"),
        Binding("escape", "cancel", show=False, id="edit.cancel", tooltip="Leave it as it was"),
    ]
    DEFAULT_CSS = """
    ParagraphEditor {
        position: absolute;
        layer: over;
        border: none;
        padding: 0;
        background: $panel;
        color: $foreground;
        scrollbar-size-vertical: 0;
        scrollbar-size-horizontal: 0;
        &:focus { border: none; background: $panel; }
        & .text-area--cursor-line { background: $panel; }
        &:ansi { background: ansi_default; text-style: none; }
        &:ansi .text-area--cursor-line { background: ansi_default; }
    }
    """

    class Kept(Message):
        """The paragraph is to read so."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Cancelled(Message):
        """The paragraph stays as it was."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text, soft_wrap=True, show_line_numbers=False, compact=True)
        self.cursor_blink = False
        self.move_cursor((0, at))

    def rows(self, width: int) -> int:
        """How many rows the text takes."""
        return max(1, rows_needed(printable(self.text), width - 1))

    def action_keep(self) -> None:
        """The paragraph is to read so."""
        self.post_message(self.Kept(self.text))

    def action_cancel(self) -> None:
        """Forget what was typed."""
        self.post_message(self.Cancelled())

    async def _on_key(self, event: events.Key) -> None:
        if event.key in KEEP_KEYS:
            event.prevent_default()  # no new line; the binding has its turn after the keys before
            return
        await super()._on_key(event)
