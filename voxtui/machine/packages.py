"""How things are installed here: the packages of this system by name."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping

_FAMILIES = {
    "debian": ("Debian", "sudo apt install"),
    "ubuntu": ("Ubuntu", "sudo apt install"),
    "fedora": ("Fedora", "sudo dnf install"),
    "rhel": ("Red Hat", "sudo dnf install"),
    "arch": ("Arch", "sudo pacman -S"),
    "suse": ("openSUSE", "sudo zypper install"),
    "alpine": ("Alpine", "sudo apk add"),
}
_PACKAGES = {
    "portaudio": {
        "debian": "libportaudio2 libasound2-plugins",
        "ubuntu": "libportaudio2 libasound2-plugins",
        "fedora": "portaudio alsa-plugins-pulseaudio",
        "arch": "portaudio alsa-plugins",
        "suse": "libportaudio2 alsa-plugins-pulse",
    },
}


def here() -> str:
    """The family of this system."""
    return family(release())


def release(platform_name: str = sys.platform) -> Mapping[str, str]:
    """What /etc/os-release says; empty where there is none."""
    if platform_name != "linux":
        return {}
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def family(about: Mapping[str, str], platform_name: str = sys.platform) -> str:
    """ "debian", "ubuntu", "fedora", "arch", …, "macos", or "" when it is none that is known."""
    if platform_name == "darwin":
        return "macos"
    for word in (about.get("ID", ""), *about.get("ID_LIKE", "").split()):
        for name in _FAMILIES:
            if word == name or word.startswith(f"open{name}"):
                return name
    return ""


def command(what: str, system: str) -> str:
    """What to type to install something on a `family`; empty where that is not known."""
    if system == "macos":
        return f"brew install {what}"
    if system not in _FAMILIES:
        return ""
    return f"{_FAMILIES[system][1]} {_PACKAGES.get(what, {}).get(system, what)}"


def install(what: str, system: str) -> str:
    """The same as a sentence."""
    typed = command(what, system)
    if not typed:
        return f"Install {what} with the packages of your system."
    return (
        f"On {_FAMILIES[system][0]}: {typed}." if system in _FAMILIES else f"Install it: {typed}."
    )
