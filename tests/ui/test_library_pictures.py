"""How the library looks: four sizes, dark and light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.sessions import make
from tests.ui.settling import quiet
from tests.ui.support import NINE_THIRTY, FakeBackend, FrozenClock, app_with, speech
from voxtui.session.difference import difference
from voxtui.session.keeping import rename
from voxtui.settings import Settings
from voxtui.ui.screens.comparing import ComparingScreen
from voxtui.ui.screens.library_again import LibraryScreen
from voxtui.ui.widgets.sessionlist import SessionList

SIZES = pytest.mark.parametrize(
    "size",
    [(200, 50), (120, 40), (80, 24), (60, 20)],
    ids=["200x50", "120x40", "80x24", "60x20"],
)
LOOKS = pytest.mark.parametrize("look", ["dark", "light"])
DAY = 86_400.0

SAID = (
    (
        "So the first thing is that we ship the small model with the package, and nobody has to"
        " download anything before they see words.",
        "The second thing is the latency. It should feel like the words were already there.",
        "And when the engine is behind, it says so, it never throws audio away.",
    ),
    (
        "Dear Anna, thank you for the photographs of the garden.",
        "The café by the river is open again, we could meet there on Thursday.",
    ),
    ("Note to myself: the kitchen light flickers, call the electrician before the weekend.",),
    ("Travel goes down by ten percent.", "Equipment stays as it is.", "Training goes up."),
    ("Hello computer, please write a new note.",),
    ("Minutes of the third meeting. Present were Jo, Émile and Priya.",),
)
AGES = (600.0, 9_000.0, DAY + 3_000, 3 * DAY, 20 * DAY, 40 * DAY)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six sessions, one with a title, one broken."""
    monkeypatch.setattr("voxtui.ui.screens.frame.TICK_S", 3600.0)
    monkeypatch.chdir(tmp_path)
    root = Path("sessions")  # the same in every picture
    paths = []
    for paragraphs, age in zip(SAID, AGES, strict=True):
        note = "" if paths else "decide about the delay"
        paths.append(make(root, *paragraphs, started=NINE_THIRTY - age, note=note).path)
    rename(paths[3], "Budget")
    (paths[4] / "events.jsonl").write_bytes(b"\0")
    (paths[4] / "session.json").write_text("{")
    return root


@pytest.fixture
def same(snap_compare: Any, root: Path) -> Callable[..., bool]:
    def compare(
        size: tuple[int, int],
        look: str,
        *press: str,
        listening: bool = False,
        root: Path = root,
        then: Callable[[LibraryScreen], None] = lambda screen: None,
    ) -> bool:
        clock = FrozenClock()
        backend = FakeBackend()
        backend.sessions_dir = root
        settings = Settings().replace("appearance", theme=f"voxtui-{look}")
        app = app_with(backend, settings=settings, clock=clock)

        async def before(pilot: Pilot[None]) -> None:
            await quiet(pilot)
            if listening:
                await pilot.press("l")
                await quiet(pilot)
                clock.now += 252
            await pilot.press("b")
            screen = app.screen
            assert isinstance(screen, LibraryScreen)
            screen.query_one(SessionList)._now = lambda: NINE_THIRTY
            await quiet(pilot)
            for key in press:
                await pilot.press(key)
                await quiet(pilot)
            screen.show_top()
            then(screen)
            await quiet(pilot)

        return bool(snap_compare(app, terminal_size=size, run_before=before))

    return compare


Same = Callable[..., bool]


@SIZES
@LOOKS
def test_the_list(same: Same, size: tuple[int, int], look: str) -> None:
    assert same(size, look, "down", "up")


@SIZES
@LOOKS
def test_searching(same: Same, size: tuple[int, int], look: str) -> None:
    assert same(size, look, *"the la", listening=True)


@SIZES
@LOOKS
def test_reading(same: Same, size: tuple[int, int], look: str) -> None:
    assert same(size, look, "down", "enter")


@SIZES
@LOOKS
def test_what_differs(same: Same, size: tuple[int, int], look: str) -> None:
    old = [speech(paragraph, 70.0 * number) for number, paragraph in enumerate(SAID[0])]
    heard = ("we shipped a small model with the package", "It should feel", "it says so")
    new = [
        speech(paragraph.replace(was, became), 70.0 * number)
        for number, (paragraph, was, became) in enumerate(
            zip(
                SAID[0],
                ("we ship the small model with the package", "like the words", ", it says so,"),
                (heard[0], "as if the words", ","),
                strict=True,
            )
        )
    ]
    found = difference(
        [*old, speech("It is the same.", 300)], [*new, speech("It is the same.", 300)]
    )

    def show(screen: LibraryScreen) -> None:
        title = "The session of 09:21"
        screen.app.push_screen(ComparingScreen(found, title, "Voxtral 4B, 2400 ms"))

    assert same(size, look, then=show)


@SIZES
def test_exporting(same: Same, size: tuple[int, int]) -> None:
    assert same(size, "dark", "down", "e")


@SIZES
def test_again(same: Same, size: tuple[int, int]) -> None:
    assert same(size, "light", "down", "t")


@SIZES
def test_a_broken_one(same: Same, size: tuple[int, int]) -> None:
    assert same(size, "dark", "down", "end", "up", "enter")


@SIZES
def test_nothing_found(same: Same, size: tuple[int, int]) -> None:
    assert same(size, "light", *"zebra")


def test_empty(same: Same) -> None:
    assert same((80, 24), "dark", root=Path("none"))


def test_very_small(same: Same) -> None:
    assert same((32, 10), "dark", "down")


def test_in_the_terminals_own_colours(same: Same) -> None:
    assert same((80, 24), "terminal", *"the la", "down")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
def test_the_trash(same: Same, size: tuple[int, int]) -> None:
    assert same(size, "dark", "down", "d", "z")


def test_just_deleted(same: Same) -> None:
    assert same((80, 24), "light", "down", "d")
