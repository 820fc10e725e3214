"""Drawing what changed: the same picture as Textual's own way, from fewer lines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.geometry import Region
from textual.widget import Widget

from tests.ui.support import FakeBackend, app_with, speech
from voxtui.events import Level
from voxtui.ui.compositor import FrugalCompositor
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.widgets.meter import LevelMeter


def picture(way: type[Compositor], screen: Any, crop: Region) -> list[tuple[int, int, Any]]:
    """What is drawn inside `crop`: row, column, pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FrugalCompositor, "_get_renders", way._get_renders)
        chops = screen._compositor._render_chops(crop, crop.line_range.__contains__)
    return [
        (y, x, list(strip))
        for y in crop.line_range
        for x, strip in chops[y].items()
        if strip is not None and x < crop.right and x + strip.cell_length > crop.x
    ]


async def test_the_same_picture_as_before() -> None:
    backend = FakeBackend()
    app = app_with(backend)
    async with app.run_test(size=(120, 40)) as pilot:
        backend.emit(speech("one two three"))
        await pilot.press("l", "s")
        await pilot.pause()
        await asyncio.sleep(0.1)
        screen = app.live
        assert screen.query_one(SettingsPanel).is_open
        crops = [widget.region for widget in screen.walk_children(Widget) if widget.region]
        crops += [Region(x, y, 31, 5) for x in (0, 40, 89) for y in (0, 9, 33)]
        crops.append(screen.region)
        crops = [crop.intersection(screen.region) for crop in crops]
        for crop in filter(None, crops):
            drawn = picture(FrugalCompositor, screen, crop)
            assert drawn == picture(Compositor, screen, crop)
            assert drawn


async def test_a_level_draws_one_line_of_the_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = FakeBackend()
    app = app_with(backend)
    drawn: list[tuple[str, Region]] = []
    draw = Widget.render_lines

    def seen(self: Widget, crop: Region) -> Any:
        drawn.append((type(self).__name__, crop))
        return draw(self, crop)

    async with app.run_test(size=(120, 40)) as pilot:
        monkeypatch.setattr("voxtui.ui.screens.frame.TICK_S", 3600.0)
        await pilot.press("l")
        backend.emit(Level(-30, -20))
        await asyncio.sleep(0.2)
        meter = app.live.query_one(LevelMeter)
        monkeypatch.setattr(Widget, "render_lines", seen)
        meter.hear(Level(-10, -8))
        await asyncio.sleep(0.1)
        assert ("LevelMeter", Region(0, 0, meter.size.width, 1)) in drawn
        assert {name for name, _ in drawn} <= {"LevelMeter", "StatusStrip", "TopLine"}


async def test_a_level_that_looks_the_same_draws_nothing() -> None:
    backend = FakeBackend()
    app = app_with(backend, clock=lambda: 1000.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("l")
        await asyncio.sleep(0.1)
        meter = app.live.query_one(LevelMeter)
        meter.hear(Level(-20.0, -12.0))
        meter.render_line(0)
        asked: list[Region] = []
        meter.refresh = lambda *regions, **_: asked.extend(regions)  # type: ignore
        meter.hear(Level(-20.01, -12.01))
        assert asked == []
        meter.hear(Level(-12.0, -8.0))
        assert asked == [Region(0, 0, meter.size.width, 1)]
