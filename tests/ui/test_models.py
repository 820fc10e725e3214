"""The first page, the page of models and the line of a download, with keys and with the mouse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.ui.running import said, settled, until
from tests.ui.support import HEARING, READY, SMALL, FakeBackend, app_with
from voxtui.models.progress import Phase, Progress
from voxtui.models.store import Finding
from voxtui.settings import Settings
from voxtui.settingsfile import load
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.backend import CannotStartError
from voxtui.ui.screens.live import LiveScreen
from voxtui.ui.screens.models import ModelsScreen
from voxtui.ui.shelf import Ended
from voxtui.ui.widgets.fetchline import FetchLine
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.modellist import ModelList, ModelRow
from voxtui.ui.widgets.pathline import PathLine

Q4 = "Voxtral-Mini-4B-Realtime-2602-Q4_K_M"
Q8 = "Voxtral-Mini-4B-Realtime-2602-Q8_0"
HALF = Progress(Phase.LOADING, 1_415_000_000, 2_830_000_000, 12_000_000, 118.0)


def new_backend() -> FakeBackend:
    return FakeBackend((HEARING, SMALL), small_model=True)


@asynccontextmanager
async def running(
    backend: FakeBackend, size: tuple[int, int] = (80, 24), **more: object
) -> AsyncIterator[Pilot[None]]:
    app = app_with(backend, **more)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        await looked(pilot)
        yield pilot


async def looked(pilot: Pilot[None]) -> None:
    """What a look around found is shown."""
    for _ in range(2):
        await settled(pilot)
        await pilot.app.workers.wait_for_complete()
    await settled(pilot)


def page(pilot: Pilot[None]) -> ModelsScreen:
    screen = pilot.app.screen
    assert isinstance(screen, ModelsScreen)
    return screen


def chosen(pilot: Pilot[None]) -> str:
    return page(pilot).query_one(ModelList).name_chosen


def row(pilot: Pilot[None], name: str) -> str:
    for each in page(pilot).query(ModelRow):
        if each.line.name == name:
            return each.render().plain
    return ""


def text(pilot: Pilot[None], id_: str) -> str:
    return str(page(pilot).query_one(id_, Static).render())


def keys(pilot: Pilot[None]) -> str:
    return page(pilot).query_one(KeyBar).render().plain


def on_live(pilot: Pilot[None]) -> bool:
    return isinstance(pilot.app.screen, LiveScreen)


async def told(pilot: Pilot[None], backend: FakeBackend, *what: Progress | Ended) -> None:
    for each in what:
        backend.shelf.told(each)
    await looked(pilot)


# ---- the first page


async def test_the_first_page_shows_what_was_found_and_one_choice() -> None:
    async with running(new_backend(), size=(100, 40)) as pilot:
        found = text(pilot, "#models-found")
        for what in ("AMD Ryzen 7 4750U", "8 cores", "AVX2", "16 GB", "78 GB", "MacBook Mic",
                     "xclip", "kitty", "held"):  # fmt: skip
            assert what in found
        assert chosen(pilot) == Q4
        assert "recommended" in row(pilot, Q4)
        assert "real time" in row(pilot, Q4)
        details = text(pilot, "#models-details")
        assert "Apache-2.0" in details
        assert "3.4 GB of memory" in details
        assert "4 min at 100 Mbit/s" in details
        assert "in use" in row(pilot, "tiny")


async def test_enter_begins_the_download_and_the_small_model_goes_on_listening(
    tmp_path: Path,
) -> None:
    backend, file = new_backend(), tmp_path / "voxtui.toml"
    async with running(backend, settings_file=file) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        assert on_live(pilot)
        assert backend.shelf.calls == [("fetch", Q4)]
        await told(pilot, backend, HALF)
        line = pilot.app.screen.query_one(FetchLine)
        assert "50 %" in line.render().plain
        assert "2 min left" in line.render().plain
        await pilot.press("space")
        assert ("listen", True) in backend.calls
        backend.shelf.install("q4_k_m")
        await told(pilot, backend, Ended(""))
        assert backend.calls[-1] == ("use_model", "auto")
        assert "writes from now on" in said(pilot)
        assert not line.display
    assert load(file)[0].engine.model == "auto"


async def test_the_small_model_for_now_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "voxtui.toml"
    async with running(new_backend(), settings_file=file) as pilot:
        assert "small model for now" in keys(pilot)
        await pilot.press("escape")
        assert on_live(pilot)
    kept = load(file)[0]
    assert kept.appearance.dismissed_first_run
    async with running(new_backend(), settings=kept) as pilot:
        assert on_live(pilot)


async def test_a_download_that_did_not_end_is_offered_again(tmp_path: Path) -> None:
    backend, file = new_backend(), tmp_path / "voxtui.toml"
    async with running(backend, settings_file=file) as pilot:
        await pilot.press("enter")
        await settled(pilot)
    assert not load(file)[0].appearance.dismissed_first_run
    backend = new_backend()
    backend.shelf.parts[Q4] = 1_200_000_000
    async with running(backend, settings=load(file)[0]) as pilot:
        assert "1.2 GB of it here" in row(pilot, Q4)
        assert "go on loading" in keys(pilot)


@pytest.mark.parametrize(
    ("backend", "settings", "more"),
    [
        (FakeBackend((HEARING, READY)), Settings(), {}),
        (FakeBackend(small_model=True, source_name="talk.wav"), Settings(), {}),
        (FakeBackend(small_model=True), Settings().replace("engine", model="tiny"), {}),
        (FakeBackend(small_model=True), Settings(), {"demo": True}),
    ],
    ids=["real model", "a file", "tiny was wished", "demo"],
)
async def test_no_first_page(
    backend: FakeBackend, settings: Settings, more: dict[str, object]
) -> None:
    async with running(backend, settings=settings, **more) as pilot:
        assert on_live(pilot)


async def test_another_model_with_the_arrows() -> None:
    backend = new_backend()
    async with running(backend) as pilot:
        await pilot.press("down", "j", "down")
        assert chosen(pilot) == Q8
        assert "8.5" not in text(pilot, "#models-details")
        assert "half as quick" in text(pilot, "#models-details")
        await pilot.press("enter")
        assert backend.shelf.calls == [("fetch", Q8)]


async def test_the_advice_does_not_move_a_choice_that_was_made() -> None:
    backend = new_backend()
    async with running(backend) as pilot:
        await pilot.press("down")
        page(pilot).look_again()
        await looked(pilot)
        assert chosen(pilot) != Q4


async def test_with_the_mouse_alone() -> None:
    backend = new_backend()
    async with running(backend, size=(100, 40)) as pilot:
        rows = {each.line.name: each for each in page(pilot).query(ModelRow)}
        await pilot.click(rows[Q8])
        assert chosen(pilot) == Q8
        assert not backend.shelf.calls
        await pilot.click(rows[Q4])
        await pilot.click(KeyBar, offset=(4, 0))
        assert backend.shelf.calls == [("fetch", Q4)]
        await told(pilot, backend, HALF)
        await pilot.click(FetchLine)
        await looked(pilot)
        assert "50 %" in row(pilot, Q4)
        await pilot.click(KeyBar, offset=(4, 0))
        assert backend.shelf.calls[-1] == ("stop", Q4)


# ---- a folder


async def test_a_folder_that_one_has(tmp_path: Path) -> None:
    backend, file = new_backend(), tmp_path / "voxtui.toml"
    async with running(backend, settings_file=file) as pilot:
        await pilot.press(*["down"] * 9, "enter")
        assert isinstance(pilot.app.focused, Input)
        await pilot.press(*"/nowhere", "enter")
        await looked(pilot)
        assert "no model" in said(pilot)
        assert page(pilot).query_one(PathLine).is_open
        pilot.app.focused.value = "/models/mine"
        await pilot.press("enter")
        await looked(pilot)
        assert on_live(pilot)
        assert backend.calls[-1] == ("use_model", "/models/mine")
    kept = load(file)[0]
    assert kept.engine.model == "/models/mine"
    assert kept.appearance.dismissed_first_run


async def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "voxtral-folder").mkdir()
    (tmp_path / "voxtral-folder" / "m-Q8_0.gguf").write_bytes(b"")
    (tmp_path / "voxtral-folder" / "other.txt").write_bytes(b"")
    async with running(new_backend()) as pilot:
        await pilot.press(*["down"] * 9, "enter")
        field = pilot.app.focused
        assert isinstance(field, Input)
        for typed, full in (("vox", "voxtral-folder/"), ("m-", "voxtral-folder/m-Q8_0.gguf")):
            field.value = (f"{tmp_path}/" if typed == "vox" else field.value) + typed
            field.action_end()
            await settled(pilot)
            await pilot.press("tab")
            assert field.value == f"{tmp_path}/{full}"
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, ModelsScreen)
        assert not page(pilot).query_one(PathLine).is_open
        await pilot.press("escape")
        assert on_live(pilot)


# ---- the page of models


def installed(*shorts: str) -> FakeBackend:
    backend = FakeBackend((HEARING, READY))
    for short in shorts:
        backend.shelf.install(short)
    return backend


async def test_the_page_is_reached_by_a_key_and_left() -> None:
    async with running(installed("q4_k_m")) as pilot:
        await pilot.press("g")
        await looked(pilot)
        assert chosen(pilot) == Q4
        assert "in use" in row(pilot, Q4)
        await pilot.press("escape")
        assert on_live(pilot)


async def test_another_installed_one_is_used(tmp_path: Path) -> None:
    backend, file = installed("q4_k_m", "q8_0"), tmp_path / "voxtui.toml"
    async with running(backend, settings_file=file) as pilot:
        await pilot.press("g")
        await looked(pilot)
        await pilot.press("down", "down", "down", "enter")
        await looked(pilot)
        assert backend.calls[-1] == ("use_model", Q8)
        assert "in use" in row(pilot, Q8)
        assert "in use" not in row(pilot, Q4)
        await pilot.press("up", "up", "up", "enter")
        assert backend.calls[-1] == ("use_model", "auto")
    assert load(file)[0].engine.model == "auto"


async def test_a_model_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = installed("q4_k_m", "q8_0")

    def refuse(spec: str) -> None:
        raise CannotStartError("There is no such model.")

    monkeypatch.setattr(backend, "use_model", refuse)
    async with running(backend) as pilot:
        await pilot.press("g")
        await looked(pilot)
        await pilot.press("down", "down", "down", "enter")
        await settled(pilot)
        assert "no such model" in said(pilot)


async def test_one_download_at_a_time() -> None:
    backend = installed("q4_k_m")
    async with running(backend) as pilot:
        await pilot.press("g")
        await looked(pilot)
        await pilot.press("down", "enter")
        assert backend.shelf.calls[-1][0] == "fetch"
        count = len(backend.shelf.calls)
        await pilot.press("down", "enter")
        assert len(backend.shelf.calls) == count
        assert "one at a time" in said(pilot)


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (Ended("The disk is full: make room."), "disk is full"),
        (Ended("Stopped. What is here so far is kept.", stopped=True), "is kept"),
    ],
)
async def test_what_ends_a_download_is_told(end: Ended, sentence: str) -> None:
    backend = installed("q4_k_m")
    async with running(backend) as pilot:
        await pilot.press("g")
        await looked(pilot)
        await pilot.press("down", "enter", "x")
        assert backend.shelf.calls[-1][0] == "stop"
        await told(pilot, backend, HALF, end)
        assert sentence in said(pilot)
        assert "50 %" not in row(pilot, chosen(pilot))
        await pilot.press("escape")
        assert sentence in said(pilot)
        assert not pilot.app.screen.query_one(FetchLine).display


async def test_waiting_is_told_in_the_frame() -> None:
    backend = new_backend()
    async with running(backend, size=(100, 30)) as pilot:
        await pilot.press("enter")
        wait = Progress(Phase.WAITING, 1, 2, note="The connection was cut. Trying again in 4 s.")
        await told(pilot, backend, wait)
        assert "was cut" in pilot.app.screen.query_one(FetchLine).render().plain


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (Finding("x.gguf", "", by_hash=True), "every byte"),
        (Finding("x.gguf", "", by_hash=False), "no hash is known"),
        (Finding("x.gguf", "3 bytes are missing at its end", by_hash=False), "damaged"),
    ],
)
async def test_checking(finding: Finding, sentence: str) -> None:
    backend = installed("q4_k_m")
    backend.shelf.findings = [finding]
    async with running(backend) as pilot:
        await pilot.press("g")
        await looked(pilot)
        assert "check" in keys(pilot)
        await pilot.press("v")
        await looked(pilot)
        assert backend.shelf.calls == [("verify", Q4)]
        assert sentence in said(pilot)
        assert "checking" not in row(pilot, Q4)


async def test_deleting_wants_two_presses() -> None:
    backend = installed("q4_k_m", "q8_0")
    async with running(backend) as pilot:
        await pilot.press("g")
        await looked(pilot)
        await pilot.press("d")
        assert "D once more" in said(pilot)
        await pilot.press("down", "up", "d")
        assert not backend.shelf.calls
        await pilot.press("d")
        await looked(pilot)
        assert backend.shelf.calls == [("remove", Q4)]
        assert "free again" in said(pilot)
        assert backend.calls[-1] == ("use_model", "auto")  # it was in use
        assert "in use" in row(pilot, Q8)


async def test_the_small_model_cannot_be_deleted() -> None:
    backend = installed("q4_k_m")
    async with running(backend) as pilot:
        await pilot.press("g")
        await looked(pilot)
        await pilot.press(*["down"] * 5, "d", "d", "v")
        assert chosen(pilot) == "tiny"
        assert not backend.shelf.calls


async def test_the_palette_knows_the_page() -> None:
    async with running(installed("q4_k_m")) as pilot:
        assert isinstance(pilot.app, VoxtuiApp)
        titles = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert "Models" in titles


async def test_leaving_at_once_while_it_looks_around() -> None:
    backend = new_backend()
    app = app_with(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, LiveScreen))
        await looked(pilot)
    assert not app.return_code


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (200, 50)])
async def test_every_size(size: tuple[int, int]) -> None:
    async with running(new_backend(), size=size) as pilot:
        await pilot.press(*["down"] * 9)
        assert chosen(pilot) == "/"
        assert keys(pilot).startswith("Enter")
