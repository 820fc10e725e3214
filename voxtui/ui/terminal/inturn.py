"""Keys in turn: what a key does is done before the next one is looked at.

Textual chooses the widget that a key is for when the key arrives, and runs what is bound to it
later. Of keys that arrive together (typed ahead of a busy machine, or sent by a program), those
behind one that opens a field would so reach the page below it. Here they wait for that field.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

from voxtui.ui.terminal.hold import TalkKey

LONGEST_S = 0.5
"""A key that is still not done after this holds the others up no more."""


class InTurn(App[None]):
    """An application that takes one key, or one paste, after the other."""

    _under_way = 0
    """The number of the key whose effects are waited for; 0 for none."""
    _taken = 0

    def __init__(self, driver_class: type | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self._behind: deque[events.Event] = deque()
        self._patience: asyncio.TimerHandle | None = None

    async def on_event(self, event: events.Event) -> None:
        """Keys, pastes and the talk key in the order they came; all else as it comes."""
        if not isinstance(event, events.Key | events.Paste | TalkKey) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way:
            self._behind.append(event)
        else:
            await self._take(event)

    async def _take(self, event: events.Event) -> None:
        if isinstance(event, TalkKey) or not self._screen_stacks:
            await super().on_event(event)
            return
        self._taken += 1
        number = self._under_way = self._taken
        give_up = lambda: self.call_later(self._done, number)  # noqa: E731
        self._patience = asyncio.get_running_loop().call_later(LONGEST_S, give_up)
        way = self._way_up()
        await super().on_event(event)

        async def look_again() -> None:
            # What is open by now may still be on its way to being there.
            await _through(self._way_up(), lambda: self._done(number))

        # The key goes up to the application; then so does what its action told a widget.
        await _through([*way, *way], look_again)

    def _way_up(self) -> list[MessagePump]:
        """From what has the keys now to the application."""
        return [*(self.focused or self.screen).ancestors_with_self, self]

    async def _done(self, number: int) -> None:
        if number != self._under_way:
            return
        self._under_way = 0
        if self._patience is not None:
            self._patience.cancel()
        while self._behind and not self._under_way:
            await self._take(self._behind.popleft())


async def _through(way: list[MessagePump], then: Callable[[], Awaitable[None]]) -> None:
    """Go through the queues of these, one behind the other, and then on."""
    left = iter(way)

    async def step() -> None:
        for pump in left:
            if pump.call_later(step):  # False where it has gone meanwhile
                return
        await then()

    await step()
