"""The keys at the foot of the page: with their words where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

MANY = 5
"""So many keys with words say more than all of them without."""


class KeyItem(NamedTuple):
    """A key, what it does in more and in fewer words, the action of a click ("": none), and what
    to say while the mouse rests on it."""

    key: str
    words: str
    brief: str
    action: str
    tip: str = ""


def fit_keys(items: Sequence[KeyItem], width: int) -> list[tuple[str, str, str]]:
    """(key, words, gap) for each item, so that all keys fit if they can.

    The words become fewer; then keys from the end but one fall away while there are many; then
    the words do, and at last more keys.
    """
    ways = [("words", 3), ("words", 2), ("brief", 3), ("brief", 2)]
    for words_of, gap in ways if len(items) > MANY else [*ways, ("", 3), ("", 1)]:
        fitted = [(item.key, getattr(item, words_of) if words_of else "") for item in items]
        length = sum(len(key) + (len(words) + 1 if words else 0) for key, words in fitted)
        if length + gap * (len(items) - 1) <= width:
            return [(key, words, " " * gap) for key, words in fitted]
    if len(items) > 1:
        return fit_keys([*items[:-2], items[-1]], width)
    return []


class KeyBar(Widget):
    """One line of keys; each can be clicked."""

    DEFAULT_CSS = """
    KeyBar { height: 1; width: 1fr; color: $muted; }
    """

    items: reactive[tuple[KeyItem, ...]] = reactive(())

    def render(self) -> Content:
        """The keys that fit."""
        actions = {item.key: item.action for item in self.items}
        parts: list[Content | tuple[str, str | Style] | str] = []
        for key, words, gap in fit_keys(self.items, self.content_size.width):
            if parts:
                parts.append(gap)
            text = Content.assemble((key, "bold $foreground"), f" {words}" if words else "")
            parts.append(text.stylize(Style.from_meta({"run": actions[key]})))
        return Content.assemble(*parts)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        tips = {item.action: item.tip for item in self.items}
        tip = tips.get(event.style.meta.get("run", "")) or None
        if tip != self.tooltip:
            self.tooltip = tip

    async def on_click(self, event: events.Click) -> None:
        action = event.style.meta.get("run")
        if action:
            await self.run_action(action)
