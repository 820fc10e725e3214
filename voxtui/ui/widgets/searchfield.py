"""The field in which words of all sessions are looked for."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

HELP = "question_mark"


class SearchField(Input):
    """Takes all signs but `?`, which no words have and which opens the help."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder)
        self.cursor_blink = False

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Is the key for the field?"""
        return key != HELP and super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == HELP:
            event.prevent_default()
            return
        await super()._on_key(event)
