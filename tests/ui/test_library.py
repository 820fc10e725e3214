"""The library: showing sessions, and what is done with them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.support.sessions import STARTED, make
from tests.ui.settling import quiet
from tests.ui.shelves import CAFE, PATIENCE_S, library, listed, page, said, text, until
from tests.ui.support import FakeBackend, app_with, speech
from voxtui.events import TranscriptChanged
from voxtui.session.keeping import delete, rename
from voxtui.ui.panels.asking import Ask, Questions
from voxtui.ui.screens.help import HelpScreen, Lines
from voxtui.ui.screens.library_again import LibraryScreen
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.sessionlist import SessionList, day_name

# ---- showing


async def test_the_newest_is_shown_first(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        assert listed(screen) == ["good music", "turn the light off", CAFE]
        assert page(screen) == "good music"
        await pilot.press("down")
        await quiet(pilot)
        assert page(screen) == "turn the light off\nkitchen"
        assert "4 words" in text(screen, "about")
        await pilot.press("end")
        await quiet(pilot)
        assert page(screen) == "the café is open\nlight on\nlight off"


async def test_what_came_since_the_last_opening_is_chosen(three: list[Path], root: Path) -> None:
    """The list is first shown as it was then; the choice must not stay with what was newest."""
    async with library():
        pass
    make(root, "hello world", started=STARTED + 95_000)
    async with library() as (pilot, screen):
        assert page(screen) == "hello world"
        await pilot.press("escape")
        make(root, "good night", started=STARTED + 96_000)
        await pilot.press("b")
        await quiet(pilot)
        assert page(screen) == "good night"
        await pilot.press("down", "down", "escape")
        make(root, "good morning", started=STARTED + 97_000)
        await pilot.press("b")
        await quiet(pilot)
        assert len(listed(screen)) == 6
        assert page(screen) == "good music", "what somebody chose stays chosen"


async def test_a_click_chooses_and_a_second_one_reads(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        shelf = screen.query_one(SessionList)
        await pilot.click(SessionList, offset=(12, 5))  # day, two rows, blank, day, first row
        await quiet(pilot)
        assert shelf.at == 1
        assert page(screen).startswith("turn")
        await pilot.click(SessionList, offset=(12, 5), times=2)
        assert screen.has_class("-reading")
        await pilot.press("escape")
        assert not screen.has_class("-reading")


async def test_nothing_yet(root: Path) -> None:
    async with library() as (pilot, screen):
        assert str(root) in text(screen, "blank")
        for key in ("r", "d", "e", "c", "p", "t", "v", "z", "u", "n", "enter"):
            screen.query_one(SessionList).focus()
            await pilot.press(key)
        await quiet(pilot)
        assert pilot.app.screen is screen


async def test_new_ones_appear_by_themselves(
    root: Path, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voxtui.ui.screens.library.REFRESH_S", 0.1)
    async with library() as (pilot, screen):
        await pilot.press("down")
        make(root, "brand new", started=STARTED + 99_000)
        await until(pilot, lambda: len(listed(screen)) == 4)
        assert listed(screen)[0] == "brand new"
        chosen = screen.chosen
        assert chosen is not None
        assert chosen.first_words == "turn the light off"  # it stays with the reader


async def test_broken_and_running_ones_are_named(root: Path, three: list[Path]) -> None:
    (three[0] / "events.jsonl").unlink()
    session = make(root, "still talking", started=STARTED + 99_000, close=False)
    async with library() as (pilot, screen):
        assert "being written now" in text(screen, "about")
        await pilot.press("down", "up", "d")
        await quiet(pilot)
        assert "being written" in said(screen)
        assert session.path.exists()
        await pilot.press("down", "end")
        await quiet(pilot)
        assert "There is no session in" in text(screen, "about")
    session.close()


async def test_narrow_has_one_after_the_other(three: list[Path]) -> None:
    async with library((60, 20)) as (pilot, screen):
        assert screen.query_one(SessionList).size.width > 50
        assert not screen.query_one("#right").display
        await pilot.press("down", "enter")
        await quiet(pilot)
        assert screen.query_one("#right").display
        assert not screen.query_one("#left").display
        assert page(screen).startswith("turn")
        await pilot.press("escape", "escape")
        assert not isinstance(pilot.app.screen, LibraryScreen)


async def test_what_is_said_goes_on(three: list[Path]) -> None:
    app = app_with(backend := FakeBackend())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("l", "b")
        await quiet(pilot)
        screen = app.screen
        assert isinstance(screen, LibraryScreen)
        screen.show_top()
        assert "● listening" in text(screen, "top")
        backend.emit(TranscriptChanged((speech("said meanwhile"),)))
        await quiet(pilot)
        assert ("listen", False) not in backend.calls
        await pilot.press("escape")
        assert app.live.copybook.words == 2
        assert app.live.state.listening


# ---- changing


async def test_a_change_while_the_disk_is_being_read(
    three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library() as (pilot, screen):
        begun, go_on = threading.Event(), threading.Event()
        index, refresh = screen.index(), screen.index().refresh

        def slow(*arguments: object) -> None:
            refresh(*arguments)  # type: ignore[arg-type]
            begun.set()
            go_on.wait(PATIENCE_S)

        monkeypatch.setattr(index, "refresh", slow)
        screen.look()
        await until(pilot, begun.is_set)
        rename(three[2], "Music")
        screen.look()
        go_on.set()
        await quiet(pilot)
        chosen = screen.chosen
        assert chosen is not None
        assert chosen.title == "Music"


async def test_a_title_and_back(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press("down", "r")
        assert isinstance(pilot.app.screen, Ask)
        await pilot.press(*"Light", "enter")
        await quiet(pilot)
        chosen = screen.chosen
        assert chosen is not None
        assert (chosen.title, chosen.name) == ("Light", three[1].name)
        await pilot.press("r", "escape", "u")
        await quiet(pilot)
        assert screen.chosen is not None
        assert screen.chosen.title == ""


async def test_to_the_trash_and_back(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press("down", "d")
        await quiet(pilot)
        assert not three[1].exists()
        assert "U brings it back" in said(screen)
        assert len(listed(screen)) == 2
        assert page(screen).startswith("the café")  # the next one
        await pilot.press("delete")
        await quiet(pilot)
        assert len(listed(screen)) == 1
        await pilot.press("u", "u")
        await quiet(pilot)
        assert len(listed(screen)) == 3
        assert three[1].exists()
        await pilot.press("u")
        assert said(screen) == "There is nothing to undo." or "Back" in said(screen)


async def test_back_from_the_trash_later(three: list[Path]) -> None:
    delete(three[0], 1.0)
    delete(three[1], 2.0)
    async with library() as (pilot, screen):
        await pilot.press("down", "z")
        await quiet(pilot)
        assert isinstance(pilot.app.screen, Ask)
        await pilot.press("right", "enter")
        await quiet(pilot)
        assert three[0].exists()
        assert len(listed(screen)) == 2


async def test_export_by_keys(three: list[Path], tmp_path: Path) -> None:
    async with library() as (pilot, screen):
        await pilot.press("down", "e")
        question = pilot.app.screen.query_one(Questions).questions[0]
        assert question.choice.value == "md"
        await pilot.press("left", "enter")
        await quiet(pilot)
        written = three[1] / f"{three[1].name}.txt"
        assert written.read_text() == "turn the light off\n[mark: kitchen]\n"
        assert written.name in said(screen)
        await pilot.press("e", "down", "ctrl+u", *str(tmp_path / "none"), "enter")
        await quiet(pilot)
        assert "There is no folder" in said(screen)


async def test_export_by_mouse(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.click(SessionList, offset=(12, 1))
        await quiet(pilot)
        bar = screen.query_one("#library-more", KeyBar)
        await pilot.click(bar, offset=(3 + str(bar.render()).index("export"), 0))
        await quiet(pilot)
        asked = pilot.app.screen
        assert isinstance(asked, Ask)
        rows = asked.query_one(Questions)
        later = str(rows.render()).index("›")
        await pilot.click(rows, offset=(later, 0))
        assert rows.questions[0].choice.value == "srt"
        await pilot.click(asked.query_one(KeyBar), offset=(2, 0))
        await quiet(pilot)
        assert (three[2] / f"{three[2].name}.srt").exists()


async def test_copy(three: list[Path]) -> None:
    copied: list[str] = []
    async with library(copied=copied) as (pilot, screen):
        await pilot.press("down", "end")
        await quiet(pilot)
        await pilot.press("c")
        await quiet(pilot)
        assert copied[-1] == "the café is open\n\nlight on\n\nlight off"
        assert said(screen) == "8 words copied."


# ---- the way in and out


async def test_by_the_palette(three: list[Path]) -> None:
    app = app_with(FakeBackend())
    async with app.run_test(size=(120, 40)) as pilot:
        names = {command.title: command for command in app.get_system_commands(app.screen)}
        assert "Library" in names
        names["Library"].callback()
        await quiet(pilot)
        assert isinstance(app.screen, LibraryScreen)
        await pilot.press("down")
        inside = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Rename", "Delete", "Export", "Again", "Trash", "Versions"} <= inside
        await pilot.press("b")
        assert app.screen is app.live
        await pilot.press("b")
        await quiet(pilot)
        assert isinstance(app.screen, LibraryScreen)


def test_days_have_names() -> None:
    today = STARTED
    assert day_name(today, today) == "Today"
    assert day_name(today - 86_400, today) == "Yesterday"
    assert day_name(today - 6 * 86_400, today) == "Monday 16 November"
    assert day_name(today - 400 * 86_400, today) == "Saturday 18 October 2025"
    assert day_name(0, today) == "Without a date"


async def test_help_opens_from_the_list_and_from_the_field(three: list[Path]) -> None:
    async with library(size=(120, 50)) as (pilot, screen):
        assert "? help" in screen.query_one("#library-more", KeyBar).render_line(0).text
        await pilot.press("question_mark")
        await quiet(pilot)
        assert isinstance(pilot.app.screen, HelpScreen)
        shown = "\n".join(str(lines.render()) for lines in pilot.app.screen.query(Lines))
        for words in (
            "Transcribe it again",
            "To the trash",
            "searched, by their beginnings",
            "N Shift+N",
        ):
            assert words in shown
        assert "Begin a new session" not in shown
        await pilot.press("escape")
        await quiet(pilot)
        assert pilot.app.screen is screen
        assert screen.query_one(Input).value == ""
        await pilot.press("down", "question_mark")
        await quiet(pilot)
        assert isinstance(pilot.app.screen, HelpScreen)


async def test_keys_are_letters_of_either_case(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press("down")
        await quiet(pilot)
        foot = screen.query_one("#library-more", KeyBar).render_line(0).text
        assert "R rename" in foot
        assert "Shift" not in foot
        await pilot.press("R")
        await quiet(pilot)
        assert isinstance(pilot.app.screen, Ask)
        await pilot.press("escape", "D")
        await quiet(pilot)
        await until(pilot, lambda: len(listed(screen)) == 2)
