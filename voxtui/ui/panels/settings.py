"""The settings beside the running transcript: changed in place with arrows, applied at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Input, Static

from voxtui.ui.panels.rows import KeyRow, Row, Tab
from voxtui.ui.panels.settingrow import SettingRow
from voxtui.ui.widgets.fitting import fit

HINTS = {
    "step": ("← → change", "Tab group", "Esc back", "↑ ↓ choose"),
    "type": ("Enter type", "Tab group", "Esc back", "↑ ↓ choose"),
    "key": ("Enter set", "Tab group", "Esc back", "↑ ↓ choose"),
    "chosen key": ("Enter set", "Backspace usual", "Esc back", "↑ ↓ choose"),
}
RUNS = {
    "← → change": "step(1)",
    "Enter type": "open",
    "Enter set": "open",
    "Backspace usual": "reset",
    "Tab group": "tab(1)",
    "Esc back": "close",
    "↑ ↓ choose": "row(1)",
}
"""What a click on a hint does."""


class SettingsPanel(Widget, can_focus=True):
    """Groups as tabs, lines below, help at the foot. Tells each change as a message."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "row(-1)", show=False, id="settings.up", tooltip="Setting above"),
        Binding("down,j", "row(1)", show=False, id="settings.down", tooltip="Setting below"),
        Binding("left,h", "step(-1)", show=False, id="settings.less", tooltip="Value before"),
        Binding("right", "step(1)", show=False, id="settings.more", tooltip="Value after"),
        Binding("enter", "open", show=False, id="settings.open", tooltip="Type it, set the key"),
        Binding("backspace,delete", "reset", show=False, id="settings.reset", tooltip="Usual key"),
        Binding("tab", "tab(1)", show=False, id="settings.next", tooltip="Next group"),
        Binding("shift+tab", "tab(-1)", show=False, id="settings.previous", tooltip="Group before"),
        Binding("escape", "close", show=False, id="settings.close", tooltip="Back to the page"),
    ]
    DEFAULT_CSS = """
    SettingsPanel {
        width: 50;
        height: 1fr;
        background: $panel;
        padding: 1 0;
        display: none;
        layout: vertical;
        &.-open { display: block; }
        & > #settings-rows { height: 1fr; scrollbar-size-vertical: 1; margin-top: 1; }
        & > #settings-tabs { padding: 0 2; height: 1; }
        & > #settings-help {
            padding: 0 2; margin: 1 0; height: auto; min-height: 2; color: $foreground;
        }
        & > #settings-keys { padding: 0 2; height: 1; color: $muted; }
        & > Input {
            display: none; height: 1; border: none; margin: 0 2; padding: 0 1;
            background: $boost;
        }
        & > Input:focus { border: none; }
        & > Input.-open { display: block; }
    }
    """

    tab = reactive(0)
    at = reactive(0)

    class Changed(Message):
        """A setting has another value."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class KeyWanted(Message):
        """Another key shall be taken for an action; with `usual`, the one it had."""

        def __init__(self, row: KeyRow, usual: bool) -> None:
            super().__init__()
            self.row = row
            self.usual = usual

    class Closed(Message):
        """The panel went away."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs: Sequence[Tab] = ()

    def compose(self) -> ComposeResult:
        """The groups, the rows, a field for text, the help, the keys."""
        yield Static(id="settings-tabs")
        yield VerticalScroll(id="settings-rows", can_focus=False)
        field = Input()
        field.cursor_blink = False
        yield field
        yield Static(id="settings-help", markup=False)
        yield Static(id="settings-keys", markup=False)

    @property
    def is_open(self) -> bool:
        """Is it shown?"""
        return self.has_class("-open")

    async def open(self, tabs: Sequence[Tab], title: str = "") -> None:
        """Show these settings, at the group of that title or where it was left."""
        self._tabs = tabs
        for index, tab in enumerate(tabs):
            if tab.title == title:
                self.tab, self.at = index, 0
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
            self._end_typing()
            self.remove_class("-open")
            self.blur()
            self.post_message(self.Closed())

    # ---- showing

    @property
    def _rows(self) -> list[SettingRow]:
        return list(self.query(SettingRow))

    async def _show_rows(self) -> None:
        holder = self.query_one("#settings-rows", VerticalScroll)
        rows = self._tabs[self.tab].rows
        self.at = min(self.at, max(0, len(rows) - 1))
        with self.app.batch_update():
            shown = self._rows
            if len(shown) == len(rows):  # the same lines: nothing on the page moves
                for widget, row in zip(shown, rows, strict=True):
                    widget.row = row
                    widget.refresh()
            else:
                await holder.remove_children()
                await holder.mount_all(SettingRow(row) for row in rows)
        self._mark()
        self.query_one("#settings-tabs", Static).update(self._titles())

    def on_resize(self) -> None:
        """Another width."""
        if self._tabs:
            self.query_one("#settings-tabs", Static).update(self._titles())

    def _titles(self) -> Content:
        titles = [tab.title for tab in self._tabs]
        room = self.size.width - 4 - sum(map(len, titles))
        gap = " " * max(1, min(3, room // max(1, len(titles) - 1)))
        parts: list[Content | str] = []
        for index, title in enumerate(titles):
            style = "bold underline $foreground" if index == self.tab else "$muted"
            parts += [Content.styled(title, style).stylize(Style.from_meta({"tab": index})), gap]
        return Content.assemble(*parts)

    def _mark(self) -> None:
        for index, widget in enumerate(self._rows):
            widget.chosen = index == self.at
            if widget.chosen:
                widget.scroll_visible(animate=False)
                self._explain(widget.row)

    def _explain(self, row: Row | KeyRow) -> None:
        if isinstance(row, KeyRow):
            kind = "key" if row.key == row.usual else "chosen key"
        else:
            kind = "type" if row.typed else "step"
        self.query_one("#settings-help", Static).update(row.help_line)
        keys = self.query_one("#settings-keys", Static)
        fitting = fit(HINTS[kind], (self.size.width or 50) - 4, "   ").split("   ")
        links = [
            Content(h).stylize(Style.from_meta({"run": RUNS[h]})) for h in fitting if h in RUNS
        ]
        keys.update(Content("   ").join(links))

    # ---- doing

    def action_row(self, by: int) -> None:
        """Another row."""
        if self._tabs and self._tabs[self.tab].rows:
            self.at = (self.at + by) % len(self._tabs[self.tab].rows)
            self._mark()

    def action_step(self, by: int) -> None:
        """Another value."""
        rows = self._rows
        if rows:
            self._step(rows[self.at], by)

    def action_open(self) -> None:
        """Type a value, or press a key for it."""
        rows = self._rows
        if not rows:
            return
        row = rows[self.at].row
        if isinstance(row, KeyRow):
            self.post_message(self.KeyWanted(row, usual=False))
        elif row.typed:
            field = self.query_one(Input)
            field.value = str(row.choice.value)
            field.add_class("-open")
            field.focus()

    def action_reset(self) -> None:
        """The usual key again."""
        rows = self._rows
        if rows and isinstance(row := rows[self.at].row, KeyRow):
            self.post_message(self.KeyWanted(row, usual=True))

    async def action_tab(self, by: int) -> None:
        """Another group."""
        if self._tabs:
            await self.action_show_tab((self.tab + by) % len(self._tabs))

    async def action_show_tab(self, index: int) -> None:
        """This group."""
        self._end_typing()
        self.tab, self.at = index, 0
        await self._show_rows()

    def action_close(self) -> None:
        """Back to the page; while typing, back to the rows."""
        if not self._end_typing():
            self.close()

    def _end_typing(self) -> bool:
        field = self.query_one(Input)
        typing = field.has_class("-open")
        if typing:
            field.remove_class("-open")
            self.focus()
        return typing

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        widget = self._rows[self.at]
        self._end_typing()
        if isinstance(widget.row, Row):
            widget.row.type(event.value.strip())
            widget.refresh()
            self.post_message(self.Changed(widget.row))

    def _step(self, widget: SettingRow, by: int) -> None:
        if isinstance(widget.row, Row) and widget.row.move(by):
            widget.refresh()
            self._explain(widget.row)
            self.post_message(self.Changed(widget.row))

    def on_setting_row_clicked(self, event: SettingRow.Clicked) -> None:
        event.stop()
        self._end_typing()
        self.focus()
        rows = self._rows
        again = rows.index(event.setting) == self.at
        self.at = rows.index(event.setting)
        self._mark()
        if event.by:
            self._step(event.setting, event.by)
        elif again:
            self.action_open()

    async def on_click(self, event: events.Click) -> None:
        if run := event.style.meta.get("run"):
            await self.run_action(run)
            return
        self.focus()
        index = event.style.meta.get("tab")
        if index is not None:
            await self.action_show_tab(index)
