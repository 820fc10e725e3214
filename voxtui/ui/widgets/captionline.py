"""Below the captions: how loud it is, a short sentence, and the ways out."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from voxtui.ui.widgets.fitting import shorten
from voxtui.ui.widgets.wrapping import wrap

Way = tuple[str, str, str]
"""A key, what it does, the action of a click."""


class CaptionLine(Widget):
    """Two lines that are always there, so that nothing above them moves."""

    DEFAULT_CSS = """
    CaptionLine { height: 2; margin-top: 1; padding: 0 3; color: $muted; display: none; }
    """

    bar: reactive[tuple[str, str]] = reactive(("", ""))
    sentence = reactive("")
    warning = reactive(False)
    ways: reactive[tuple[Way, ...]] = reactive(())

    def render(self) -> Content:
        """The bar, the sentence, the keys at the right where there is room beside it."""
        width = self.content_size.width
        full, rest = self.bar
        indent = len(full) + len(rest) + 2 if full or rest else 0
        ways = self._ways()
        room = width - indent
        if room - ways.cell_length - 3 >= len(self.sentence):
            room -= ways.cell_length + 3
        else:
            ways = Content("")
        rows = [self.sentence[a:b] for a, b in wrap(self.sentence, max(8, room))]
        if len(rows) > 2:
            rows[1] = shorten(" ".join(rows[1:]), max(8, room))
        style = "$warning" if self.warning else "$foreground"
        parts: list[Content | tuple[str, str] | str] = [(full, "$accent"), (rest, "$faint")]
        parts.append("  " if indent else "")
        for number, row in enumerate(rows[:2]):
            parts.append("\n" + " " * indent if number else "")
            parts.append((row, style))
        if ways:
            said = indent + len(rows[0] if rows else "")
            parts += [" " * max(1, width - said - ways.cell_length), ways]
        return Content.assemble(*parts)

    def _ways(self) -> Content:
        parts: list[Content | str] = []
        for key, words, action in self.ways:
            if parts:
                parts.append("   ")
            shown = Content.assemble((key, "bold $foreground"), (f" {words}", "$muted"))
            parts.append(shown.stylize(Style.from_meta({"run": action})))
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        action = event.style.meta.get("run")
        if action:
            await self.run_action(action)
