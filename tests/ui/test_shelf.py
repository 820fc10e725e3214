"""From the first page to a model in use: the real shelf, a hub on this machine, a played chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_hub import FakeHub
from tests.ui.running import until
from tests.ui.support import app_with
from tests.ui.test_backend import Chain
from tests.ui.test_models import page, row
from voxtui import paths
from voxtui.audio.devices import Device
from voxtui.models import catalog
from voxtui.models.catalog import KnownFile, KnownModel
from voxtui.settings import Settings
from voxtui.ui.local import LocalBackend
from voxtui.ui.options import UiOptions
from voxtui.ui.screens.live import LiveScreen
from voxtui.ui.screens.models import ModelsScreen
from voxtui.ui.shelf import LocalShelf, ShelfError
from voxtui.ui.widgets.fetchline import FetchLine
from voxtui.ui.widgets.status import MessageLine

REPO = "somebody/small"
FILES = ("params.json", "tekken.json", "consolidated.safetensors")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> KnownModel:
    """The small model under another name is all there is."""
    sizes = [(paths.builtin_model_dir() / name).stat().st_size for name in FILES]
    known = KnownModel(
        name="Some-Model",
        short="some",
        title="Some model",
        repo=REPO,
        files=tuple(KnownFile(name, size) for name, size in zip(FILES, sizes, strict=True)),
        precision="BF16",
        bits=16,
        errors=2.0,
        about="For tests.",
    )
    monkeypatch.setattr(catalog, "CATALOG", (known,))
    return known


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    files = {f"{REPO}/{name}": (paths.builtin_model_dir() / name).read_bytes() for name in FILES}
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    microphone = Device("Desk", "ALSA", "ALSA: Desk", True, 1, 48000)
    monkeypatch.setattr("voxtui.audio.devices.list_devices", lambda: [microphone])
    with FakeHub(files) as fake:
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        yield fake


async def test_from_the_first_page_to_the_model_in_use(model: KnownModel, hub: FakeHub) -> None:
    hub.line.stall = threading.Event()
    chain = Chain()
    backend = LocalBackend(UiOptions(), Settings(), pipeline_factory=chain)
    app = app_with(backend)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: isinstance(app.screen, ModelsScreen) and page(pilot).look)
        await until(lambda: "recommended" in row(pilot, model.name))
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, LiveScreen))
        line = app.screen.query_one(FetchLine)
        await until(lambda: line.display)
        assert ("listen", True) not in chain.calls
        await pilot.press("l")
        assert ("listen", True) in chain.calls  # the small model listens meanwhile
        hub.line.stall.set()
        await until(lambda: not line.display)
        await until(lambda: chain.calls[-1][0] == "reload_engine")
        assert chain.calls[-1][1].model == paths.models_dir() / model.name
        assert "writes from now on" in app.screen.query_one(MessageLine).text
        assert not backend.small_model
        await pilot.press("g")
        await until(lambda: page(pilot).look and "in use" in row(pilot, model.name))
        await pilot.press("v")
        await until(lambda: "every byte" in page(pilot).query_one(MessageLine).text)
        await pilot.press("d", "d")
        await until(lambda: not (paths.models_dir() / model.name).exists())
        await until(lambda: chain.calls[-1][0] == "reload_engine")
        assert chain.calls[-1][1].model == paths.builtin_model_dir()


async def test_a_fault_is_told_on_the_page(model: KnownModel, hub: FakeHub) -> None:
    hub.line.page_for_all = True
    backend = LocalBackend(UiOptions(), Settings(), pipeline_factory=Chain())
    app = app_with(backend)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: isinstance(app.screen, ModelsScreen) and page(pilot).look)
        await pilot.press("enter")
        await until(lambda: "web page" in app.screen.query_one(MessageLine).text)
        assert not app.screen.query_one(FetchLine).display


def test_a_folder_is_looked_into(tmp_path: Path) -> None:
    shelf = LocalShelf()
    builtin = paths.builtin_model_dir()
    assert shelf.check(str(builtin)) == str(builtin)
    with pytest.raises(ShelfError, match="missing there"):
        shelf.check(str(tmp_path))
    with pytest.raises(ShelfError, match="There is no model"):
        shelf.check(str(tmp_path / "none"))
    for name in FILES:
        (tmp_path / name).write_bytes((builtin / name).read_bytes()[:-9])
    with pytest.raises(ShelfError, match="not whole"):
        shelf.check(str(tmp_path))
