"""The settings panel: rows changed in place with the arrows, at once, while the page goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Static

from voxtui.ui.panels.choosing import Row, Tab
from voxtui.ui.widgets.fitting import shorten

LABEL_WIDTH = 13


class SettingRow(Static):
    """`name   ‹ value ›` and below it what it does."""

    DEFAULT_CSS = """
    SettingRow { height: auto; padding: 0 2; margin-top: 1; }
    """

    chosen = reactive(False)

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row

    def render(self) -> Content:
        """Two lines or three."""
        row, room = self.row, max(4, self.content_size.width - LABEL_WIDTH - 4)
        value = shorten(row.choice.label, room)
        left = "‹" if row.at > 0 else " "
        right = "›" if row.at < len(row.choices) - 1 else " "
        arrows = "$accent" if self.chosen else "$faint"
        earlier = Content(left + " ").stylize(Style.from_meta({"step": -1}))
        later = Content(" " + right).stylize(Style.from_meta({"step": 1}))
        return Content.assemble(
            (f"{row.label:{LABEL_WIDTH}}", "bold $foreground" if self.chosen else "$muted"),
            earlier.stylize(arrows),
            (value, "bold $accent" if self.chosen else "$foreground"),
            later.stylize(arrows),
            "\n",
            (row.help(row.choice), "$muted"),
        )

    def watch_chosen(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        by = event.style.meta.get("step")
        if by is not None:
            self.post_message(self.Stepped(self, by))

    class Stepped(Message):
        """An arrow of this row was clicked."""

        def __init__(self, row: SettingRow, by: int) -> None:
            super().__init__()
            self.setting = row
            self.by = by


class SettingsPanel(Widget, can_focus=True):
    """Groups as tabs. Tells each change as a message."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "row(-1)", show=False, id="settings.up", tooltip="Setting above"),
        Binding("down,j", "row(1)", show=False, id="settings.down", tooltip="Setting below"),
        Binding("left,h", "step(-1)", show=False, id="settings.less", tooltip="Value before"),
        Binding("right", "step(1)", show=False, id="settings.more", tooltip="Value after"),
        Binding("tab", "tab(1)", show=False, id="settings.next", tooltip="Next group"),
        Binding("shift+tab", "tab(-1)", show=False, id="settings.previous", tooltip="Group before"),
        Binding("escape", "close", show=False, id="settings.close", tooltip="Back to the page"),
    ]
    DEFAULT_CSS = """
    SettingsPanel {
        width: 46;
        height: 1fr;
        background: $panel;
        padding: 1 0;
        display: none;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        &.-open { display: block; }
        & > Vertical { height: auto; }
        & #settings-tabs { padding: 0 2; height: 1; }
        & #settings-keys { padding: 0 2; margin-top: 1; color: $muted; height: auto; }
    }
    """

    tab = reactive(0)
    at = reactive(0)

    class Changed(Message):
        """A setting has another value."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Closed(Message):
        """The panel went away."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs: Sequence[Tab] = ()

    def compose(self) -> ComposeResult:
        """The tabs, the rows, the keys."""
        yield Static(id="settings-tabs")
        yield Vertical(id="settings-rows")
        yield Static("↑ ↓  choose   ← →  change\nTab  group    Esc  back", id="settings-keys")

    @property
    def is_open(self) -> bool:
        """Is it shown?"""
        return self.has_class("-open")

    async def open(self, tabs: Sequence[Tab]) -> None:
        """Show these settings."""
        self._tabs = tabs
        self.add_class("-open")
        self.focus()
        await self._show_rows()

    async def fill(self, tabs: Sequence[Tab]) -> None:
        """The lists of choices are known better now."""
        if self.is_open:
            self._tabs = tabs
            await self._show_rows()

    def close(self) -> None:
        """Away with it."""
        if self.is_open:
            self.remove_class("-open")
            self.blur()
            self.post_message(self.Closed())

    # ---- showing

    async def _show_rows(self) -> None:
        holder = self.query_one("#settings-rows", Vertical)
        rows = self._tabs[self.tab].rows
        self.at = min(self.at, len(rows) - 1)
        with self.app.batch_update():
            await holder.remove_children()
            await holder.mount_all(SettingRow(row) for row in rows)
        self._mark()
        self.query_one("#settings-tabs", Static).update(self._titles())

    def _titles(self) -> Content:
        parts: list[Content | str] = []
        for index, tab in enumerate(self._tabs):
            style = "bold underline $foreground" if index == self.tab else "$muted"
            title = Content.styled(tab.title, style)
            parts += [title.stylize(Style.from_meta({"tab": index})), "   "]
        return Content.assemble(*parts)

    def _mark(self) -> None:
        for index, row in enumerate(self.query(SettingRow)):
            row.chosen = index == self.at
            if row.chosen:
                row.scroll_visible(animate=False)

    # ---- doing

    def action_row(self, by: int) -> None:
        """Another row."""
        if self._tabs:
            self.at = (self.at + by) % len(self._tabs[self.tab].rows)
            self._mark()

    def action_step(self, by: int) -> None:
        """Another value."""
        rows = list(self.query(SettingRow))
        if rows:
            self._step(rows[self.at], by)

    async def action_tab(self, by: int) -> None:
        """Another group."""
        if self._tabs:
            await self.action_show_tab((self.tab + by) % len(self._tabs))

    async def action_show_tab(self, index: int) -> None:
        """This group."""
        self.tab, self.at = index, 0
        await self._show_rows()

    def action_close(self) -> None:
        """Back to the page."""
        self.close()

    def _step(self, widget: SettingRow, by: int) -> None:
        if widget.row.move(by):
            widget.refresh(layout=True)
            self.post_message(self.Changed(widget.row))

    def on_setting_row_stepped(self, event: SettingRow.Stepped) -> None:
        event.stop()
        rows = list(self.query(SettingRow))
        self.at = rows.index(event.setting)
        self._mark()
        self._step(event.setting, event.by)

    async def on_click(self, event: events.Click) -> None:
        self.focus()
        index = event.style.meta.get("tab")
        if index is not None:
            await self.action_show_tab(index)
