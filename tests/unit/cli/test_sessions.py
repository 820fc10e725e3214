"""`voxtui sessions` and `voxtui devices`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Result
from voxtui.audio.devices import Device
from voxtui.audio.source import AudioError
from voxtui.events import TokenText, UtteranceEnded
from voxtui.session import Session, SessionMeta

Run = Callable[..., Result]


def make(root: Path, started: float, *words: str, close: bool = True) -> Session:
    session = Session.create(root, SessionMeta(model="tiny", started=started), lambda: started)
    session.append_audio(bytes(32000 * 70))
    for number, word in enumerate(words):
        session.apply(TokenText(f" {word}", 0.5 + 0.4 * number, True, 0.9))
    if close:
        session.apply(UtteranceEnded(70.0))
        session.note("a mark")
        session.close()
    return session


@pytest.fixture
def root(home: Path) -> Path:
    return home / "data" / "sessions"


@pytest.fixture
def kept(root: Path) -> list[Session]:
    first = make(root, 1795340000.0, "one", "light")
    return [first, make(root, 1795350000.0, "two", "down")]


def test_none_yet(run: Run, root: Path) -> None:
    result = run("sessions", "list")
    assert (result.code, result.out) == (0, "")
    assert str(root) in result.err
    assert run("sessions", "list", "--json").out == "[]\n"
    result = run("sessions", "show")
    assert result == Result(2, "", "voxtui: There are no sessions yet.\n")


def test_list(run: Run, kept: list[Session]) -> None:
    lines = run("sessions").out.splitlines()
    assert lines[0].split() == [kept[1].name, "1:10", "2", "words", "two", "down"]
    assert lines[1].startswith(kept[0].name)
    listed = json.loads(run("sessions", "list", "--json").out)
    assert [item["name"] for item in listed] == [kept[1].name, kept[0].name]
    assert listed[0]["finished"] is True


def test_show(run: Run, kept: list[Session]) -> None:
    out = run("sessions", "show", kept[0].name[:15]).out.splitlines()
    assert out[0].endswith("  one light")
    assert out[1].endswith("  ▸ a mark")
    value = json.loads(run("sessions", "show", "last", "--json").out)
    assert value["name"] == kept[1].name
    assert value["segments"][0]["text"] == "two down"
    assert run("sessions", "show", "1999").code == 2
    assert run("sessions", "show", "20").code == 2


def test_show_one_that_broke_off(run: Run, root: Path) -> None:
    session = make(root, 1795340000.0, "one", close=False)
    assert "[running]" in run("sessions").out
    session.close()
    result = run("sessions", "show", "last")
    assert result.code == 0
    assert "the last 70 s of sound were not written down" in result.err
    assert "[broke off]" in run("sessions").out


def test_export(run: Run, kept: list[Session], tmp_path: Path) -> None:
    assert run("sessions", "export").out == (kept[1].path / "transcript.md").read_text()
    assert run("sessions", "export", "last", "--format", "txt").out == "two down\n[mark: a mark]\n"
    target = tmp_path / "x.srt"
    assert run("sessions", "export", "-o", target) == Result(0, "", "")
    assert target.read_text().startswith("1\n00:00:00,")
    result = run("sessions", "export", "-o", tmp_path / "no" / "x.srt")
    assert (result.code, result.err.count("\n")) == (1, 1)


def test_path(run: Run, kept: list[Session], root: Path) -> None:
    assert run("sessions", "path").out == f"{kept[1].path}\n"
    assert json.loads(run("sessions", "path", kept[0].name, "--json").out) == {
        "name": kept[0].name,
        "path": str(kept[0].path),
    }
    result = run("sessions", "--sessions-dir", root / "none", "path")
    assert result.code == 2


def test_the_folder_of_the_settings(run: Run, home: Path, tmp_path: Path) -> None:
    make(tmp_path / "mine", 1795340000.0, "one")
    config = home / "config" / "voxtui.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[output]\nfolder = "{tmp_path}/mine"\n[audio]\ngain_db = 99.0\n')
    result = run("sessions")
    assert " one" in result.out
    assert "line 4" in result.err


def test_devices(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Device("Built-in", "ALSA", "ALSA: Built-in", True, 1, 48000),
        Device("USB", "ALSA", "ALSA: USB", False, 2, 44100),
    ]
    monkeypatch.setattr("voxtui.cli.devices.list_devices", lambda: found)
    assert run("devices").out == (
        "* ALSA: Built-in  48000 Hz, 1 channel\n  ALSA: USB       44100 Hz, 2 channels\n"
    )
    listed = json.loads(run("devices", "--json").out)
    assert [item["id"] for item in listed] == ["ALSA: Built-in", "ALSA: USB"]


def test_no_devices(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxtui.cli.devices.list_devices", list)
    assert run("devices").code == 1
    assert run("devices", "--json") == Result(0, "[]\n", "")

    def fail() -> list[Device]:
        raise AudioError("There is no sound library.")

    monkeypatch.setattr("voxtui.cli.devices.list_devices", fail)
    assert run("devices") == Result(1, "", "voxtui: There is no sound library.\n")
