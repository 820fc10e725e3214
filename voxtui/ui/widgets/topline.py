"""The first line: the name, what is heard and what writes, the dot and the time."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from voxtui.ui.widgets.fitting import fit, shorten
from voxtui.ui.words import MIDDLE, TITLE, elapsed


class TopLine(Widget):
    """Folds from its right end: first the delay goes, then the precision, then the model."""

    DEFAULT_CSS = """
    TopLine { height: 1; padding: 0 3; color: $muted; }
    """

    source = reactive("")
    model = reactive("")
    precision = reactive("")
    delay_ms = reactive(0)
    listening = reactive(False)
    elapsed_s = reactive(0)
    rung = reactive("")
    """How it is being listened, in words."""

    def render(self) -> Content:
        """The whole line."""
        width = self.content_size.width
        dot = "●" if self.listening else "○"
        time = elapsed(self.elapsed_s)
        rung = self.rung if width >= 90 else self.rung.partition(":")[0]
        rung = f"{rung} " if rung and width >= 48 else ""
        right = cell_len(time) + 2 + cell_len(rung)
        room = width - len(TITLE) - right - 6
        engine = " ".join(part for part in (self.model, self.precision) if part)
        delay = f"{self.delay_ms} ms" if self.delay_ms else ""
        middle = self._middle(room, engine, delay)
        gap = max(1, width - len(TITLE) - right - cell_len(middle) - (3 if middle else 0))
        dot_style = "$accent" if self.listening else "$faint"
        time_style = "$foreground" if self.listening else "$muted"
        return Content.assemble(
            (TITLE, "bold $foreground"),
            " " * gap,
            middle + ("   " if middle else ""),
            (rung, "$muted"),
            (dot, dot_style),
            " ",
            (time, time_style),
        )

    def on_mount(self) -> None:
        self.tooltip = "A click on the name shows all commands"

    async def on_click(self, event: events.Click) -> None:
        """The name opens the list of all commands, for those who use the mouse."""
        if event.get_content_offset_capture(self).x < len(TITLE):
            await self.run_action("app.command_palette")

    def _middle(self, room: int, engine: str, delay: str) -> str:
        source = self.source
        for name in (source, shorten(source, 24), shorten(source, 14)):
            for parts in ((name, engine, delay), (name, engine), (name, self.model)):
                line = MIDDLE.join(part for part in parts if part)
                if cell_len(line) <= room and (name == source or parts[1:] == (self.model,)):
                    return line
        return fit([shorten(self.model or source, max(0, room))], room) if room > 3 else ""
