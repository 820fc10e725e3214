"""Captions: large words on the whole screen, the newest always in the same place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import MouseEvent, MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from tests.ui.running import running, settled, tell, until
from tests.ui.support import LOUD, FakeBackend, note, speech, stats, talk
from tests.ui.test_snapshots import (
    BEHIND,
    LIVE,
    LOOKS,
    NARROW,
    SILENT,
    SIZES,
    USUAL,
    Look,
    same,
)
from voxtui.events import (
    EngineChanged,
    EngineState,
    Level,
    ListeningChanged,
    SessionOpened,
    TranscriptChanged,
    UtteranceEnded,
)
from voxtui.settings import Settings
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.captions import Hearing, Sound
from voxtui.ui.glyphs import PlainGlyphs
from voxtui.ui.screens.captioning import Captioning
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.captionline import CaptionLine
from voxtui.ui.widgets.captions import CaptionsView, Large, Spaced
from voxtui.ui.widgets.editor import ParagraphEditor
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.letters import GAP, HEIGHT, can_draw, large, letter, width_of, wrap_large
from voxtui.ui.widgets.page import Page
from voxtui.ui.widgets.topline import TopLine
from voxtui.ui.widgets.transcript import TranscriptView

__all__ = ["same"]  # a fixture

LANGUAGES = (
    "The quick brown fox jumps over the lazy dog: 0123456789!",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "Dès Noël, où un zéphyr haï me vêt de glaçons würmiens, je dîne d’exquis rôtis.",
    "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia; ¿añoraba ¡qué!?",
    "À noite, vovô Kowalsky vê o ímã cair no pé do pinguim. Não, mãe, não põe!",
    "Ma la volpe, col suo balzo, ha raggiunto il quieto Fido. È così, perché più?",
    "Pa’s wĳze lynx bezag vroom het fikse aquaduct; reeël, coördinatie.",
    "Съешь ещё этих мягких французских булок, да выпей чаю. Щёголь — «Ъ», Ж, Ы, Э, Ю!",
)
"""Each letter of the languages that the model writes in these scripts."""


def view_of(pilot: Pilot[None]) -> CaptionsView:
    return pilot.app.screen.query_one(CaptionsView)


def sentence(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(CaptionLine).sentence


def wheel(view: CaptionsView, kind: type[MouseEvent]) -> MouseEvent:
    return kind(view, 5, 5, 0, 0, 0, False, False, False)


def drawn(view: CaptionsView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


# ---- the letters


@pytest.mark.parametrize("text", LANGUAGES)
def test_the_languages_have_their_letters(text: str) -> None:
    text = text.replace("ĳ", "ij")
    assert [c for c in set(text) if letter(c) is None] == []


def test_no_two_letters_look_alike() -> None:
    latin = {c for text in LANGUAGES[:-1] for c in text.replace("ĳ", "ij")}
    shapes = {c: letter(c) for c in sorted(latin) if not c.isspace()}
    assert len(set(shapes.values())) == len(shapes)
    assert letter("É") != letter("E")
    assert letter("ç") != letter("c")


def test_a_script_without_large_letters_is_known() -> None:
    assert not can_draw("こんにちは")
    assert not can_draw("مرحبا")
    assert can_draw("hello")


@given(st.text(alphabet="abcdefgij mMwW.é", max_size=80), st.integers(10, 200))
def test_large_rows_fit_and_lose_nothing(text: str, width: int) -> None:
    text = " ".join(text.split())
    rows = wrap_large(text, width)
    assert all(width_of(text[a:b]) <= max(width, 10 + GAP) for a, b in rows)
    assert "".join(text[a:b] for a, b in rows).replace(" ", "") == text.replace(" ", "")
    for a, b in rows:
        lines = large(text[a:b])
        assert len(lines) == HEIGHT
        assert len({len(line) for line in lines}) == 1
        assert len(lines[0]) <= (width_of(text[a:b]) + GAP + 1) // 2


@given(st.lists(st.sampled_from(["one", "another", "日本", "é"]), max_size=30))
def test_growing_words_never_change_rows_above(said: list[str]) -> None:
    page = Page(20, lambda at: "", Large())
    before: list[str] = []
    for at in range(len(said)):
        page.change(TranscriptChanged((), speech(" ".join(["so", *said[: at + 1]]))))
        rows = [page.row(y) for y in range(page.row_count)]
        now = [page.text_of(row) for row in rows if row is not None]
        if can_draw("".join(said[: at + 1])) == can_draw("".join(said[:at])):
            kept = before[: -rows[-1].lines] if before and rows[-1] is not None else []
            assert now[: len(kept)] == kept
        before = now


def test_pages_of_tall_rows_find_their_lines() -> None:
    page = Page(30, lambda at: "", Large())
    page.change(
        TranscriptChanged(tuple(speech(f"{n} and some more words", n * 70) for n in range(200)))
    )
    page.rewrap(24, None)
    while page.unfinished:
        page.refine()
    for block in (0, 1, 63, 64, 150, 199):
        row = page.row(page.find_row(block))
        assert row is not None
        assert (row.block, row.start, row.line) == (block, 0, 0)
    assert page.row(page.row_count) is None
    last = page.row(page.row_count - 1)
    assert last is not None
    assert (last.block, last.line) == (199, HEIGHT - 1)


# ---- what is heard


def test_what_is_heard_changes_calmly() -> None:
    hearing = Hearing(-45.0)
    hearing.hear(Level(-60, -50), 0.0)
    assert hearing.sound(0.0) is Sound.PAUSE
    assert hearing.sound(5.0) is Sound.QUIET
    hearing.hear(Level(-30, -20), 10.0)
    assert hearing.sound(10.0) is Sound.VOICE
    hearing.hear(Level(-70, -60), 10.5)
    assert hearing.sound(11.0) is Sound.VOICE, "between two words"
    assert hearing.sound(12.0) is Sound.PAUSE
    hearing.hear(Level(-43, -30), 20.0)
    assert hearing.sound(20.0) is Sound.SOFT
    hearing.hear(Level(-13, -3), 29.0)
    assert hearing.sound(29.0) is Sound.VOICE, "as people are recorded"
    hearing.hear(Level(-6, -1), 30.0)
    assert hearing.sound(30.0) is Sound.LOUD
    hearing.hear(Level(-3, 0, clipped=True), 31.0)
    assert hearing.sound(31.0) is Sound.TOO_LOUD


# ---- the screen


async def test_one_key_brings_captions_and_takes_them_away() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, *talk())
        screen = pilot.app.screen
        keys = screen.query_one(KeyBar).render_line(0).text
        await pilot.press("f")
        await settled(pilot)
        assert view_of(pilot).display
        assert not screen.query_one(TranscriptView).display
        assert not screen.query_one(TopLine).display
        await pilot.resize_terminal(80, 23)  # the foot is filled anew, though it is not shown
        await pilot.press("F")
        await settled(pilot)
        assert screen.query_one(KeyBar).render_line(0).text == keys
        assert not view_of(pilot).display
        assert screen.query_one(TranscriptView).display
        assert screen.query_one(TopLine).display
        await pilot.press("f", "escape")
        await settled(pilot)
        assert not view_of(pilot).display, "Escape leaves, too"


async def test_begun_with_captions_it_listens_at_once() -> None:
    backend = FakeBackend()
    async with running(backend, captions=True) as pilot:
        await until(lambda: ("listen", True) in backend.calls)
        await tell(pilot, TranscriptChanged((), speech("hello")))
        assert view_of(pilot).display
        await pilot.press("f")
        await settled(pilot)
        assert not view_of(pilot).display
        assert ("listen", False) not in backend.calls, "it goes on"
    recording = FakeBackend(source_name="talk.wav")
    async with running(recording, captions=True) as pilot:
        await until(lambda: recording.opened)
        await settled(pilot)
        assert ("listen", True) not in recording.calls, "a recording is heard by itself"


async def test_the_newest_words_are_always_in_the_same_place() -> None:
    async with running(FakeBackend()) as pilot:
        await pilot.press("l", "f")
        said = [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
        for so_far in range(1, len(said) + 1):
            await tell(pilot, TranscriptChanged((), speech(" ".join(said[:so_far]))))
            view = view_of(pilot)
            row = view.page.row(view.page.row_count - 1)
            assert row is not None
            newest = large(view.page.text_of(row))
            foot = drawn(view)[-HEIGHT:]
            assert [line.strip() for line in foot] == [line.strip() for line in newest]


async def test_a_row_is_drawn_as_a_whole_or_not_at_all() -> None:
    async with running(FakeBackend(), size=(80, 27)) as pilot:
        await tell(pilot, TranscriptChanged(tuple(speech("mmm " * 9, n * 70) for n in range(9))))
        await pilot.press("f")
        await settled(pilot)
        view = view_of(pilot)
        assert view.size.height % HEIGHT
        assert view.page.row_count > view.size.height
        lines = drawn(view)
        said = speech("mmm " * 9).text[: len("mmm mmm mmm mmm")]
        top, stems = (large(said)[n].strip()[:20] for n in (1, 2))
        tops = sum(line.strip().startswith(top) for line in lines)
        assert sum(line.strip().startswith(stems) for line in lines) == 2 * tops > 0


async def test_words_of_before_and_reading_back_while_words_come() -> None:
    async with running(FakeBackend()) as pilot:
        many = tuple(speech(f"paragraph {n} says a little", n * 70) for n in range(40))
        await tell(pilot, TranscriptChanged(many))
        await pilot.press("l", "f")
        await settled(pilot)
        view = view_of(pilot)
        assert len(view.page.blocks) == 40
        assert view.is_large
        assert view.scroll_offset.y == view.max_scroll_y > 0
        await pilot.press("pageup")
        y = view.scroll_offset.y
        assert not view.following
        await tell(pilot, TranscriptChanged((), speech("new words", 3000)))
        assert view.scroll_offset.y == y
        assert "2 new words" in drawn(view)[-1]
        await pilot.press("end")
        await settled(pilot)
        assert view.scroll_offset.y == view.max_scroll_y
        await pilot.press("up")
        assert view.max_scroll_y - view.scroll_offset.y == HEIGHT, "by a row of words"


async def test_the_wheel_moves_whole_rows() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged((speech("one long paragraph of words " * 20),)))
        await pilot.press("f")
        await settled(pilot)
        view = view_of(pilot)
        view.post_message(wheel(view, MouseScrollUp))
        await settled(pilot)
        assert view.max_scroll_y - view.scroll_offset.y == HEIGHT
        view.post_message(wheel(view, MouseScrollDown))
        await settled(pilot)
        assert view.following


async def test_an_hour_of_words_and_another_session() -> None:
    async with running(FakeBackend()) as pilot:
        many = tuple(speech(f"{n} says a little, and a little more", n * 70) for n in range(5000))
        await tell(pilot, TranscriptChanged(many))
        for _ in range(200):
            if not pilot.app.screen.query_one(TranscriptView).taking_in:
                break
            await settled(pilot)
        screen, view = pilot.app.screen, view_of(pilot)
        assert isinstance(screen, Captioning)
        screen.action_captions()
        assert view.taking_in
        assert not "".join(drawn(view)), "words do not run over the screen"
        for _ in range(400):
            if not (view.taking_in or view.page.unfinished) and view.page.row_count > 5000:
                break
            await settled(pilot)
        assert view.following
        assert view.scroll_offset.y == view.max_scroll_y
        row = view.page.row(view.page.row_count - 1)
        assert row is not None
        assert row.block == 4999
        assert "".join(drawn(view))
        await tell(pilot, SessionOpened("next", "/nowhere/next"))
        assert view.page.empty


async def test_another_size_of_letters_is_kept() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, *talk())
        await pilot.press("f", "minus")
        await settled(pilot)
        view = view_of(pilot)
        assert not view.is_large
        assert "throws audio away, and" in "\n".join(drawn(view))
        app = pilot.app
        assert isinstance(app, VoxtuiApp)
        assert not app.preferences.shown.appearance.large_captions
        await pilot.press("plus")
        await settled(pilot)
        assert view.is_large
        await pilot.resize_terminal(40, 24)
        await settled(pilot)
        assert not view.is_large, "there is no room"
        await pilot.press("plus")
        assert "make the window larger" in sentence(pilot)
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert view.is_large


async def test_other_scripts_show_in_the_terminals_letters() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(
            pilot, TranscriptChanged((speech("こんにちは"), speech("hello", 70), note("ok", 90)))
        )
        await pilot.press("f")
        await settled(pilot)
        text = "\n".join(drawn(view_of(pilot)))
        assert "こんにちは" in text
        assert "▸ ok" in text
        assert large("hello")[2].strip() in text


async def test_signs_that_every_font_has_mean_plain_letters() -> None:
    plain = Settings().replace("appearance", plain_glyphs=True)
    async with running(FakeBackend(), settings=plain) as pilot:
        await tell(pilot, *talk())
        await pilot.press("f", "plus")
        await settled(pilot)
        assert isinstance(view_of(pilot).page.layout, Spaced)
        assert not view_of(pilot).is_large


async def test_the_console_of_linux_has_plain_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    async with running(FakeBackend()) as pilot:
        await tell(pilot, *talk())
        await pilot.press("f")
        await settled(pilot)
        assert not view_of(pilot).is_large
        assert any(isinstance(each, PlainGlyphs) for each in pilot.app.get_line_filters())


async def test_it_says_how_it_stands() -> None:
    async with running(FakeBackend()) as pilot:
        await pilot.press("f")
        assert sentence(pilot) == "Not listening. L begins."
        await pilot.press("l")
        await tell(pilot, LOUD)
        assert sentence(pilot) == "Somebody is speaking."
        await tell(pilot, stats(100, 120, 1.5))
        assert sentence(pilot) == "The words come 20 s late. None is lost."
        await tell(pilot, stats(120, 120, 1.5), ListeningChanged(True, paused=True))
        assert sentence(pilot) == "Waiting for a voice."
        await tell(pilot, SILENT)
        assert sentence(pilot).startswith("The microphone delivers nothing")
        await tell(pilot, LOUD)
        assert pilot.app.screen.query_one(CaptionLine).bar == ("", ""), "it is told instead"
        assert pilot.app.screen.query_one(CaptionLine).warning
    async with running(FakeBackend((EngineChanged(EngineState.LOADING),))) as pilot:
        await pilot.press("f")
        assert sentence(pilot) == "One moment: the model is being loaded."


async def test_what_is_said_in_passing_moves_nothing() -> None:
    copied: list[str] = []
    async with running(FakeBackend(), copied=copied) as pilot:
        await tell(pilot, *talk())
        await pilot.press("f")
        await settled(pilot)
        height = view_of(pilot).size.height
        await pilot.press("c")
        await pilot.app.workers.wait_for_complete()
        await settled(pilot)
        assert copied
        assert "copied" in sentence(pilot)
        await tell(pilot, SILENT)
        assert view_of(pilot).size.height == height


async def test_keys_for_the_page_do_nothing_in_captions() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, *talk(), TranscriptChanged(), UtteranceEnded(130))
        await pilot.press("f", "left", "enter", "e", "x", "slash", "o", "s")
        await settled(pilot)
        assert pilot.app.screen.query_one(TranscriptView).cursor is None
        assert not pilot.app.screen.query(ParagraphEditor)
        backend = pilot.app.backend  # type: ignore[attr-defined]
        assert not [call for call in backend.calls if call[0] == "edit"]


async def test_with_the_mouse_alone() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, *talk())
        await pilot.press("f")
        await settled(pilot)
        line = pilot.app.screen.query_one(CaptionLine)
        width = line.content_size.width
        back = line.render().plain.index("F back") + 3
        assert back < width + 3
        await pilot.click(CaptionLine, offset=(back, 0))
        await settled(pilot)
        assert not view_of(pilot).display


async def test_settings_that_lie_beside_the_page_are_put_away() -> None:
    async with running(FakeBackend(), size=NARROW) as pilot:
        await tell(pilot, *talk())
        await pilot.press("s")
        await settled(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        await pilot.press("escape")
        app = pilot.app
        assert isinstance(app, VoxtuiApp)
        app.live.action_captions()
        await settled(pilot)
        assert view_of(pilot).size.height > 10


async def test_before_the_first_word() -> None:
    async with running(FakeBackend()) as pilot:
        await pilot.press("f")
        assert pilot.app.screen.query_one(BlankPage).display
        await pilot.press("l")
        await tell(pilot, TranscriptChanged((), speech("hello")))
        assert not pilot.app.screen.query_one(BlankPage).display
        assert view_of(pilot).display


# ---- pictures


@SIZES
@LOOKS
def test_reading_along(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, *LIVE, listening=True, press=("f",), then=(LOUD,))


@SIZES
def test_in_the_terminals_letters(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "light", *LIVE, listening=True, press=("f", "minus"), then=(LOUD,))


@SIZES
def test_something_is_wrong(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", *talk(), SILENT, listening=True, press=("f",))


def test_behind(same: Look) -> None:
    assert same(USUAL, "dark", *BEHIND, listening=True, press=("f",), then=(LOUD,))


def test_reading_back(same: Look) -> None:
    more = TranscriptChanged((), speech("And the words that come meanwhile", 122))
    press = ("f", "pageup")
    assert same(USUAL, "dark", *LIVE, listening=True, press=press, then=(more,))


def test_captions_of_nothing_yet(same: Look) -> None:
    assert same(USUAL, "light", press=("f",))


def test_captions_in_the_terminals_own_colours(same: Look) -> None:
    assert same(USUAL, "terminal", *LIVE, listening=True, press=("f",), then=(LOUD,))


def test_captions_very_small(same: Look) -> None:
    assert same((32, 10), "dark", *LIVE, listening=True, press=("f",))
