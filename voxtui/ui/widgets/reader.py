"""A session that is over, as it looked live: with the places a search found."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from voxtui.events import Segment, TranscriptChanged
from voxtui.session.index import Match as Place
from voxtui.session.matching import Query
from voxtui.ui.widgets.finding import Match
from voxtui.ui.widgets.transcript import TranscriptView

WAIT_S = 0.02
MARGIN = 4


class ReaderView(TranscriptView):
    """Shows a session from its top, or at the first place that was found."""

    class Turned(Message):
        """Another of the places is shown: this one (from 1) of so many."""

        def __init__(self, number: int, total: int) -> None:
            super().__init__()
            self.number = number
            self.total = total

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.segments: tuple[Segment, ...] = ()
        self._query = Query(())
        self._places: list[tuple[int, int]] = []  # segment, which of its places
        self._number = -1

    def read(self, segments: tuple[Segment, ...]) -> None:
        """Show other words."""
        self.clear()
        self.segments = segments
        self.change(TranscriptChanged(segments))
        self.following = False
        self.scroll_to(y=0, animate=False, immediate=True, force=True)

    def mark(self, query: Query, places: Sequence[Place]) -> None:
        """Highlight what was looked for, and go to its first place."""
        self._query = query
        self._places = [(p.number, n) for p in places for n in range(len(p.spans))]
        self._number, self.match = -1, None
        self.refresh()
        self.turn(1)

    @property
    def places(self) -> int:
        """How many places were found."""
        return len(self._places)

    def turn(self, by: int) -> None:
        """To the next place, or the one before; after the last comes the first."""
        if not self._places:
            return
        self._number = (self._number + by) % len(self._places) if self._number >= 0 else 0
        self._go()
        self.post_message(self.Turned(self._number + 1, len(self._places)))

    def _go(self) -> None:
        """Show the place; wait for it where the page is still being laid out."""
        if not 0 <= self._number < len(self._places):
            return
        segment, which = self._places[self._number]
        home = self.page.part_of(segment)
        if home is None:
            if self.taking_in:
                self.set_timer(WAIT_S, self._go)
            return
        block, part = home
        here = [match for match in self.matches_in(block) if match.start >= part.start]
        if here:
            self.match = here[min(which, len(here) - 1)]
            self.following = False
            self.show_row(self.page.find_row(block, self.match.start), margin=MARGIN)
        self.refresh()

    def matches_in(self, block: int) -> list[Match]:
        """The places in a paragraph."""
        if not self._query:
            return []
        return [Match(block, *span) for span in self._query.spans(self.page.block(block).text)]

    def paragraph(self) -> Segment | None:
        """What the cursor is on, else the place shown, else the top of the screen."""
        if self.cursor is not None:
            block, at = self.cursor
        elif self.match is not None:
            block, at = self.match.block, self.match.start
        else:
            row = self.page.row(self.scroll_offset.y)
            row = self.page.row(self.scroll_offset.y + 1) if row and row.end < 0 else row
            if row is None:
                return None
            block, at = row.block, row.start
        parts = [part for part in self.page.block(block).parts if part.start <= at]
        return parts[-1].segment if parts else None
