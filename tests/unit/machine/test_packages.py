"""What to type is named for the system at hand."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from voxtui.audio.devices import load_sounddevice
from voxtui.audio.source import AudioError
from voxtui.machine import packages

UBUNTU = {"ID": "ubuntu", "ID_LIKE": "debian"}


@pytest.mark.parametrize(
    ("about", "family", "command"),
    [
        (UBUNTU, "ubuntu", "On Ubuntu: sudo apt install libportaudio2"),
        ({"ID": "debian"}, "debian", "On Debian: sudo apt install libportaudio2"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "ubuntu", "On Ubuntu: sudo apt"),
        ({"ID": "fedora"}, "fedora", "On Fedora: sudo dnf install portaudio"),
        ({"ID": "manjaro", "ID_LIKE": "arch"}, "arch", "On Arch: sudo pacman -S portaudio"),
        ({"ID": "opensuse-leap"}, "suse", "On openSUSE: sudo zypper install"),
        ({"ID": "other"}, "", "Install portaudio with the packages of your system."),
    ],
)
def test_packages_by_the_systems_name(about: dict[str, str], family: str, command: str) -> None:
    assert packages.family(about, "linux") == family
    assert packages.install("portaudio", family).startswith(command)


def test_a_mac() -> None:
    assert packages.family({}, "darwin") == "macos"
    assert packages.install("portaudio", "macos") == "Install it: brew install portaudio."


@pytest.mark.parametrize(
    ("family", "todo"),
    [
        ("debian", "type sudo apt install libportaudio2 libasound2-plugins"),
        ("fedora", "type sudo dnf install portaudio alsa-plugins-pulseaudio"),
        ("arch", "type sudo pacman -S portaudio alsa-plugins"),
        ("suse", "type sudo zypper install libportaudio2 alsa-plugins-pulse"),
        ("alpine", "type sudo apk add portaudio"),
        ("macos", "type brew install portaudio"),
        ("", "install PortAudio with the packages of your system"),
    ],
)
def test_without_a_sound_library(monkeypatch: pytest.MonkeyPatch, family: str, todo: str) -> None:
    usual = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return usual(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(packages, "here", lambda: family)
    with pytest.raises(AudioError) as told:
        load_sounddevice()
    assert str(told.value) == f"There is no sound library: {todo}."
