"""The transcript under the hand: cursor, selection, copies, search."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.running import running, said, settled, tell, until
from tests.ui.support import TALK, FakeBackend, gap, note, speech, talk
from voxtui.events import Alternative, Segment, SegmentKind, TranscriptChanged, Word
from voxtui.ui.widgets.cursor import Place
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.searchline import SearchLine
from voxtui.ui.widgets.transcript import TranscriptView

LINES = tuple(speech(f"paragraph {n} has some words of its own", n * 70) for n in range(60))


def view_of(pilot: Pilot[None]) -> TranscriptView:
    return pilot.app.screen.query_one(TranscriptView)


def word(pilot: Pilot[None]) -> str:
    view = view_of(pilot)
    assert view.cursor is not None
    return view.page.block(view.cursor.block).text[view.cursor.at :].split()[0]


def foot(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(KeyBar).render_line(0).text


# ---- the cursor


async def test_arrows_bring_a_cursor_and_escape_takes_it_away() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged(TALK[:2]))
        view = view_of(pilot)
        await pilot.press("left")
        assert word(pilot) == "there."
        assert "other words" in foot(pilot) or "words" in foot(pilot)
        await pilot.press("left")
        assert word(pilot) == "already"
        await pilot.press("right", "right", "right")
        assert word(pilot) == "there.", "it stays at the end"
        await pilot.press("ctrl+up")
        assert word(pilot) == "The"
        await pilot.press("left")
        assert word(pilot) == "words.", "the last word of the paragraph above"
        await pilot.press("up")
        assert view.cursor is not None
        assert view.cursor.block == 0
        await pilot.press("home")
        assert word(pilot) == "So"
        await pilot.press("ctrl+down", "escape")
        assert view.cursor is None
        assert "live" in foot(pilot)


async def test_the_cursor_scrolls_the_page_and_end_follows_again() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged(LINES))
        view = view_of(pilot)
        for _ in range(20):
            await pilot.press("up")  # scrolls: no cursor yet
        await pilot.press("left", *["up"] * 12)
        row = view.page.find_row(*view.cursor) if view.cursor else -1
        assert 0 <= row - view.scroll_offset.y < view.size.height
        assert not view.following
        await tell(pilot, TranscriptChanged((), speech("two words", 5000)))
        assert view.new_words == 2
        await pilot.press("end")
        assert view.following
        assert view.cursor is None


async def test_a_click_puts_the_cursor_on_a_word() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, *talk())
        view = view_of(pilot)
        await pilot.click(TranscriptView, offset=(view.gutter_width + 4, 0))
        assert word(pilot) == "the"
        await pilot.click(TranscriptView, offset=(1, view.page.row_count + 1))
        assert view.cursor is None


# ---- selecting and copying


async def test_words_are_selected_with_shift_and_arrows_and_copied() -> None:
    copied: list[str] = []
    async with running(FakeBackend(), copied=copied) as pilot:
        await tell(pilot, TranscriptChanged(TALK[:2]))
        await pilot.press("left", "shift+left", "shift+left")
        await pilot.press("c")
        await until(lambda: copied)
        assert copied == ["were already there."]
        await until(lambda: said(pilot))
        assert said(pilot) == "The selection, 3 words, copied."
        await pilot.press("escape", "escape", "c")
        await until(lambda: len(copied) == 2)
        assert copied[1].startswith("So the first")


async def test_paragraphs_are_selected_across() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged(TALK))
        view = view_of(pilot)
        await pilot.press("home")
        view.cursor = Place(0, 0)
        await pilot.press("right", "v", "ctrl+down", "ctrl+down")
        text = pilot.app.screen.get_selected_text()
        assert text is not None
        first, second, third = text.split("\n\n")
        assert first == TALK[0].text.removeprefix("So ")
        assert second == TALK[1].text
        assert third == "▸ decide"
        await pilot.press("v", "right")
        assert view.selected is None, "V ends it"
        await pilot.press("ctrl+a")
        assert view.selected_text().startswith("So the")
        assert view.selected_text().endswith("the delay")


async def test_ctrl_c_copies_what_keys_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(FakeBackend()) as pilot:
        taken: list[str] = []
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", taken.append)
        await tell(pilot, TranscriptChanged(TALK[:1]))
        await pilot.press("left", "shift+left", "ctrl+c")
        assert taken == ["see words."]


async def test_a_drag_selects_and_the_window_may_change() -> None:
    async with running(FakeBackend(), size=(100, 30)) as pilot:
        await tell(pilot, TranscriptChanged(TALK[:2]))
        view = view_of(pilot)
        at = view.gutter_width
        await pilot.mouse_down(TranscriptView, offset=(at + 3, 0))
        await pilot.hover(TranscriptView, offset=(at + 12, 0))
        await pilot.mouse_up(TranscriptView, offset=(at + 12, 0))
        await settled(pilot)
        assert view.selected_text() == "the first"
        await pilot.resize_terminal(60, 20)
        await settled(pilot)
        assert view.selected_text() == "the first"
        assert "copy" in foot(pilot).lower() or " C " in foot(pilot)


async def test_copies_of_the_last_words_and_of_all() -> None:
    copied: list[str] = []
    async with running(FakeBackend(), copied=copied) as pilot:
        await pilot.press("y")
        await until(lambda: said(pilot) == "Nothing to copy yet.")
        one, two = speech("said long ago", 0), speech("said before", 70)
        three = speech("and now", two.end_s + 1)
        await tell(pilot, TranscriptChanged((one, note("a mark", 30), two, three)))
        await pilot.press("y")
        await until(lambda: copied)
        assert copied == ["said before\n\nand now"]
        await pilot.press("a")
        await until(lambda: len(copied) == 2)
        assert copied[1] == "said long ago\n\nsaid before\n\nand now"
        await until(lambda: said(pilot).startswith("The whole session, 7 words, copied"))


# ---- searching


async def test_search_while_typing_and_through_the_matches() -> None:
    async with running(FakeBackend()) as pilot:
        spoken = (speech("Le CAFÉ est chaud", 0), *LINES, speech("un café, deux cafés", 9000))
        await tell(pilot, TranscriptChanged(spoken))
        view = view_of(pilot)
        await pilot.press("slash", *"cafe")
        await until(lambda: view.match is not None)
        await settled(pilot)
        line = pilot.app.screen.query_one(SearchLine)
        assert "3 of 3" in shown(line)
        assert view.match is not None
        assert view.match.start == len("un café, deux ")
        await pilot.press("enter", "enter")
        assert view.match.block == 0
        await settled(pilot)
        assert "1 of 3" in shown(line)
        assert view.scroll_offset.y == 0
        assert not view.following
        await pilot.press("up")
        assert view.match.block == view.page.block_count - 1, "it begins anew"
        await pilot.press("down")
        assert view.match.block == 0
        await pilot.press("escape")
        assert not line.is_open
        assert word(pilot) == "CAFÉ", "the cursor stays on what was found"
        await pilot.press("slash")
        await pilot.press(*"zebra")
        await settled(pilot)
        assert "none" in shown(line)


async def test_words_that_come_while_searching_are_found() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged(LINES[:2]))
        view = view_of(pilot)
        await pilot.press("slash", *"zebra")
        await settled(pilot)
        await tell(pilot, TranscriptChanged((), speech("a zebra", 500)))
        await settled(pilot)
        assert "1" in shown(pilot.app.screen.query_one(SearchLine))
        assert view.match is None, "the page stays still"
        await pilot.press("enter")
        assert view.match is not None


def shown(line: SearchLine) -> str:
    assert line.query_one(Input).has_focus
    return str(list(line.children)[-1].render())


async def test_search_with_the_mouse_alone() -> None:
    async with running(FakeBackend(), size=(120, 40)) as pilot:
        await tell(pilot, TranscriptChanged(LINES))
        bar = pilot.app.screen.query_one(KeyBar)
        await pilot.click(KeyBar, offset=(foot(pilot).index("/ find"), 0))
        line = pilot.app.screen.query_one(SearchLine)
        assert bar.is_mounted
        assert line.is_open
        line.query_one(Input).value = "paragraph 5"
        view = view_of(pilot)
        await until(lambda: view.match is not None)
        await settled(pilot)
        first = view.match
        ways = list(line.children)[-1]
        await pilot.click(ways, offset=(str(ways.render()).index("↑"), 0))
        assert view.match != first


# ---- doubts and times


def doubtful() -> Segment:
    words = (
        Word(" turn", 0.3, 0.99),
        Word(" the", 0.5, 0.97),
        Word(" lite", 0.9, 0.31, (Alternative(" light", 0.29), Alternative(" late", 0.004))),
        Word(" on.", 1.2, 0.95),
    )
    return Segment(SegmentKind.SPEECH, 0.0, 1.2, 1_767_000_660.0, words)


async def test_doubtful_words_are_underlined_when_wished() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged((doubtful(), gap("some sound missing", 3))))
        view = view_of(pilot)

        def underlined() -> list[str]:
            return [s.text for s in view.render_line(0) if s.style and s.style.underline]

        assert underlined() == []
        await pilot.press("d")
        assert underlined() == ["lite"]
        assert pilot.app.screen.preferences.kept.appearance.doubts  # type: ignore[attr-defined]
        await pilot.press("d")
        assert underlined() == []


async def test_times_are_hidden_and_shown_with_a_key() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged(TALK[:2]))
        view = view_of(pilot)
        assert "09:31" in view.render_line(0).text
        await pilot.press("t")
        assert "09:31" not in view.render_line(0).text
        await pilot.press("t")
        assert "09:31" in view.render_line(0).text


async def test_what_waits_for_words_is_shown_below_them() -> None:
    async with running(FakeBackend()) as pilot:
        mark = note("here", 9)
        await tell(pilot, TranscriptChanged((), speech("still spoken"), (), (mark,)))
        view = view_of(pilot)
        assert [view.render_line(y).text.strip() for y in range(3)] == [
            *("09:31   still spoken", "", "▸ here")
        ]
        await tell(pilot, TranscriptChanged((speech("still spoken here"), mark)))
        assert view.render_line(2).text.strip() == "▸ here"
