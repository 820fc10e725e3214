"""The truth of what was said: sound, words and files that survive anything."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voxtui.session.errors import SessionError
    from voxtui.session.exports import FORMATS, export
    from voxtui.session.library import (
        LoadedSession,
        SessionInfo,
        find_session,
        list_sessions,
        load_session,
    )
    from voxtui.session.meta import SessionMeta
    from voxtui.session.session import Session
    from voxtui.session.transcript import Transcript

__all__ = [
    "FORMATS",
    "LoadedSession",
    "Session",
    "SessionError",
    "SessionInfo",
    "SessionMeta",
    "Transcript",
    "export",
    "find_session",
    "list_sessions",
    "load_session",
]

_HOMES = {
    "exports": ("FORMATS", "export"),
    "errors": ("SessionError",),
    "library": ("LoadedSession", "SessionInfo", "find_session", "list_sessions", "load_session"),
    "meta": ("SessionMeta",),
    "session": ("Session",),
    "transcript": ("Transcript",),
}


def __getattr__(name: str) -> Any:
    """Each part is imported when it is used: the first page needs none of them."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
