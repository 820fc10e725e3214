"""One line of the settings panel."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from voxtui.ui.panels.rows import KeyRow, Row
from voxtui.ui.widgets.fitting import shorten

LABEL_WIDTH = 14
KEY_LABEL_WIDTH = 21
"""Names of keys are longer, and keys are short."""


class SettingRow(Widget):
    """`name   ‹ value ›`, or `name   value` where Enter takes a key or a text."""

    DEFAULT_CSS = """
    SettingRow { height: 1; padding: 0 2; }
    """

    chosen = reactive(False)

    def __init__(self, row: Row | KeyRow) -> None:
        super().__init__()
        self.row = row

    def render(self) -> Content:
        """The line."""
        row = self.row
        width = self._label_width
        label = Content.styled(
            f"{shorten(row.label, width - 1):{width}}",
            "bold $foreground" if self.chosen else "$muted",
        )
        if isinstance(row, KeyRow):
            return Content.assemble(label, "  ", self._value(row.shown, warning=bool(row.taken)))
        if row.typed:
            return Content.assemble(label, "  ", self._value(row.choice.label))
        arrows = "$accent" if self.chosen else "$faint"
        left = "‹ " if row.at > 0 else "  "
        right = " ›" if row.at < len(row.choices) - 1 else "  "
        return Content.assemble(
            label,
            Content(left).stylize(Style.from_meta({"step": -1})).stylize(arrows),
            self._value(row.choice.label),
            Content(right).stylize(Style.from_meta({"step": 1})).stylize(arrows),
        )

    @property
    def _label_width(self) -> int:
        return KEY_LABEL_WIDTH if isinstance(self.row, KeyRow) else LABEL_WIDTH

    def _value(self, text: str, *, warning: bool = False) -> Content:
        room = max(4, self.content_size.width - self._label_width - 4)
        mark = "! " if warning else ""
        style = "$warning" if warning else "bold $accent" if self.chosen else "$foreground"
        return Content.styled(shorten(mark + text, room), style)

    def on_click(self, event: events.Click) -> None:
        """An arrow steps; the line is chosen; a chosen line opens."""
        event.stop()
        step = event.style.meta.get("step", 0)
        self.post_message(self.Clicked(self, step))

    class Clicked(Message):
        """The mouse was here: on an arrow (`by` is -1 or 1) or elsewhere (0)."""

        def __init__(self, setting: SettingRow, by: int) -> None:
            super().__init__()
            self.setting = setting
            self.by = by
