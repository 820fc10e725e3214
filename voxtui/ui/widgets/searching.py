"""Searching the page: slices of work while it is typed, and steps from match to match."""

from __future__ import annotations

import time

from textual.message import Message

from voxtui.ui.widgets.finding import Finder, Match
from voxtui.ui.widgets.pageview import REST_S, SLICE_S, PageView

LOOK_AT = 64


class Searching(PageView):
    """A page view that can look for words. Tells how far it is with `Found`."""

    class Found(Message):
        """Where the search stands: the match shown (0 for none) of so many; `done` when all
        paragraphs were looked at."""

        def __init__(self, number: int, total: int, done: bool) -> None:
            super().__init__()
            self.number = number
            self.total = total
            self.done = done

    _finder: Finder | None = None
    _looking = False
    _from: tuple[int, int] | None = None  # where the search began
    _aiming = False  # the first match is still to be shown
    match: Match | None = None
    """The match that is shown."""

    def search(self, query: str) -> None:
        """Look for something, from the bottom of what is in sight backwards."""
        if self._from is None:
            bottom = self.scroll_offset.y + self.scrollable_content_region.height - 1
            row = self.page.row(min(bottom, self.page.row_count - 1))
            self._from = (row.block, max(0, row.end)) if row is not None else (0, 0)
        self.match, self._aiming = None, True
        self._finder = Finder(query, lambda index: self.page.block(index).text)
        self.refresh()
        if not self._finder.query:
            self._tell_found()
        elif not self._looking:
            self._look()

    def stop_search(self) -> None:
        """Put the highlights away; the page stays where it is."""
        self._finder = self._from = self.match = None
        self.refresh()

    def step(self, by: int) -> None:
        """To the match before (-1) or after (1)."""
        finder = self._finder
        if finder is None:
            return
        at = (self.match.block, self.match.start) if self.match is not None else self._from
        found = finder.step(*(at or (0, 0)), by)
        if found is not None:
            self._show(found)
            self._tell_found()

    def matches_in(self, block: int) -> list[Match]:
        """What is to be highlighted in a block."""
        return self._finder.in_block(block) if self._finder is not None else []

    def _changed(self) -> None:
        super()._changed()
        finder = self._finder
        if finder is not None and finder.query:
            finder.forget(self._first_changed)
            if not self._looking:
                self._look()

    def _look(self) -> None:
        finder = self._finder
        if finder is None:
            self._looking = False
            return
        deadline = time.perf_counter() + SLICE_S
        count = self.page.block_count
        while finder.looked < count and time.perf_counter() < deadline:
            finder.look(range(finder.looked, min(count, finder.looked + LOOK_AT)))
        self._looking = finder.looked < count
        if self._looking:
            self.set_timer(REST_S, self._look)
        elif self._aiming:
            self._aiming = False
            found = finder.step(*(self._from or (0, 0)), -1)
            if found is not None:
                self._show(found)
        self._tell_found()

    def _show(self, found: Match) -> None:
        self.match = found
        self.show_row(self.page.find_row(found.block, found.start), margin=4)
        self.refresh()

    def _tell_found(self) -> None:
        finder = self._finder
        if finder is not None:
            number = finder.number(self.match) if self.match is not None else 0
            self.post_message(self.Found(number, finder.total, not self._looking))
