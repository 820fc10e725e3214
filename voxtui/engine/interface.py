"""An engine as those who write sessions use it, whoever runs its process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from voxtui.engine.config import EngineConfig
from voxtui.engine.timeline import ReadAudio
from voxtui.events import EngineEvent

PostEvent = Callable[[EngineEvent], None]
"""Takes what an engine tells; called on the engine's threads, must not block."""


class SessionEngine(Protocol):
    """What is written of a session's sound goes in by its position, events come out by `PostEvent`.

    `voxtui.engine.supervisor.Engine` is one with a process of its own. All methods are thread-safe
    and, but for `stop`, return at once.
    """

    def start(self) -> None:
        """Begin; `EngineChanged` tells how it goes."""

    def audio_written(self, total_samples: int) -> None:
        """The session's audio file now holds this many samples."""

    def end_utterance(self) -> None:
        """The utterance ends at the total so far; `UtteranceEnded` follows its last words."""

    def settled(self, time_s: float) -> None:
        """Words up to this session audio time are final: a replay starts here."""

    def new_session(self, read_audio: ReadAudio) -> None:
        """Positions count from 0 again, in another file."""

    def configure(self, *, delay_ms: int | None = None, interval_s: float | None = None) -> None:
        """Change the delay (from the next utterance on) and the interval (at once)."""

    def reload(self, config: EngineConfig) -> None:
        """Go on with another model; what is not settled is transcribed again by it."""

    def try_again(self) -> None:
        """Start anew if it was given up (`EngineState.FAILED`)."""

    def idle(self) -> bool:
        """All sound belongs to utterances whose words have been posted."""

    def stop(self, timeout_s: float = 10.0) -> None:
        """Let it finish what is written, at most `timeout_s`, then end it. No events after."""


EngineFactory = Callable[[EngineConfig, ReadAudio, PostEvent], SessionEngine]
