"""Longer texts of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from voxtui import paths
from voxtui.events import SYSTEM_DEFAULT
from voxtui.settings import Settings
from voxtui.ui.backend import Choice
from voxtui.ui.panels.choosing import Found
from voxtui.ui.words import model_name

FOOT = (
    ("live", "live", "live"),
    ("copy", "copy since last", "copy"),
    ("mark", "mark", "mark"),
    ("search", "search", "find"),
    ("library", "library", "library"),
    ("captions", "captions", "captions"),
    ("settings", "settings", "settings"),
    ("new", "new", "new"),
    ("leave", "quit", "quit"),
    ("help", "help", "help"),
)
"""The keys at the foot: binding, words, fewer words."""

FOOT_ON_WORDS = (
    ("edit", "edit", "edit"),
    ("copy", "copy", "copy"),
    ("words", "other words", "words"),
    ("page.select", "select", "select"),
    ("remove", "remove", "remove"),
    ("undo", "undo", "undo"),
    ("page.end", "newest", "newest"),
    ("page.escape", "back", "back"),
)
"""The same while there is a cursor or a selection."""

TOGETHER = {
    "page.up": ("page.down", "A line up or down"),
    "page.back": ("page.on", "A page up or down"),
    "page.home": ("page.end", "The first words, the newest words"),
    "page.left": ("page.right", "A cursor; the word before or after"),
    "page.paragraph_up": ("page.paragraph_down", "The paragraph above or below"),
    "undo": ("redo", "Take the last change back, do it again"),
    "library.next": ("library.before", "The next place found, the one before"),
    "library.up": ("library.down", "The session above or below; reading, a line"),
    "library.pageup": ("library.pagedown", "A page up or down"),
    "library.home": ("library.end", "The first, the last"),
    "library.left": ("library.right", "The paragraph before, the next one"),
    "library.delete": ("library.del", "To the trash"),
    "library.back": ("library.leave", "A step back; back to the page from anywhere"),
}
"""Two keys that the help explains in one line: by the first, the second and the words for both."""

MORE_KEYS = (
    ("Ctrl+C", "Stop listening; once more leaves"),
    ("Ctrl+P", "All commands by name"),
)


def key_lines(keys: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """The help's lines on keys: of an action's key and words, some two together."""
    keys = dict(keys)
    for first, (second, words) in TOGETHER.items():
        if first in keys and second in keys:
            keys[first] = (f"{keys[first][0]} {keys.pop(second)[0]}", words)
    return [*keys.values(), *MORE_KEYS]


def talking(hold: bool, talk: str, live: str) -> list[str]:
    """How to talk, with the keys that were chosen; `live` is "" where there is none."""
    if not hold:
        return [
            f"Press {talk}, speak, press {talk}. (This terminal does not tell when a key is let go;"
            " kitty, Ghostty, foot, iTerm2, WezTerm and Alacritty do.)",
            "The Talk button can be held with the mouse everywhere.",
        ]
    hands_free = f"{live} does the same hands-free. " if live else ""
    return [
        f"Hold {talk}, speak, let go. A short tap keeps listening until the next one.",
        f"{hands_free}The Talk button can be held with the mouse.",
    ]


def place(path: str | Path) -> str:
    """A path as people write it."""
    return paths.short(path)


def small_model_note(fetching: bool) -> str:
    """What the small model is and how to get the real one (markup)."""
    other = (
        "A real one is on its way."
        if fetching
        else "[bold $foreground @click=screen.models]G[/] gets a real one, for thirteen languages."
    )
    return (
        "[$foreground]This is the small model that comes with voxtui.[/] It knows some forty"
        " English words (numbers, light, music, open, stop …): enough to try everything, not for"
        f" dictation.  {other}"
    )


def known_choices(shown: Settings) -> Found:
    """Microphones and models to show until they have been looked for."""
    model = shown.engine.model
    names = {"auto": "best installed", "tiny": "small model"}
    return Found(
        [Choice(SYSTEM_DEFAULT, SYSTEM_DEFAULT, "whatever the system uses")],
        [Choice(model, names.get(model) or model_name(model))],
        [Choice(shown.engine.name, shown.engine.name)],
    )


def places(session: Path | None) -> list[tuple[str, str]]:
    """Where things are kept, for the help."""
    here = [("this session", session)] if session is not None else []
    kept = [*here, ("settings", paths.config_file()), ("models", paths.models_dir())]
    return [(what, place(path)) for what, path in kept]
