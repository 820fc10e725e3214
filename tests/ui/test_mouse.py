"""Everything by the mouse alone: what a key does is in the list of commands, or can be clicked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input

from tests.ui.running import running, said, settled, tell
from tests.ui.support import FakeBackend, talk
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.panels.keypress import KeyPress
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.screens.library_again import LibraryScreen
from voxtui.ui.widgets.noteline import NoteLine

OTHERWISE = {
    "page.up": "the wheel",
    "page.down": "the wheel",
    "page.back": "the scroll bar",
    "page.on": "the scroll bar",
    "page.home": "the scroll bar",
    "page.left": "a click on a word",
    "page.right": "a click on a word",
    "page.paragraph_up": "a click on a word",
    "page.paragraph_down": "a click on a word",
    "page.escape": "a click beside it",
    "captions.larger": "at the foot of the captions",
    "captions.smaller": "at the foot of the captions",
    "latch": "drawing the Talk button up; two clicks on a paragraph",
    "library.up": "a click on a session",
    "library.down": "a click on a session",
    "library.pageup": "the wheel",
    "library.pagedown": "the wheel",
    "library.home": "the scroll bar",
    "library.end": "the scroll bar",
    "library.left": "a click on a paragraph",
    "library.right": "a click on a paragraph",
    "library.del": "the same as library.delete",
    "library.leave": "the same as library.back",
}
"""What is not in the list of commands, and how the mouse does it."""


def own_bindings(screen: Screen[None]) -> Iterator[Binding]:
    for kind in type(screen).__mro__:
        if kind.__module__.startswith("voxtui."):
            yield from (b for b in kind.__dict__.get("BINDINGS", ()) if isinstance(b, Binding))


@pytest.mark.parametrize("keys", [(), ("b",)], ids=["page", "library"])
async def test_every_key_has_its_way_for_the_mouse(keys: tuple[str, ...]) -> None:
    async with running(FakeBackend(), size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, VoxtuiApp)
        await pilot.press(*keys)
        await settled(pilot)
        assert isinstance(app.screen, LibraryScreen) == bool(keys)
        bindings = {b.id: b for b in own_bindings(app.screen) if b.id is not None}
        assert len(bindings) > 15
        listed = {id_ for id_, b in bindings.items() if b.description}
        selecting = {id_ for id_ in bindings if id_.startswith("page.select_")}  # by dragging
        assert set(bindings) - listed - selecting - set(OTHERWISE) == set()
        titles = {command.title for command in app.get_system_commands(app.screen)}
        able = {a.binding.id for a in app.screen.active_bindings.values()}
        wanted = {bindings[id_].description.capitalize() for id_ in listed & able}
        assert wanted - titles == set()


async def test_the_top_of_the_library_opens_all_commands() -> None:
    async with running(FakeBackend(), size=(100, 30)) as pilot:
        await pilot.press("b")
        await settled(pilot)
        await pilot.click("#library-top", offset=(4, 0))
        await settled(pilot)
        assert isinstance(pilot.app.screen, CommandPalette)


async def test_a_mark_is_kept_or_not_with_the_mouse() -> None:
    backend = FakeBackend()
    async with running(backend, size=(100, 30)) as pilot:
        await tell(pilot, *talk())
        line = pilot.app.screen.query_one(NoteLine)
        await pilot.press("m", "x")
        await pilot.click(NoteLine, offset=(line.size.width - 5, 0))
        await settled(pilot)
        assert ("note", "x") in backend.calls
        assert not line.is_open
        await pilot.press("m", "y")
        await pilot.click(NoteLine, offset=(line.size.width + 1, 0))
        await settled(pilot)
        assert ("note", "y") not in backend.calls
        assert not line.is_open
        assert not isinstance(pilot.app.focused, Input)


async def test_the_settings_are_left_with_the_mouse() -> None:
    async with running(FakeBackend(), size=(120, 40)) as pilot:
        await pilot.press("s", "tab", "tab", "tab", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, KeyPress)
        await pilot.click()
        await settled(pilot)
        panel = pilot.app.screen.query_one(SettingsPanel)
        foot = panel.query_one("#settings-keys")
        x = foot.render().plain.index("Esc")  # type: ignore[union-attr]
        await pilot.click("#settings-keys", offset=(x + 2, 0))
        await settled(pilot)
        assert not panel.is_open


async def test_limits_of_holding_and_of_quiet_stop_it() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        talking = pilot.app.live.talking  # type: ignore[attr-defined]
        talking.limit(0.2, 0.2)
        talking.press()
        await pilot.pause(0.5)
        assert backend.calls[-1] == ("listen", False)
        assert "of holding" in said(pilot)
        await pilot.press("l")
        assert backend.calls[-1] == ("listen", True)
        await pilot.pause(0.5)
        assert backend.calls[-1] == ("listen", False)
        assert said(pilot).startswith("Stopped: nothing was said")
