"""How the transcript looks under the hand: cursor, selection, search, editing, doubts."""

from __future__ import annotations

import pytest

from tests.ui.support import TAIL, FakeBackend, note, speech
from tests.ui.test_reading import doubtful
from tests.ui.test_snapshots import LOOKS, NARROW, SIZES, USUAL, WIDE, Look, same
from voxtui.events import Event, TranscriptChanged
from voxtui.settings import Settings

__all__ = ["same"]  # a fixture

PAGE: tuple[Event, ...] = (
    TranscriptChanged(
        (
            speech("The café opens at nine, and the cafés by the lake at ten."),
            doubtful(),
            speech(
                "So the first thing is that we ship the small model with the package, and nobody"
                " has to download anything before they see words. Then we go to the café.",
                70,
            ),
            note("decide about the café", 90),
        ),
        TAIL,
    ),
)


@SIZES
@LOOKS
def test_selected_with_the_keys(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, *PAGE, press=("left", "ctrl+up", "ctrl+up", *["shift+left"] * 9))


@SIZES
@LOOKS
def test_searching(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, *PAGE, press=("slash", *"cafe", "up"))


@SIZES
@LOOKS
def test_editing_in_place(same: Look, size: tuple[int, int], look: str) -> None:
    keys = ("left", "ctrl+up", "ctrl+up", "ctrl+up", "e", *"And ")
    assert same(size, look, *PAGE, press=keys)


@SIZES
@LOOKS
def test_other_words(same: Look, size: tuple[int, int], look: str) -> None:
    keys = ("left", "home", *["right"] * 15, "o")
    settings = Settings().replace("appearance", doubts=True)
    assert same(size, look, *PAGE, press=keys, settings=settings)


def test_in_the_terminals_own_colours(same: Look) -> None:
    settings = Settings().replace("appearance", doubts=True)
    keys = ("left", "ctrl+up", "ctrl+up", *["shift+left"] * 9)
    assert same(USUAL, "terminal", *PAGE, press=keys, settings=settings)


def test_searching_in_the_terminals_own_colours(same: Look) -> None:
    assert same(USUAL, "terminal", *PAGE, press=("slash", *"cafe"))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "60x20"])
def test_without_times(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", *PAGE, press=("t",))


def test_a_note_that_waits_for_words(same: Look) -> None:
    waiting = TranscriptChanged((), TAIL, (), (note("ask Ann", 130),))
    assert same(USUAL, "dark", *PAGE, waiting, backend=FakeBackend())
