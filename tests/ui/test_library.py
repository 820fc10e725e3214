"""The library: what keys and clicks do, what threads bring, and nothing lost."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.support.sessions import PARAGRAPH_S, STARTED, change_by_hand, make
from tests.ui.settling import quiet
from tests.ui.support import FakeBackend, app_with, speech
from tests.unit.cli.conftest import engine, home
from tests.unit.cli.conftest import speech as sound
from voxtui import paths
from voxtui.audio.player import Player
from voxtui.events import TokenText, TranscriptChanged
from voxtui.session import load_session
from voxtui.session.keeping import delete, rename
from voxtui.session.versions import list_versions
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.panels.asking import Ask, Questions
from voxtui.ui.screens.comparing import ComparingScreen
from voxtui.ui.screens.library_again import LibraryScreen
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.reader import ReaderView
from voxtui.ui.widgets.sessionlist import SessionList, day_name
from voxtui.ui.widgets.status import MessageLine

__all__ = ["engine", "home"]  # fixtures
PATIENCE_S = 15.0
CAFE = "the café is open light on light off"


class Models(FakeBackend):
    """Writes again with the small model only."""

    def models(self) -> list[object]:  # type: ignore[override]
        return [choice for choice in super().models() if choice.value == "tiny"]


@asynccontextmanager
async def library(
    size: tuple[int, int] = (120, 40), copied: list[str] | None = None
) -> AsyncIterator[tuple[Pilot[None], LibraryScreen]]:
    """The application with the library open and filled."""
    app = app_with(Models(), copied=copied)
    async with app.run_test(size=size) as pilot:
        await pilot.press("b")
        await quiet(pilot)
        assert isinstance(app.screen, LibraryScreen)
        yield pilot, app.screen


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    for _ in range(round(PATIENCE_S / 0.02)):
        if true():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come to this")


def text(screen: LibraryScreen, id_: str) -> str:
    return str(screen.query_one(f"#library-{id_}", Static).render()).replace("\u00a0", " ")


def said(screen: LibraryScreen) -> str:
    return screen.query_one(MessageLine).text


def listed(screen: LibraryScreen) -> list[str]:
    return [info.first_words for info in screen.query_one(SessionList).entries]


def page(screen: LibraryScreen) -> str:
    reader = screen.query_one(ReaderView).page
    return "\n".join(reader.block(index).text for index in range(reader.block_count))


@pytest.fixture
def root() -> Path:
    return paths.sessions_dir()


@pytest.fixture
def three(root: Path) -> list[Path]:
    return [
        make(root, "the café is open", "light on", "light off").path,
        make(root, "turn the light off", started=STARTED + 4000, note="kitchen").path,
        make(root, "good music", started=STARTED + 90_000).path,
    ]


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


# ---- searching


async def test_typing_searches_all_at_once(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press(*"CAFE li")
        await quiet(pilot)
        assert listed(screen) == [CAFE]
        reader = screen.query_one(ReaderView)
        assert reader.places == 3
        assert text(screen, "places") == "1 of 3"
        assert "1 of 3 sessions" in text(screen, "top")
        block = reader.page.block(reader.match.block).text if reader.match else ""
        assert block == "the café is open"
        await pilot.press("down", "n", "n")
        assert text(screen, "places") == "3 of 3"
        await pilot.press("n")
        assert text(screen, "places") == "1 of 3"
        await pilot.press("N")
        assert text(screen, "places") == "3 of 3"
        await pilot.press("escape")
        await quiet(pilot)
        assert len(listed(screen)) == 3
        assert screen.query_one(Input).value == ""


async def test_the_page_does_not_wait_for_the_file_of_the_search(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press("slash", *"caf")
        await until(pilot, lambda: listed(screen) and len(listed(screen)) < 3)
        index, held, let_go = screen.index(), threading.Event(), threading.Event()

        def hold() -> None:
            with index._lock:
                held.set()
                let_go.wait(PATIENCE_S)

        threading.Thread(target=hold).start()
        assert held.wait(PATIENCE_S)
        try:
            shelf = screen.query_one(SessionList)
            screen._snippets.begin(screen.query_)
            began = screen._snippets.of(shelf.entries[0])
            assert began is None, "it would have waited"
        finally:
            let_go.set()
        await until(pilot, lambda: screen._snippets.of(shelf.entries[0]))


async def test_nothing_found(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press(*"zebra")
        await quiet(pilot)
        assert listed(screen) == []
        assert "Nothing was found" in text(screen, "blank")
        assert screen.has_class("-blank")
        await pilot.press(*["backspace"] * 5)
        await quiet(pilot)
        assert len(listed(screen)) == 3
        assert not screen.has_class("-blank")


async def test_a_place_deep_in_a_huge_session(root: Path) -> None:
    import json

    path = make(root, "x").path
    lines = [json.dumps({"type": "session", "format": 1, "started": STARTED})]
    for number in range(50_000):
        at_s = number * 2.0 + 1
        word = " needle" if number == 49_000 else f" word{number}"
        lines.append(json.dumps({"type": "token", "text": word, "time": at_s, "start": True}))
        segment = {"kind": "speech", "start": at_s - 0.3, "end": at_s, "wall": STARTED + at_s}
        lines.append(json.dumps({"type": "segment", **segment, "words": 1}))
    lines.append(json.dumps({"type": "closed", "audio": 100_000, "done": 100_000}))
    (path / "events.jsonl").write_text("\n".join(lines) + "\n")
    (path / "session.json").unlink()
    async with library() as (pilot, screen):
        await pilot.press(*"needle")
        reader = screen.query_one(ReaderView)
        await until(pilot, lambda: reader.match is not None)
        assert reader.match is not None
        y = reader.page.find_row(reader.match.block)
        await until(pilot, lambda: 0 <= y - reader.scroll_offset.y < reader.size.height)
        assert reader.page.block(reader.match.block).text == "needle"


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


# ---- hearing


class Deaf(Player):
    """Notes what it is to play."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, float, float]] = []
        self.on = threading.Event()

    @property
    def playing(self) -> bool:
        return self.on.is_set()

    def play(
        self, path: Path, start_s: float, end_s: float, ended: Callable[[str], object]
    ) -> None:
        self.asked.append((path.parent.name, start_s, end_s))
        self.on.set()

    def stop(self) -> None:
        self.on.clear()


