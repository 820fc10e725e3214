"""The truth of what was said: sound, words and files that survive anything."""

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
