"""What to type is named for the system at hand."""

from __future__ import annotations

import pytest

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
