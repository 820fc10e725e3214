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
    "xclip": {},
    "wl-clipboard": {},
}


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


def install(what: str, here: str) -> str:
    """The command that installs something on a `family`, in a sentence."""
    if here == "macos":
        return f"Install it: brew install {what}."
    package = _PACKAGES.get(what, {}).get(here, what)
    if here in _FAMILIES:
        name, command = _FAMILIES[here]
        return f"On {name}: {command} {package}."
    return f"Install {what} with the packages of your system."
