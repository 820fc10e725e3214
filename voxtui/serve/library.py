"""The sessions of one browser: it sees what it said itself, nobody else's.

A browser is known by a random cookie. What is kept with a session, as its source, is only a mark
made from it, so that who reads a session's files cannot pass for its browser.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtui.serve.limits import Refused
from voxtui.serve.live import segment_json
from voxtui.session.exports import FORMATS, export
from voxtui.session.keeping import delete, rename, summary_fields
from voxtui.session.library import SessionInfo, load_session, session_folders, session_info

COOKIE = "voxtui_browser"
MOST = 200
"""Sessions in a list; older ones are in the terminal application's library."""
_SECRET = re.compile(r"[0-9a-f]{32}")


def new_secret() -> str:
    """What a browser is known by."""
    return secrets.token_hex(16)


def source_of(secret: str | None) -> str:
    """The name under which a browser's sessions are kept."""
    if secret is None or not _SECRET.fullmatch(secret):
        return "browser"
    return f"browser {hashlib.sha256(secret.encode()).hexdigest()[:10]}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The sessions of one browser. The methods read files: call them from a thread."""

    root: Path
    source: str

    def listed(self) -> list[dict[str, Any]]:
        """The newest first."""
        infos = []
        for folder in sorted(self._own(), key=lambda path: path.name, reverse=True)[:MOST]:
            infos.append(info_json(session_info(folder)))
        return infos

    def read(self, name: str) -> dict[str, Any]:
        """A session's paragraphs."""
        loaded = load_session(self._find(name))
        return {
            **info_json(session_info(loaded.path)),
            "segments": [segment_json(segment) for segment in loaded.segments],
        }

    def exported(self, name: str, fmt: str) -> str:
        """A session in one of voxtui's formats."""
        if fmt not in FORMATS:
            raise Refused(404, f"The formats are {', '.join(FORMATS)}.", "no_format")
        loaded = load_session(self._find(name))
        return export(loaded.segments, fmt, loaded.meta)

    def rename(self, name: str, title: str) -> None:
        """Give a session a title."""
        rename(self._find(name), title)

    def delete(self, name: str) -> None:
        """Into the trash of the terminal application's library."""
        delete(self._find(name))

    def _own(self) -> list[Path]:
        if " " not in self.source:  # a browser without a cookie has none
            return []
        return [
            folder
            for folder in session_folders(self.root)
            if summary_fields(folder).get("source") == self.source
        ]

    def _find(self, name: str) -> Path:
        """By comparing: what a client says is never made a path."""
        for folder in session_folders(self.root):
            if folder.name == name and summary_fields(folder).get("source") == self.source:
                return folder
        raise Refused(404, "There is no such session of this browser.", "no_session")


def info_json(info: SessionInfo) -> dict[str, Any]:
    """A line of the list."""
    return {
        "name": info.name,
        "started": info.started,
        "seconds": round(info.audio_s, 1),
        "words": info.words,
        "first_words": info.first_words,
        "title": info.title,
        "live": info.live,
        "problem": info.problem,
    }