async def test_hearing_a_paragraph(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        screen.player = player = Deaf()
        await pilot.press("down", "end")
        await quiet(pilot)
        await pilot.press("enter", "right", "right", "p")
        await quiet(pilot)
        ((name, start_s, end_s),) = player.asked
        assert name == three[0].name
        assert PARAGRAPH_S * 0 <= start_s < end_s <= PARAGRAPH_S * 3
        segment = screen.query_one(ReaderView).paragraph()
        assert segment is not None
        assert (segment.start_s, segment.end_s) == (start_s, end_s)
        assert "P stops" in said(screen)
        await pilot.press("p")
        assert not player.playing


async def test_hearing_the_place_that_was_found(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        screen.player = player = Deaf()
        await pilot.press(*'"light off" cafe')
        await quiet(pilot)
        await pilot.press("down", "n", "p")
        await quiet(pilot)
        assert player.asked[0][1] >= 2 * PARAGRAPH_S


async def test_no_sound_and_no_player(
    three: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (three[2] / "audio.wav").unlink()
    async with library() as (pilot, screen):
        monkeypatch.setenv("PATH", str(tmp_path))
        await pilot.press("down", "p")
        await quiet(pilot)
        assert "no program to play sound" in said(screen)
        screen.player = Player(lambda: ["no-player"])
        await pilot.press("up")
        await quiet(pilot)
        await pilot.press("p")
        await quiet(pilot)
        assert "was not kept" in said(screen)


# ---- writing again


@pytest.fixture
def spoiled(root: Path, engine: Path) -> Path:
    return make(root, "w1 x w3", sound=sound(1, 2, 3)).path


async def test_written_again_compared_taken_and_undone(spoiled: Path) -> None:
    async with library() as (pilot, screen):
        await pilot.press("down", "t")
        await quiet(pilot)
        assert isinstance(pilot.app.screen, Ask)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparingScreen))
        assert load_session(spoiled).text.split() == ["w1", "x", "w3"]
        await pilot.press("enter")
        await until(pilot, lambda: screen._undo)
        await quiet(pilot)
        assert load_session(spoiled).text.split() == ["w1", "w2", "w3"]
        assert page(screen).split() == ["w1", "w2", "w3"]
        assert len(list_versions(spoiled)) == 1
        await pilot.press("u")
        await quiet(pilot)
        assert load_session(spoiled).text.split() == ["w1", "x", "w3"]
        await pilot.press("v")
        await quiet(pilot)
        await pilot.press("enter")
        await quiet(pilot)
        assert load_session(spoiled).text.split() == ["w1", "w2", "w3"]


async def test_what_was_changed_by_hand_is_told_before(spoiled: Path) -> None:
    change_by_hand(spoiled, "w1 why w3")
    async with library() as (pilot, _):
        await pilot.press("down", "t")
        await quiet(pilot)
        title = str(pilot.app.screen.query_one("#ask-title", Static).render())
        assert "changed by hand stays in the earlier version" in title


async def test_a_growing_one_is_not_read_again_under_the_reader(root: Path) -> None:
    session = make(root, *["light on"] * 60, close=False)
    async with library() as (pilot, screen):
        reader = screen.query_one(ReaderView)
        reader.scroll_to(y=9, animate=False)
        session.append_audio(bytes(32000 * 9))
        session.apply(TokenText(" again", 1208.0, True, 1.0))
        screen.look()
        await until(pilot, lambda: "20:09" in text(screen, "about"))
        await quiet(pilot)
        assert reader.scroll_offset.y == 9
    session.close()


async def test_the_old_words_are_kept(spoiled: Path) -> None:
    async with library() as (pilot, screen):
        await pilot.press("down", "t")
        await quiet(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparingScreen))
        await pilot.press("escape")  # later
        assert "T shows what differs" in text(screen, "job")
        await pilot.press("t")
        assert isinstance(pilot.app.screen, ComparingScreen)
        await pilot.press("o")
        await quiet(pilot)
        assert said(screen) == "The old words stay."
        assert not screen.has_class("-job")
        assert list_versions(spoiled) == []


