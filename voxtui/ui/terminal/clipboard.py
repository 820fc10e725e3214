"""Putting words on the clipboard, and saying honestly what became of them.

Near the screen the system's own clipboard is used; over SSH that would be the far machine's, so
the terminal is asked (OSC 52), which never answers: then the words are "sent to the terminal",
not "copied". The words always go into a file too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from voxtui.files import replace_text

OSC52_SAFE_BYTES = 74_000
"""Some terminals take no longer text than this."""
ATTEMPTS = 2
"""How often the system's clipboard is tried before the terminal is asked."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of the text: `where` ends a sentence that names what was copied."""

    where: str
    sure: bool


def native_copy(text: str) -> bool:
    """The system's clipboard. False when there is none that can be reached.

    Under X11 the words are read back: xclip and xsel may fail there and pyperclip would not tell.
    """
    import pyperclip

    under_x11 = os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY")
    try:
        for _ in range(ATTEMPTS):
            pyperclip.copy(text)
            if not under_x11 or pyperclip.paste() == text:
                return True
    except (pyperclip.PyperclipException, OSError):
        pass
    return False


def copy(
    text: str,
    *,
    env: Mapping[str, str],
    native: Callable[[str], bool],
    to_terminal: Callable[[str], None],
    last_file: Path,
) -> Copied:
    """Copy by the way that fits this terminal; keep the text in `last_file` in any case."""
    kept = _keep(text, last_file)
    far_away = bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY"))
    if not far_away and native(text):
        return Copied("copied", sure=True)
    to_terminal(text)
    where = "sent to the terminal's clipboard"
    doubt = _doubt(text, env)
    if doubt:
        where += f", {doubt}"
    if kept:
        where += f"; also in {_short(last_file)}"
    return Copied(where, sure=False)


def _doubt(text: str, env: Mapping[str, str]) -> str:
    if env.get("VTE_VERSION"):
        return "which this terminal ignores"
    if len(text.encode()) > OSC52_SAFE_BYTES:
        return "which may be too small for it"
    if env.get("TMUX"):
        return "if tmux passes it on (set -s set-clipboard on)"
    return ""


def _keep(text: str, last_file: Path) -> bool:
    try:
        last_file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(last_file, text + "\n")
    except OSError:
        return False
    return True


def _short(path: Path) -> str:
    try:
        return "~/" + path.relative_to(Path.home()).as_posix()
    except ValueError:
        return str(path)
