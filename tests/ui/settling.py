"""When has an application come to rest? Textual's pilot guesses by the processor's time."""

from __future__ import annotations

import asyncio
import time

from textual._context import active_app
from textual.pilot import Pilot
from textual.screen import Screen

STILL = 3
"""So many rounds of the event loop in which nobody had anything to do."""
LONGEST_S = 30.0
"""Something that always has more to do is no reason to wait for ever."""
REST_S = 0.002
"""For other threads, between such rounds."""
DELAY_S = 0.01
"""A little longer than the pages wait for more keys, as the tests are set up."""


async def settled(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Until the event loop has nothing to do, and all that changed is drawn.

    Textual's own `wait_for_idle`, whose place it takes, sleeps in steps of 20 ms until the process
    took little time: slow on each key, and deceived where other programs keep the processor busy.
    """
    app = active_app.get(None)
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    end = time.monotonic() + max_sleep
    least = time.monotonic() + min_sleep
    never = time.monotonic() + LONGEST_S
    still = 0
    while (still < STILL or time.monotonic() < least) and time.monotonic() < end:
        await asyncio.sleep(REST_S)
        rounds = 0
        while ready and time.monotonic() < never:
            rounds += 1
            await asyncio.sleep(0)
        still = 0 if rounds > 1 else still + 1
        if still and app is not None and app._screen_stacks and undrawn(app.screen):
            app.screen._on_timer_update()
            still = 0


def undrawn(screen: Screen[object]) -> bool:
    """Does something wait for the next time the screen is drawn?"""
    changed = screen._layout_required or screen._scroll_required or screen._repaint_required
    waits = screen._dirty_widgets or screen._recompose_required or screen._callbacks
    return screen.is_running and bool(changed or waits)


async def quiet(pilot: Pilot[None]) -> None:
    """What threads had to do is done and shown, and what followed from that."""
    for _ in range(3):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause(DELAY_S)
        await pilot.pause()
