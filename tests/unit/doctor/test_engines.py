"""What the doctor says of engines that are not ours."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from voxtui.doctor import State
from voxtui.doctor.engine import other
from voxtui.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VOXTUI_ENGINE", sys.executable)
    monkeypatch.delenv("VOXTUI_UPSTREAM", raising=False)


def test_what_is_not_needed_is_well() -> None:
    for name in ("upstream", "realtime"):
        finding = other(name, Settings())
        assert finding.state is State.OK
        assert finding.told.startswith("Not set up, and not needed.")
        assert finding.facts["get"]


def test_what_was_chosen_must_be_there() -> None:
    finding = other("upstream", Settings().replace("engine", name="upstream"))
    assert finding.state is State.BROKEN
    assert "Build github.com/antirez/voxtral.c" in finding.fix


def test_a_server_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}"
        settings = Settings().replace("remote", url=url)
        assert other("realtime", settings).state is State.OK
        chosen = settings.replace("engine", name="realtime")
        assert other("realtime", chosen).told == f"There: {url}; it is the one that is used."
    assert other("realtime", settings).state is State.NOTE
    finding = other("realtime", chosen)
    assert finding.state is State.BROKEN
    assert url in finding.told
    assert other("realtime", chosen.replace("remote", url="ws://h:x")).state is State.BROKEN
