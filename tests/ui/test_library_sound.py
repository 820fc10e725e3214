"""The sound of sessions in the library: heard, and written down again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.support.sessions import PARAGRAPH_S, change_by_hand, make
from tests.ui.settling import quiet
from tests.ui.shelves import library, page, said, text, until
from tests.unit.cli.conftest import engine, home
from tests.unit.cli.conftest import speech as sound
from voxtui.audio.player import Player
from voxtui.events import TokenText
from voxtui.session import load_session
from voxtui.session.versions import list_versions
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.panels.asking import Ask
from voxtui.ui.screens.comparing import ComparingScreen
from voxtui.ui.widgets.reader import ReaderView
from voxtui.ui.widgets.status import MessageLine

__all__ = ["engine", "home"]  # fixtures

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
