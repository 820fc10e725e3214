"""The library running without a screen, with three sessions in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widgets import Static

from tests.ui.settling import quiet
from tests.ui.support import FakeBackend, app_with
from tests.unit.cli.conftest import engine, home
from voxtui.ui.screens.library_again import LibraryScreen
from voxtui.ui.widgets.reader import ReaderView
from voxtui.ui.widgets.sessionlist import SessionList
from voxtui.ui.widgets.status import MessageLine

__all__ = ["engine", "home"]  # fixtures
PATIENCE_S = 15.0
CAFE = "the café is open light on light off"


class Models(FakeBackend):
    """Writes again with the small model only."""

    def models(self) -> list[object]:  # type: ignore[override]
        return [choice for choice in super().models() if choice.value == "tiny"]


@asynccontextmanager
async def library(
    size: tuple[int, int] = (120, 40), copied: list[str] | None = None
) -> AsyncIterator[tuple[Pilot[None], LibraryScreen]]:
    """The application with the library open and filled."""
    app = app_with(Models(), copied=copied)
    async with app.run_test(size=size) as pilot:
        await pilot.press("b")
        await quiet(pilot)
        assert isinstance(app.screen, LibraryScreen)
        yield pilot, app.screen


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    for _ in range(round(PATIENCE_S / 0.02)):
        if true():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come to this")


def text(screen: LibraryScreen, id_: str) -> str:
    return str(screen.query_one(f"#library-{id_}", Static).render()).replace("\u00a0", " ")


def said(screen: LibraryScreen) -> str:
    return screen.query_one(MessageLine).text


def listed(screen: LibraryScreen) -> list[str]:
    return [info.first_words for info in screen.query_one(SessionList).entries]


def page(screen: LibraryScreen) -> str:
    reader = screen.query_one(ReaderView).page
    return "\n".join(reader.block(index).text for index in range(reader.block_count))
