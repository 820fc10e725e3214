"""The status strip beside the meter, and the line of messages above it."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from voxtui.ui.health import Health, Tone, Trouble
from voxtui.ui.widgets.fitting import fit

COLOURS = {Tone.CALM: "$muted", Tone.LIVE: "$foreground", Tone.WARNING: "$warning"}


class StatusStrip(Widget):
    """One line of phrases; what does not fit is left away from the end."""

    DEFAULT_CSS = """
    StatusStrip { height: 1; width: 1fr; }
    """

    health: reactive[Health] = reactive(Health(("",)))

    def render(self) -> Content:
        """The phrases, the first one in its tone."""
        width = self.content_size.width
        line = fit(self.health.phrases, width)
        first = self.health.phrases[0]
        head, rest = (first, line[len(first) :]) if line.startswith(first) else (line, "")
        room = " " * max(0, width - Content(line).cell_length)
        return Content.assemble(room, (head, COLOURS[self.health.tone]), (rest, "$muted"))


class MessageLine(Static):
    """A trouble that stands, or a word in passing. One blank line when there is neither."""

    DEFAULT_CSS = """
    MessageLine {
        height: auto;
        min-height: 1;
        max-height: 4;
        max-width: 106;
        padding: 0 3;
        color: $foreground;
        &.-warning { color: $warning; }
        &.-stands { margin: 1 0 0 0; }
    }
    """

    trouble: reactive[Trouble | None] = reactive(None)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._passing = ""
        self._passing_warns = False
        self._timer: Timer | None = None

    def say(self, text: str, *, seconds: float = 5.0, warning: bool = False) -> None:
        """Show a sentence for a while, in front of a standing trouble."""
        self._passing, self._passing_warns = text, warning
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(seconds, self.hush)
        self._show()

    def hush(self) -> None:
        """The sentence in passing has been read."""
        self._passing = ""
        self._show()

    def watch_trouble(self) -> None:
        self._show()

    @property
    def text(self) -> str:
        """What is shown now."""
        if self._passing:
            return self._passing
        trouble = self.trouble
        return f"{trouble.what} {trouble.advice}".strip() if trouble is not None else ""

    @property
    def warns(self) -> bool:
        """Does what is shown now warn?"""
        return self._passing_warns if self._passing else self.trouble is not None

    def _show(self) -> None:
        trouble = self.trouble
        self.set_class(trouble is not None and not self._passing, "-stands")
        if self._passing:
            style = "$warning" if self._passing_warns else "$foreground"
            self.update(Content.styled(self._passing, style))
        elif trouble is not None:
            self.update(
                Content.assemble(
                    (trouble.what, "bold $warning"), " ", (trouble.advice, "$foreground")
                )
            )
        else:
            self.update("")
