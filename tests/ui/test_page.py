"""Scrolling, copying and marking the words, and other sessions."""

from __future__ import annotations

from textual.widgets import Input

from tests.ui.running import running, said, tell, until
from tests.ui.support import (
    FakeBackend,
    speech,
    talk,
)
from voxtui.events import (
    TranscriptChanged,
    UtteranceEnded,
)
from voxtui.settings import Settings
from voxtui.ui.widgets.transcript import TranscriptView


async def test_following_stops_when_scrolled_up_and_returns_with_end() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        view = pilot.app.screen.query_one(TranscriptView)
        many = tuple(speech(f"paragraph {n} says a little", n * 70) for n in range(40))
        await tell(pilot, TranscriptChanged(many))
        assert view.scroll_offset.y == view.max_scroll_y > 0
        await tell(pilot, TranscriptChanged((), speech("a new tail of words " * 9, 3000)))
        assert view.scroll_offset.y == view.max_scroll_y
        assert view.new_words == 0

        await pilot.press("pageup")
        y = view.scroll_offset.y
        assert not view.following
        await tell(pilot, TranscriptChanged((), speech("a longer tail of words " * 20, 3000)))
        assert view.scroll_offset.y == y
        assert view.new_words == 55
        assert "55 new words" in view.render_line(view.size.height - 1).text

        await pilot.press("end")
        await pilot.pause()
        assert view.following
        assert view.new_words == 0
        assert view.scroll_offset.y == view.max_scroll_y


async def test_the_reader_stays_at_the_paragraph_when_the_window_changes() -> None:
    backend = FakeBackend()
    async with running(backend, size=(120, 40)) as pilot:
        view = pilot.app.screen.query_one(TranscriptView)
        many = tuple(speech(f"paragraph {n} " + "talks on " * 20, n * 70) for n in range(900))
        await tell(pilot, TranscriptChanged(many))
        view.scroll_to(y=view.page.row_count // 2, animate=False)
        await pilot.pause()
        top = view.page.row(view.scroll_offset.y)
        assert top is not None
        await pilot.resize_terminal(60, 20)
        await until(lambda: not view.page.unfinished)
        await pilot.pause()
        now = view.page.row(view.scroll_offset.y)
        assert now is not None
        assert now.block == top.block
        assert not view.following


async def test_selected_words_come_without_times_and_row_ends() -> None:
    backend = FakeBackend()
    copied: list[str] = []
    async with running(backend, copied=copied) as pilot:
        await tell(pilot, *talk())
        view = pilot.app.screen.query_one(TranscriptView)
        view.text_select_all()
        await pilot.pause()
        text = pilot.app.screen.get_selected_text()
        assert text is not None
        assert text.split("\n\n")[0] == talk()[0].settled[0].text
        assert "09:3" not in text


async def test_copying_says_what_was_copied() -> None:
    backend = FakeBackend()
    copied: list[str] = []
    async with running(backend, copied=copied) as pilot:
        await pilot.press("c")
        assert said(pilot) == "Nothing to copy yet."
        await tell(pilot, TranscriptChanged((speech("one two three"),)))
        await pilot.press("c")
        await until(lambda: said(pilot) == "3 words copied.")
        await tell(pilot, TranscriptChanged((speech("four", 9),)))
        await pilot.press("c")
        await until(lambda: said(pilot) == "1 word since the last copy copied.")
        await pilot.press("c")
        await until(lambda: said(pilot) == "The whole session, 4 words, copied.")
    assert copied == ["one two three", "four", "one two three\n\nfour"]


async def test_copy_when_you_let_go() -> None:
    backend = FakeBackend()
    copied: list[str] = []
    chosen = Settings().replace("output", copy_after_stop=True)
    async with running(backend, settings=chosen, copied=copied) as pilot:
        await pilot.press("l", "l")
        await tell(pilot, TranscriptChanged((speech("just said"),)), UtteranceEnded(2))
        await until(lambda: copied == ["just said"])
        await tell(pilot, UtteranceEnded(3))
        assert copied == ["just said"], "no words, no copy"


async def test_marks_and_notes() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("m", "o", "k", "space", "l", "enter")
        await pilot.press("m", "enter")
        await pilot.press("m", "x", "escape")
        assert backend.calls[1:] == [("note", "ok l"), ("note", "mark")]
        assert not isinstance(pilot.app.focused, Input)
        await pilot.press("l")
        assert backend.calls[-1] == ("listen", True)


async def test_a_new_session_keeps_the_old_one_and_says_where() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await tell(pilot, *talk())
        await pilot.press("n")
        assert backend.calls[-1] == ("new_session",)
        assert "/nowhere/2025-12-29_09-31" in said(pilot)