async def test_stopped_in_the_middle(
    root: Path, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SPEED", "0.2")
    path = make(root, "x", sound=sound(*range(1, 60))).path
    async with library() as (pilot, screen):
        await pilot.press("down", "t")
        await quiet(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "left" in text(screen, "job"))
        await pilot.press("t")
        assert "X stops" in said(screen)
        await pilot.press("x")
        await until(pilot, lambda: not screen.has_class("-job"))
        assert load_session(path).text == "x"


async def test_it_goes_on_while_the_page_is_elsewhere(
    root: Path, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SPEED", "0.1")
    make(root, "x", sound=sound(*range(1, 9)))
    async with library() as (pilot, screen):
        app = pilot.app
        assert isinstance(app, VoxtuiApp)
        await pilot.press("down", "t")
        await quiet(pilot)
        await pilot.press("enter")
        await pilot.press("escape")
        assert app.screen is app.live
        await until(pilot, lambda: screen.again is not None and screen.again.waiting)
        assert "is written again" in app.live.query_one(MessageLine).text
        await pilot.press("b")
        await quiet(pilot)
        await pilot.press("down", "t")
        assert isinstance(app.screen, ComparingScreen)
        await pilot.press("o")
        await quiet(pilot)


async def test_a_session_without_its_sound(spoiled: Path) -> None:
    (spoiled / "audio.wav").unlink()
    async with library() as (pilot, screen):
        await pilot.press("down", "t")
        await quiet(pilot)
        await pilot.press("enter")
        await quiet(pilot)
        assert "was not kept" in said(screen)
        assert screen.again is None


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
