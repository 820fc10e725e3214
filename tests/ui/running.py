"""The application running without a screen: told events, settled, asked what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.message import Message
from textual.pilot import Pilot

from tests.ui.support import (
    FakeBackend,
    app_with,
)
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.widgets.status import MessageLine


@asynccontextmanager
async def running(
    backend: FakeBackend,
    size: tuple[int, int] = (80, 24),
    hook: Callable[[Message], None] | None = None,
    **more: object,
) -> AsyncIterator[Pilot[None]]:
    app = app_with(backend, **more)  # type: ignore[arg-type]
    async with app.run_test(size=size, message_hook=hook) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[None]) -> None:
    """Until the relay's frame and what follows from it are over."""
    await asyncio.sleep(0.04)
    await pilot.pause()
    await pilot.pause()


async def tell(pilot: Pilot[None], *events: object) -> None:
    app = pilot.app
    assert isinstance(app, VoxtuiApp)
    backend = app.backend
    assert isinstance(backend, FakeBackend)
    backend.emit(*events)  # type: ignore[arg-type]
    await settled(pilot)
    app.live.show_state()
    await pilot.pause()


def said(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(MessageLine).text


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")
