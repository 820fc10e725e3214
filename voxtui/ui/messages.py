"""The vocabulary of the pages: what arrived from the chain of sound and words.

Progress replaces older progress in a queue; words never do. Levels come without a message.
"""

from __future__ import annotations

from textual.message import Message

from voxtui.events import (
    CaptureChanged,
    EngineChanged,
    EngineStats,
    Event,
    ListeningChanged,
    Notice,
    SessionOpened,
    TranscriptChanged,
    UtteranceEnded,
)


class Arrived(Message):
    """Something arrived for the page."""


class ProgressArrived(Arrived):
    """How far the words are."""

    def __init__(self, stats: EngineStats) -> None:
        super().__init__()
        self.stats = stats

    def can_replace(self, message: Message) -> bool:
        """Newer progress makes older pointless."""
        return isinstance(message, ProgressArrived)


class TranscriptArrived(Arrived):
    """New words, or words taken back."""

    def __init__(self, change: TranscriptChanged) -> None:
        super().__init__()
        self.change = change


class MicrophoneArrived(Arrived):
    """The source of sound changed its state."""

    def __init__(self, change: CaptureChanged) -> None:
        super().__init__()
        self.change = change


class EngineArrived(Arrived):
    """What writes the words changed its state."""

    def __init__(self, change: EngineChanged) -> None:
        super().__init__()
        self.change = change


class ListeningArrived(Arrived):
    """Listening went on or off, or waits for a voice (`paused`)."""

    def __init__(self, listening: bool, paused: bool = False) -> None:
        super().__init__()
        self.listening = listening
        self.paused = paused


class UtteranceArrived(Arrived):
    """All words of what was said are out."""


class SessionArrived(Arrived):
    """A new session began."""

    def __init__(self, opened: SessionOpened) -> None:
        super().__init__()
        self.opened = opened


class NoticeArrived(Arrived):
    """One sentence for the person."""

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice


class Corrected(Message):
    """The person put one run of words right: what was heard, what was meant."""

    def __init__(self, heard: str, meant: str) -> None:
        super().__init__()
        self.heard = heard
        self.meant = meant


def message_for(event: Event) -> Arrived | None:
    """The message that brings an event to a page; None for what shows otherwise.

    Gaps and words taken back arrive as changes of the transcript, levels without a message.
    """
    match event:
        case EngineStats():
            return ProgressArrived(event)
        case TranscriptChanged():
            return TranscriptArrived(event)
        case CaptureChanged():
            return MicrophoneArrived(event)
        case EngineChanged():
            return EngineArrived(event)
        case ListeningChanged(listening, paused):
            return ListeningArrived(listening, paused)
        case UtteranceEnded():
            return UtteranceArrived()
        case SessionOpened():
            return SessionArrived(event)
        case Notice():
            return NoticeArrived(event)
        case _:
            return None
