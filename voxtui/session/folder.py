"""A session's folder: its name, its files, and what lists want to know of it."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voxtui.events import Segment, SegmentKind
from voxtui.files import read_object, replace_text
from voxtui.session.fields import as_text
from voxtui.session.meta import session_name

AUDIO = "audio.wav"
EVENTS = "events.jsonl"
MARKDOWN = "transcript.md"
SUMMARY = "session.json"

UNHEARD_S = 1.0
"""A session with more sound than this after what is transcribed is not finished."""

_NUMBERS = itertools.count()
"""One process may begin several sessions in the same second."""


def free_name(started: float, take: Callable[[str], bool]) -> str:
    """The name of a session that began at this time, the first one that could be taken."""
    base = session_name(started)
    names = itertools.chain([base], (f"{base}-{n}" for n in itertools.count(2)))
    return next(name for name in names if take(name))


def hidden_name(name: str) -> str:
    """Where a folder is made before it takes its name."""
    return f".{name}.{os.getpid()}.{next(_NUMBERS)}"


def first_words(segments: list[Segment], most: int = 80) -> str:
    """The beginning of what was said, for lists."""
    said = ""
    for segment in segments:
        if segment.kind is SegmentKind.SPEECH:
            said = f"{said} {segment.text}".strip()
        if len(said) > most:
            return said[:most].rsplit(" ", 1)[0] + "…"
    return said


def moved(folder: Path, to: Path) -> bool:
    """Give a folder another name; False when that is taken."""
    if to.exists():
        return False
    try:
        folder.rename(to)
    except OSError:
        if to.exists():
            return False
        raise
    return True


def kept_title(path: Path) -> str:
    """The title that the person gave a session, "" when none."""
    try:
        return as_text(read_object(path / SUMMARY)["title"])
    except (ValueError, KeyError):
        return ""


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace a small file as a whole, for its owner's eyes only."""
    replace_text(path, json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")
