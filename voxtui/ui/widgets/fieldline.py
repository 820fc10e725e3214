"""A line with a field to type into, hidden until it is opened."""

from __future__ import annotations

from textual import events
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Input


class FieldLine(Horizontal):
    """One line: a label, an `Input`, and what a kind of line adds behind them."""

    DEFAULT_CSS = """
    FieldLine {
        height: 1;
        display: none;
        &.-open { display: block; }
        & > Label { color: $accent; width: auto; }
        & > Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $background; }
        & > Input:focus { border: none; background: $background; }
    }
    """

    def keys(self, *keys: tuple[str, str]) -> Content:
        """Keys with what a click on each of them runs."""
        links = (
            Content.styled(key, "bold $foreground").stylize(Style.from_meta({"run": action}))
            for key, action in keys
        )
        return Content(" ").join(links)

    async def on_click(self, event: events.Click) -> None:
        action = event.style.meta.get("run")
        if action is not None:
            await self.run_action(action)

    class Closed(Message):
        """The line went away."""

    @property
    def is_open(self) -> bool:
        """Is it shown?"""
        return self.has_class("-open")

    def show_field(self) -> Input:
        """Show the line and type into its field."""
        self.add_class("-open")
        field = self.query_one(Input)
        self.screen.set_focus(field)  # at once: the next key is for it
        return field

    def close(self) -> None:
        """Away with it."""
        if self.is_open:
            self.remove_class("-open")
            self.query_one(Input).blur()
            self.post_message(self.Closed())
