"""Hearing a part of a recording."""

from __future__ import annotations

import stat
import threading
import time
import wave
from pathlib import Path

import pytest

from voxtui.audio.player import MARGIN_S, PLAYERS, Player, cut, find_player
from voxtui.audio.source import AudioError


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "audio.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(bytes([second, 0]) * 16000 for second in range(10)))
    return path


def script(tmp_path: Path, text: str, name: str = "player") -> Path:
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class End:
    def __init__(self) -> None:
        self.told: list[str] = []
        self._over = threading.Event()

    def __call__(self, problem: str) -> None:
        self.told.append(problem)
        self._over.set()

    def wait(self) -> list[str]:
        assert self._over.wait(20)
        return self.told


def test_a_part(sound: Path) -> None:
    part = cut(sound, 2.5, 4.0)
    with wave.open(str(part)) as file:
        assert file.getnframes() == 24000
        assert set(file.readframes(24000)) == {0, 2, 3}
    part.unlink()
    for begin, end, frames in ((-1, 1, 16000), (9.5, 99, 8000)):
        part = cut(sound, begin, end)
        with wave.open(str(part)) as file:
            assert file.getnframes() == frames
        part.unlink()


def test_no_sound(tmp_path: Path, sound: Path) -> None:
    with pytest.raises(AudioError, match="not kept"):
        cut(tmp_path / "none.wav", 0, 1)
    with pytest.raises(AudioError, match="no sound here"):
        cut(sound, 50, 60)
    sound.write_bytes(b"RIFF")
    with pytest.raises(AudioError, match="cannot be played"):
        cut(sound, 0, 1)


def test_plays_the_part_and_cleans_up(tmp_path: Path, sound: Path) -> None:
    heard = tmp_path / "heard.wav"
    command = [str(script(tmp_path, f'cp "$1" {heard}; echo "$1" > {tmp_path}/name'))]
    end = End()
    player = Player(lambda: command)
    player.play(sound, 3.0, 4.0, end)
    assert end.wait() == [""]
    assert not player.playing
    with wave.open(str(heard)) as file:
        assert file.getnframes() == round((1 + 2 * MARGIN_S) * 16000)
    assert not Path((tmp_path / "name").read_text().strip()).exists()


def test_stopped_and_one_at_a_time(tmp_path: Path, sound: Path) -> None:
    command = [str(script(tmp_path, "exec sleep 60"))]
    player, first, second = Player(lambda: command), End(), End()
    player.play(sound, 0, 1, first)
    player.play(sound, 1, 2, second)
    assert first.wait() == [""]
    assert player.playing
    player.stop()
    assert second.wait() == [""]
    player.stop()
    assert not player.playing


def test_a_player_that_cannot(tmp_path: Path, sound: Path) -> None:
    end = End()
    player = Player(lambda: [str(script(tmp_path, "echo no device >&2; exit 3"))])
    player.play(sound, 0, 1, end)
    assert end.wait() == ["player could not play it: no device"]
    with pytest.raises(AudioError, match="cannot be started"):
        Player(lambda: [str(tmp_path / "none")]).play(sound, 0, 1, end)


def test_which_player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioError, match="install one of afplay"):
        find_player()
    for name, *arguments in reversed(PLAYERS):
        script(tmp_path, "true", name)
        assert find_player() == [str(tmp_path / name), *arguments]


def test_a_real_player(sound: Path) -> None:
    try:
        find_player()
    except AudioError as error:
        pytest.skip(str(error))
    end = End()
    player = Player()
    player.play(sound, 0, 0.1, end)
    time.sleep(0.2)
    player.stop()
    (problem,) = end.wait()
    assert problem == "" or "could not play it" in problem  # a machine may have no loudspeaker
