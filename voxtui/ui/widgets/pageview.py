"""A `Page` that scrolls: followed to its end, laid out in slices, however long it is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView

from voxtui.events import Segment, TranscriptChanged
from voxtui.memory import set_aside
from voxtui.ui.widgets.page import Page
from voxtui.ui.words import clock as wall_clock

WIDEST_TEXT = 92
STAMPED_FROM = 66
"""Narrower than this there are no time stamps."""
SLICE_S = 0.008
"""So long work of many paragraphs may take before the screen has its turn."""
REST_S = 0.004
SLICE_SEGMENTS = 100
"""More settled segments at once than this are taken in slices."""


SET_ASIDE_WORDS = 5000
"""So many more words are set aside from the garbage collector."""


class PageView(ScrollView, can_focus=False):
    """Shows what was said. Follows the end until the reader scrolls up."""

    following = reactive(True)
    new_words = reactive(0)
    """How many came since the view stopped following."""
    stamps = reactive(True)

    class FollowingChanged(Message):
        """The view began or stopped following the end."""

        def __init__(self, following: bool) -> None:
            super().__init__()
            self.following = following

    def __init__(
        self, *, id: str | None = None, clock: Callable[[float], str] = wall_clock
    ) -> None:
        super().__init__(id=id)
        self.page = Page(40, clock)
        self._moving = False
        self._waiting: deque[TranscriptChanged] = deque()  # changes that are taken in slices
        self._taken = 0  # settled segments of the first of them that were
        self._refining = False
        self._words = self._words_seen = self._words_settled = 0
        self._first_changed = 0  # the first block that the last change touched

    # ---- what it is given

    def change(self, change: TranscriptChanged) -> None:
        """Show what is new; a great many paragraphs come slice by slice."""
        if self._waiting or len(change.settled) > SLICE_SEGMENTS:
            self._waiting.append(change)
            set_aside()
            if len(self._waiting) == 1:
                self._take_slice()
            return
        self._take(change)

    @property
    def taking_in(self) -> bool:
        """Are there paragraphs that are not on the page yet?"""
        return bool(self._waiting)

    def clear(self) -> None:
        """Begin an empty page."""
        self._waiting.clear()
        self._taken = 0
        self._words = self._words_seen = self._words_settled = 0
        self.page.clear()
        self.following = True
        self._resized_page()
        self.refresh()

    def return_to_end(self) -> None:
        """Follow again."""
        self.following = True
        self._to_end()

    def _take(self, change: TranscriptChanged) -> None:
        before, settled = self.page.row_count, self.page.settled_rows
        top = self._top()
        self._first_changed = max(0, len(self.page.blocks) - 1)
        self.page.change(change)
        for index, _ in change.edited:
            home = self.page.part_of(index)
            self._first_changed = min(self._first_changed, home[0] if home else index)
        self._count(change.settled, change.tail)
        if self.page.row_count != before:
            self._resized_page()
        if change.edited:
            self._back_to(top)
            self.refresh()
        self.refresh_lines(settled, max(1, self.page.row_count - settled + 1))
        self._changed()

    def _take_slice(self) -> None:
        deadline = time.perf_counter() + SLICE_S
        first = max(0, len(self.page.blocks) - 1)
        while self._waiting and time.perf_counter() < deadline:
            change = self._waiting[0]
            if len(change.settled) - self._taken <= SLICE_SEGMENTS:
                self._waiting.popleft()
                rest, self._taken = change.settled[self._taken :], 0
                self._take(TranscriptChanged(rest, change.tail, change.edited, change.waiting))
            else:
                until = self._taken + SLICE_SEGMENTS
                slice_, self._taken = change.settled[self._taken : until], until
                self.page.settle(slice_)
                self._count(slice_, None)
        if self._waiting:
            self._first_changed = first
            self._resized_page()
            self._changed()
            self.set_timer(REST_S, self._take_slice)

    def _count(self, settled: Iterable[Segment], tail: Segment | None) -> None:
        before = self._words_settled
        self._words_settled += sum(len(segment.words) for segment in settled)
        if before // SET_ASIDE_WORDS != self._words_settled // SET_ASIDE_WORDS:
            set_aside()
        self._words = self._words_settled + (len(tail.words) if tail is not None else 0)
        if not self.following:
            self.new_words = max(0, self._words - self._words_seen)

    def _changed(self) -> None:
        """The page holds other words than before: for those who look through them."""

    # ---- measures

    @property
    def _stamp_width(self) -> int:
        return 8 if self.stamps and self.outer_size.width >= STAMPED_FROM else 0

    @property
    def gutter_width(self) -> int:
        """Cells left of the text."""
        margin = 3 if self.outer_size.width >= 40 and not self.screen.has_class("-narrow") else 1
        return margin + self._stamp_width

    def _text_width(self) -> int:
        right = 3 if self.size.width >= STAMPED_FROM else 2
        return max(8, min(WIDEST_TEXT, self.size.width - self.gutter_width - right))

    # ---- scrolling

    def _top(self) -> tuple[int, int, bool] | None:
        """What stands at the top: block, character, whether it is the blank row above."""
        row = self.page.row(self.scroll_offset.y)
        return None if row is None else (row.block, row.start, row.end < 0)

    def _back_to(self, top: tuple[int, int, bool] | None) -> None:
        """Have that at the top again; the end, when the end is followed."""
        if self.following:
            self._to_end()
        elif top is not None and top[0] < self.page.block_count:
            self._go_to(self.page.find_row(top[0], top[1], above=top[2]))

    def _resized_page(self) -> None:
        size = Size(self.scrollable_content_region.width, self.page.row_count)
        if size != self.virtual_size:
            self._moving = True
            self.virtual_size = size
            self._moving = False
        if self.following:
            self._to_end()

    def _to_end(self) -> None:
        self._go_to(self.max_scroll_y)
        while self.page.make_exact(self.scroll_offset.y, self.size.height):
            self._moving = True
            self.virtual_size = Size(self.scrollable_content_region.width, self.page.row_count)
            self._moving = False
            self._go_to(self.max_scroll_y)

    def _go_to(self, y: int) -> None:
        self._moving = True
        self.scroll_to(y=y, animate=False, immediate=True, force=True)
        self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._exact_here()
            self.following = round(self.scroll_y) >= self.max_scroll_y

    def _exact_here(self) -> None:
        """The reader came to rows that were only guessed."""
        while self.page.unfinished:
            top = self._top()
            if not self.page.make_exact(self.scroll_offset.y, self.size.height):
                return
            follow, self.following = self.following, False
            self._resized_page()
            self._back_to(top)
            self.following = follow
            self.refresh()

    def show_row(self, y: int, margin: int = 2) -> None:
        """Scroll no further than to have a row in sight."""
        height = self.scrollable_content_region.height
        margin = min(margin, max(0, (height - 1) // 2))
        top = self.scroll_offset.y
        if y < top + margin:
            self.scroll_to(y=max(0, y - margin), animate=False, immediate=True, force=True)
        elif y > top + height - 1 - margin:
            self.scroll_to(
                y=min(self.max_scroll_y, y - height + 1 + margin),
                animate=False,
                immediate=True,
                force=True,
            )

    def watch_following(self, following: bool) -> None:
        if following:
            self.new_words = 0
        else:
            self._words_seen = self._words
        self.post_message(self.FollowingChanged(following))

    def watch_new_words(self) -> None:
        self.refresh()

    # ---- another width

    def watch_stamps(self) -> None:
        if self.is_mounted:
            self._rewrap()

    def on_resize(self, event: events.Resize) -> None:
        if self._text_width() != self.page.width:
            self._rewrap()
        elif self.following:
            self._to_end()

    def _rewrap(self) -> None:
        top = self._top()
        near = None if self.following or top is None else top[0]
        self.page.rewrap(self._text_width(), near)
        self._resized_page()
        self._back_to(top)
        self.refresh()
        if self.page.unfinished and not self._refining:
            self._refining = True
            self.set_timer(REST_S, self._refine)

    def _refine(self) -> None:
        top, deadline = self._top(), time.perf_counter() + SLICE_S
        while self.page.unfinished and time.perf_counter() < deadline:
            self.page.refine()
        self._resized_page()
        self._back_to(top)
        self._refining = self.page.unfinished
        if self._refining:
            self.set_timer(REST_S, self._refine)
