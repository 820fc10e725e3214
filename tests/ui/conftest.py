"""Pages look the same everywhere: one time zone, no animation, an empty home."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sessions import STARTED, make
from tests.ui.settling import DELAY_S, settled
from voxtui import paths


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("textual.pilot.wait_for_idle", settled)
    monkeypatch.setattr("textual.app.wait_for_idle", settled)
    monkeypatch.setattr("voxtui.ui.screens.library.REST_S", DELAY_S / 2)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


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
