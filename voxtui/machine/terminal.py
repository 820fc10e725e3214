"""The terminal and the clipboard, as far as the environment tells."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Which = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Terminal:
    """What draws the page and sends the keys."""

    name: str
    """ "kitty", "iTerm2 3.5", "xterm-256color"; "" when nothing tells."""
    multiplexer: str
    """ "tmux", "screen", "zellij" or ""."""
    over_ssh: bool
    colours: int
    """1 << 24, 256, 16, or 0 where there are none."""
    tells_releases: bool | None
    """Does it report when a key is let go? None: not known before it was asked."""

    @property
    def dumb(self) -> bool:
        """Can it not place text on the screen?"""
        return self.name in ("dumb", "unknown")


@dataclass(frozen=True, slots=True)
class Clipboard:
    """How words get onto the clipboard."""

    way: str
    """ "xclip", "pbcopy", "terminal" (OSC 52: the terminal is asked and never answers)."""
    sure: bool
    """Is it known whether copying worked?"""
    advice: str = ""
    """What would make it sure, or better; "" when all is well."""


_BY_VARIABLE = (
    ("KITTY_WINDOW_ID", "kitty"),
    ("GHOSTTY_RESOURCES_DIR", "Ghostty"),
    ("WEZTERM_EXECUTABLE", "WezTerm"),
    ("ALACRITTY_WINDOW_ID", "Alacritty"),
    ("KONSOLE_VERSION", "Konsole"),
    ("WT_SESSION", "Windows Terminal"),
    ("VTE_VERSION", "GNOME Terminal or another of VTE's"),
)
_BY_TERM = (("xterm-kitty", "kitty"), ("xterm-ghostty", "Ghostty"), ("foot", "foot"))
_PROGRAMS = {
    "iTerm.app": "iTerm2",
    "Apple_Terminal": "Apple Terminal",
    "vscode": "VS Code",
    "ghostty": "Ghostty",
}
_MULTIPLEXERS = ("tmux", "screen")
_TELLS = ("kitty", "Ghostty", "foot", "WezTerm", "Alacritty", "iTerm2")
_TELLS_NOT = ("Apple Terminal", "GNOME Terminal", "Windows Terminal", "Konsole")


def terminal(env: Mapping[str, str]) -> Terminal:
    """The terminal of this environment (`os.environ`)."""
    multiplexer = _multiplexer(env)
    name = _name(env)
    return Terminal(
        name=name,
        multiplexer=multiplexer,
        over_ssh=over_ssh(env),
        colours=_colours(env),
        tells_releases=None if multiplexer else _tells_releases(name),
    )


def over_ssh(env: Mapping[str, str]) -> bool:
    """Is the screen at another machine?"""
    return bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY"))


def _multiplexer(env: Mapping[str, str]) -> str:
    for variable, name in (("TMUX", "tmux"), ("ZELLIJ", "zellij"), ("STY", "screen")):
        if env.get(variable):
            return name
    return "tmux" if env.get("TERM", "").startswith("tmux") else ""


def _name(env: Mapping[str, str]) -> str:
    term = env.get("TERM", "")
    for beginning, name in _BY_TERM:
        if term.startswith(beginning):
            return name
    program = env.get("TERM_PROGRAM", "")
    if program and program not in ("tmux", "screen"):
        version = env.get("TERM_PROGRAM_VERSION", "")
        brief = ".".join(re.findall(r"\d+", version)[:2])
        return " ".join(part for part in (_PROGRAMS.get(program, program), brief) if part)
    for variable, name in _BY_VARIABLE:
        if env.get(variable):
            return name
    return "" if term.startswith(_MULTIPLEXERS) else term  # what draws is behind it


def _tells_releases(name: str) -> bool | None:
    if name.startswith(_TELLS):
        return True
    return False if name.startswith((*_TELLS_NOT, "dumb", "linux")) else None


def _colours(env: Mapping[str, str]) -> int:
    term = env.get("TERM", "")
    if term in ("", "dumb", "unknown") or env.get("NO_COLOR"):
        return 0
    if env.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 1 << 24
    if term.startswith(("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm")):
        return 1 << 24
    return 256 if "256" in term else 16


def clipboard(
    env: Mapping[str, str], *, platform: str = sys.platform, which: Which = shutil.which
) -> Clipboard:
    """By which way words are copied here."""
    if over_ssh(env):
        return _by_terminal(env, "")
    if platform == "darwin":
        return Clipboard("pbcopy", sure=True)
    if env.get("WAYLAND_DISPLAY"):
        if which("wl-copy") and which("wl-paste"):
            return Clipboard("wl-copy", sure=True)
        if not env.get("DISPLAY"):
            return _by_terminal(env, "install wl-clipboard")
    if env.get("DISPLAY"):
        for tool in ("xclip", "xsel"):
            if which(tool):
                return Clipboard(tool, sure=True)
        wayland = env.get("WAYLAND_DISPLAY")
        return _by_terminal(env, "install wl-clipboard" if wayland else "install xclip")
    if which("clip.exe"):
        return Clipboard("clip.exe", sure=True)
    return _by_terminal(env, "")


def _by_terminal(env: Mapping[str, str], advice: str) -> Clipboard:
    if env.get("VTE_VERSION"):
        told = "this terminal ignores programs that copy"
        return Clipboard("terminal", sure=False, advice=f"{told}; {advice}" if advice else told)
    if env.get("TMUX") and not advice:
        advice = "tmux passes it on after: tmux set -s set-clipboard on"
    return Clipboard("terminal", sure=False, advice=advice)
