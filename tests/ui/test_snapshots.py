"""How it looks: each state, three sizes, dark and light, and in the terminal's own colours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.support import (
    HEARING,
    LOUD,
    SMALL,
    TAIL,
    FakeBackend,
    FrozenClock,
    app_with,
    gap,
    speech,
    stats,
    talk,
)
from voxtui.doctor import Check, Finding, State
from voxtui.events import (
    CaptureChanged,
    CaptureState,
    EngineChanged,
    EngineState,
    Event,
    Level,
    ListeningChanged,
    TranscriptChanged,
)
from voxtui.models.progress import Phase, Progress
from voxtui.settings import Settings
from voxtui.ui.app import VoxtuiApp
from voxtui.vocabulary import Rule, Vocabulary

Step = Callable[[Pilot[None]], Awaitable[None]]

WIDE, USUAL, NARROW = (120, 40), (80, 24), (60, 20)
SIZES = pytest.mark.parametrize("size", [WIDE, USUAL, NARROW], ids=["120x40", "80x24", "60x20"])
LOOKS = pytest.mark.parametrize("look", ["dark", "light"])

SILENT = CaptureChanged(
    CaptureState.SILENT,
    "MacBook Microphone",
    "The microphone delivers nothing at all: allow iTerm2 to use it in System Settings, Privacy"
    " & Security, Microphone; or it is muted, or the lid is closed.",
)
FAILED = EngineChanged(
    EngineState.FAILED,
    "The engine stopped 5 times in a row (was ended by signal 9, as happens when memory runs out)."
    " More is in ~/.local/state/voxtui/log/engine.log.",
)
LOST = CaptureChanged(CaptureState.LOST, "USB Headset")
LIVE = (*talk(), stats(119.8, 120.3), LOUD)
BEHIND = (*talk(), stats(100, 122, 0.6), LOUD)
LONG = (
    TranscriptChanged(
        tuple(speech(f"Paragraph {n} says little, and says it slowly.", n * 70) for n in range(30))
    ),
)


FETCHED = Progress(Phase.LOADING, 1_190_000_000, 2_830_000_000, 11_800_000, 139.0)
CUT = Progress(
    Phase.WAITING,
    1_190_000_000,
    2_830_000_000,
    note="The connection was cut. Trying again in 4 s.",
)
Q8 = "Voxtral-Mini-4B-Realtime-2602-Q8_0"


class Look:
    """Compares a state with its picture."""

    def __init__(self, compare: Callable[..., bool]) -> None:
        self._compare = compare
        self.clock = FrozenClock()

    def __call__(
        self,
        size: tuple[int, int],
        look: str,
        *events: Event,
        listening: bool = False,
        press: tuple[str, ...] = (),
        then: tuple[Event, ...] = (),
        backend: FakeBackend | None = None,
        settings: Settings | None = None,
        hold: bool = False,
        do: Step | None = None,
    ) -> bool:
        backend = backend or FakeBackend()
        settings = (settings or Settings()).replace("appearance", theme=f"voxtui-{look}")
        app = app_with(backend, settings=settings, clock=self.clock)

        async def before(pilot: Pilot[None]) -> None:
            await quiet(pilot)
            await pilot.app.workers.wait_for_complete()
            await quiet(pilot)
            if listening:
                await pilot.press("l")
                await quiet(pilot)
                self.clock.now += 252
            if hold:
                assert isinstance(pilot.app, VoxtuiApp)
                pilot.app.live.talking.press()
                await quiet(pilot)
            backend.emit(*events)
            await quiet(pilot)
            await pilot.press(*press)
            await pilot.app.workers.wait_for_complete()
            await quiet(pilot)
            backend.emit(*then)
            await quiet(pilot)
            if do is not None:
                await do(pilot)

        return self._compare(app, terminal_size=size, run_before=before)


async def quiet(pilot: Pilot[None]) -> None:
    """All that is on its way has arrived and is shown."""
    app = pilot.app
    assert isinstance(app, VoxtuiApp)
    for _ in range(2):
        await pilot.pause()
    app.live.show_state()
    await pilot.pause()


@pytest.fixture
def same(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> Look:
    monkeypatch.setattr("voxtui.ui.screens.frame.TICK_S", 3600.0)
    monkeypatch.setenv("VOXTUI_HOME", "/home/me/.voxtui")
    return Look(snap_compare)


@SIZES
@LOOKS
def test_idle(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look)


@SIZES
@LOOKS
def test_listening_with_a_tail(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, *LIVE, listening=True)


@SIZES
def test_listening_before_the_first_word(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", LOUD, listening=True)


@SIZES
def test_behind(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", *BEHIND, listening=True)


@SIZES
def test_silent_microphone(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "light", SILENT, listening=True)


def test_lost_microphone(same: Look) -> None:
    here = gap("sound is missing here: the microphone was away", 130)
    assert same(USUAL, "dark", *talk(), TranscriptChanged((here,)), LOST, listening=True)


@SIZES
def test_engine_failed(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", *talk(), FAILED, listening=True)


def test_engine_loading(same: Look) -> None:
    loading = FakeBackend((HEARING, EngineChanged(EngineState.LOADING)))
    assert same(USUAL, "dark", listening=True, backend=loading)


def test_engine_restarting(same: Look) -> None:
    again = EngineChanged(EngineState.RESTARTING, "It ended by itself.")
    assert same(NARROW, "light", *LIVE, again, listening=True)


@pytest.mark.parametrize("size", [USUAL, NARROW], ids=["80x24", "60x20"])
def test_too_loud(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", *talk(), Level(-3.0, 0.0, clipped=True), listening=True)


def test_a_rule_is_offered(same: Look) -> None:
    keys = ("left", "ctrl+up", "ctrl+up", "e", *["delete"] * 3, *"Now", "enter")
    assert same(USUAL, "light", *talk(), press=keys)


def test_preparing_microphone(same: Look) -> None:
    preparing = FakeBackend((CaptureChanged(CaptureState.PREPARING, "AirPods"), SMALL))
    assert same(USUAL, "light", listening=True, backend=preparing)


@SIZES
@LOOKS
def test_first_run(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, backend=FakeBackend((HEARING, SMALL), small_model=True))


def fetching(*more: Progress) -> FakeBackend:
    """The download of the advised model has been begun from the first page."""
    backend = FakeBackend((HEARING, SMALL), small_model=True)
    backend.shelf.progress = more or (FETCHED,)
    return backend


@SIZES
@LOOKS
def test_a_model_on_its_way(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, press=("enter",), backend=fetching())


@SIZES
def test_a_download_that_waits(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", press=("enter",), backend=fetching(FETCHED, CUT))


@SIZES
@LOOKS
def test_models(same: Look, size: tuple[int, int], look: str) -> None:
    backend = FakeBackend()
    backend.shelf.install("q4_k_m")
    backend.shelf.parts[Q8] = 1_200_000_000
    backend.shelf.progress = (FETCHED,)
    assert same(size, look, press=("g", "wait:300", "down", "enter", "up"), backend=backend)


@SIZES
def test_a_folder_one_has(same: Look, size: tuple[int, int]) -> None:
    press = (*["down"] * 6, "enter", *"/nowhere", "enter")
    backend = FakeBackend((HEARING, SMALL), small_model=True)
    assert same(size, "light", press=press, backend=backend)


@SIZES
@LOOKS
def test_settings(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, *LIVE, listening=True, press=("s", "tab", "down"))


@SIZES
@LOOKS
def test_help(same: Look, size: tuple[int, int], look: str) -> None:
    assert same(size, look, press=("question_mark",))


def test_reading_back_while_words_come(same: Look) -> None:
    more = TranscriptChanged((), TAIL)
    assert same(USUAL, "dark", *LONG, listening=True, press=("pageup",), then=(more,))


def test_writing_a_mark(same: Look) -> None:
    assert same(USUAL, "light", *LIVE, listening=True, press=("m", *"delay"))


def test_copied(same: Look) -> None:
    assert same(USUAL, "dark", *LIVE, press=("c",))


@SIZES
def test_leaving_with_a_backlog(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", *BEHIND, listening=True, press=("q",))


@LOOKS
def test_choosing_a_key(same: Look, look: str) -> None:
    assert same(USUAL, look, press=("s", "tab", "tab", "tab", "down", "enter", "c"))


@SIZES
def test_settings_of_the_keys(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "light", press=("s", "tab", "tab", "tab"))


@SIZES
def test_settings_of_the_sound(same: Look, size: tuple[int, int]) -> None:
    assert same(size, "dark", press=("s",))


def test_settings_of_the_files(same: Look) -> None:
    assert same(USUAL, "dark", press=("s", "shift+tab", "down", "enter", "~"))


def test_plain_signs(same: Look) -> None:
    plain = Settings().replace("appearance", plain_glyphs=True)
    assert same(USUAL, "dark", *LIVE, listening=True, settings=plain)


def test_held_with_the_mouse_or_a_key(same: Look) -> None:
    assert same(USUAL, "dark", LOUD, hold=True)


def test_waiting_for_a_voice(same: Look) -> None:
    assert same(USUAL, "dark", ListeningChanged(True, paused=True), listening=True)


FOUND = (
    Finding("machine", State.OK, "Debian 12; Intel Xeon, 8 cores (AVX2, AVX-512), 32 GB."),
    Finding("terminal", State.OK, "tmux, 120×40, all colours, over SSH."),
    Finding(
        "keys",
        State.NOTE,
        "tmux does not tell when a key is let go: a tap starts, a tap stops.",
        "Start voxtui outside tmux to hold a key, in a terminal that can: kitty, Ghostty, foot.",
    ),
    Finding("clipboard", State.UNKNOWN, "Copies are sent to the terminal, which never answers."),
    Finding("sound", State.BROKEN, "There is no sound library.", "On Debian: sudo apt install x."),
)


@SIZES
@LOOKS
def test_doctor(
    same: Look, size: tuple[int, int], look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Check(one.what, lambda one=one: one) for one in FOUND]  # type: ignore[misc]
    monkeypatch.setattr("voxtui.doctor.checks", lambda patient: found)
    monkeypatch.setattr("voxtui.ui.screens.doctor.FRAME_S", 3600.0)
    monkeypatch.setattr("voxtui.ui.screens.doctor.LISTEN_S", 3600.0)
    assert same(size, look, press=("h", "x", "f2"))


RULES = (Rule("vox tree", "Voxtral"), Rule("cooper netties", "Kubernetes"), Rule("um", ""))


@pytest.mark.parametrize("size", [USUAL, NARROW], ids=["80x24", "60x20"])
@LOOKS
def test_vocabulary(
    same: Look, size: tuple[int, int], look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voxtui.vocabulary.load", lambda path: (Vocabulary(RULES), []))
    assert same(size, look, press=("w", "down", "home"))


def test_vocabulary_without_rules(same: Look) -> None:
    assert same(NARROW, "dark", press=("w",))


def test_all_commands(same: Look) -> None:
    assert same(WIDE, "dark", *LIVE, press=("ctrl+p",))


def test_settings_in_the_terminals_own_colours(same: Look) -> None:
    assert same(USUAL, "terminal", *LIVE, press=("s",))


def test_all_commands_in_little_room(same: Look) -> None:
    assert same(NARROW, "light", press=("ctrl+p", *"co"))


def test_very_small(same: Look) -> None:
    assert same((32, 10), "dark", *LIVE, listening=True)


def test_in_the_terminals_own_colours(same: Look) -> None:
    assert same(USUAL, "terminal", *LIVE, listening=True)
