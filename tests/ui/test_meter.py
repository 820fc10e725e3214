"""The meter draws itself past the page: the same cells as the page would, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pyte
import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip

from tests.ui.running import until
from tests.ui.support import FakeBackend, app_with
from voxtui.events import Level
from voxtui.settings import Settings
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.screens.help import HelpScreen
from voxtui.ui.terminal.hold import HoldDriver
from voxtui.ui.widgets.meter import LevelMeter


class Paper:
    """What is written past the page, and what the page is asked to draw."""

    def __init__(self, app: VoxtuiApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot
        self.meter = app.live.query_one(LevelMeter)
        self.written: list[str] = []
        self.asked: list[Region] = []
        driver = HoldDriver.__new__(HoldDriver)
        driver._writer_thread = SimpleNamespace(write=self.written.append)  # type: ignore
        self._driver = driver

    def hear(self, level: Level) -> None:
        self.written.clear()
        self.asked.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.app, "_driver", self._driver)
            patch.setattr(self.meter, "refresh", lambda *regions, **_: self.asked.extend(regions))
            self.meter.hear(level)

    def cells(self, text: str, y: int) -> list[Any]:
        """What a terminal shows in one line after it was sent this."""
        screen = pyte.Screen(*self.app.size)
        screen.cursor_position(7, 3)
        pyte.Stream(screen).feed(text)
        assert (screen.cursor.y, screen.cursor.x) == (6, 2), "the cursor stays"
        touched = [line for line in range(screen.lines) if line != y and screen.buffer[line]]
        assert not touched, "other lines stay"
        return [screen.buffer[y][x] for x in range(screen.columns)]


@asynccontextmanager
async def listening(size: tuple[int, int] = (120, 40), **more: Any) -> AsyncIterator[Paper]:
    backend = FakeBackend()
    app = app_with(backend, clock=lambda: 1000.0, **more)
    async with app.run_test(size=size, tooltips=True) as pilot:
        await pilot.press("l")
        await pilot.pause(0.1)
        yield Paper(app, pilot)


@pytest.mark.parametrize("look", ["dark", "light", "terminal", "plain"])
async def test_the_same_cells_as_the_page(look: str) -> None:
    settings = Settings().replace(
        "appearance",
        theme=f"voxtui-{look.replace('plain', 'dark')}",
        plain_glyphs=look == "plain",
    )
    async with listening(settings=settings) as paper:
        for level in (Level(-50, -40), Level(-30, -20), Level(-3, -1), Level(-2, 0, clipped=True)):
            paper.hear(level)
            assert len(paper.written) == 1
            assert paper.asked == []
            region = paper.meter.region
            drawn = paper.app.screen._compositor.render_strips()[region.y]
            ours = Strip.join([drawn.crop(region.x, region.right)])
            at = f"\x1b7\x1b[{region.y + 1};{region.x + 1}H"
            page = at + ours.render(paper.app.console) + "\x1b8"
            cells = paper.cells(paper.written[0], region.y)
            assert cells == paper.cells(page, region.y)
            assert ("#" if look == "plain" else "█") in {cell.data for cell in cells}


async def test_a_level_that_looks_the_same_draws_nothing() -> None:
    async with listening() as paper:
        paper.hear(Level(-20.0, -12.0))
        assert paper.written
        paper.hear(Level(-20.01, -12.01))
        assert paper.written == paper.asked == []


async def test_without_such_a_terminal_the_page_draws_one_line() -> None:
    async with listening() as paper:
        paper._driver = paper.app._driver
        paper.hear(Level(-20.0, -12.0))
        assert paper.asked == [Region(0, 0, paper.meter.size.width, 1)]


async def test_nothing_is_drawn_over_another_screen() -> None:
    async with listening() as paper:
        await paper.app.push_screen(HelpScreen([], []))
        paper.hear(Level(-20.0, -12.0))
        assert paper.written == []
        assert paper.asked
        paper.app.pop_screen()
        await paper.pilot.pause(0.1)
        await paper.pilot.pause()
        paper.hear(Level(-10.0, -2.0))
        assert paper.written


async def test_nothing_is_drawn_over_what_lies_on_the_meter() -> None:
    async with listening() as paper:
        paper.hear(Level(-30.0, -22.0))
        assert paper.written
        paper.meter.tooltip = "how loud it is"
        await paper.pilot.hover(LevelMeter)
        await until(lambda: paper.app.screen.query("Tooltip").first().display)
        over = next(iter(paper.app.screen.query("Tooltip")))
        line = paper.meter.region.offset
        over.styles.offset = (9, line.y - over.region.y)
        await paper.pilot.pause()
        assert over.region.contains_point((line.x + 9, line.y))
        paper.hear(Level(-20.0, -12.0))
        assert paper.written == []
        assert paper.asked


async def test_it_goes_where_the_meter_goes() -> None:
    async with listening() as paper:
        paper.hear(Level(-30.0, -22.0))
        await paper.pilot.resize_terminal(70, 22)
        await paper.pilot.pause(0.1)
        await paper.pilot.pause()
        paper.hear(Level(-20.0, -12.0))
        region = paper.meter.region
        assert f"\x1b[{region.y + 1};{region.x + 1}H" in paper.written[0]
        drawn = "".join(cell.data for cell in paper.cells(paper.written[0], region.y))
        assert len(drawn.rstrip()) <= region.right
