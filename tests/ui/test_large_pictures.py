"""How it looks on a large screen, and in the middle of a very long session."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot

from tests.ui.support import LOUD, FakeBackend, speech
from tests.ui.test_snapshots import FETCHED, LIVE, USUAL, Look, quiet, same
from voxtui.events import TranscriptChanged, Word
from voxtui.ui.widgets.transcript import TranscriptView

__all__ = ["same"]  # a fixture

LARGE = (200, 50)
MANY = 100_000


def test_live(same: Look) -> None:
    assert same(LARGE, "dark", *LIVE, listening=True)


def test_settings(same: Look) -> None:
    assert same(LARGE, "light", *LIVE, listening=True, press=("s", "tab", "down"))


def test_models(same: Look) -> None:
    backend = FakeBackend()
    backend.shelf.install("q4_k_m")
    backend.shelf.progress = (FETCHED,)
    assert same(LARGE, "dark", press=("g", "wait:300", "down", "enter", "up"), backend=backend)


def test_help(same: Look) -> None:
    assert same(LARGE, "light", press=("question_mark",))


def test_the_middle_of_a_very_long_session(same: Look) -> None:
    said = [
        speech(text).words
        for text in ("It is written.", "The same is said again, and again at some length: " * 3)
    ]
    spoken = tuple(
        replace(speech(f"{n}.", n * 70.0), words=(Word(f" {n}.", 0.3), *said[n % 3 == 0]))
        for n in range(MANY)
    )

    async def to_the_middle(pilot: Pilot[None]) -> None:
        view = pilot.app.screen.query_one(TranscriptView)
        for _ in range(1000):
            if len(view.page.blocks) == MANY:
                break
            await pilot.pause(0.05)
        for _ in range(2):  # rows are counted where one looks; then it is sure where that is
            view.scroll_to(y=view.page.find_row(MANY // 2), animate=False, immediate=True)
            await quiet(pilot)

    assert same(USUAL, "dark", TranscriptChanged(spoken), LOUD, listening=True, do=to_the_middle)
