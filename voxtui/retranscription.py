"""A session's sound through an engine once more, in the background.

    audio.wav --> engine --> Retake (a new transcript beside the old) --> accept or discard

One thread handles everything that happens; the caller is told through `listener`, on that thread.
The engine is one of its own, and steps back on the processor: what is being said meanwhile goes on
in the application's.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from voxtui.engine.config import EngineConfig
from voxtui.engine.interface import EngineFactory
from voxtui.engine.supervisor import Engine
from voxtui.events import (
    SAMPLE_RATE,
    EngineChanged,
    EngineEvent,
    EngineState,
    EngineStats,
    TokenText,
    UtteranceEnded,
    WordsRetracted,
)
from voxtui.session.difference import Difference, difference
from voxtui.session.errors import SessionError
from voxtui.session.library import load_session
from voxtui.session.retake import Retake, Utterance
from voxtui.session.versions import take_place

NEAR_S = 0.02


@dataclass(frozen=True, slots=True)
class Progress:
    """So much of the sound has become words; `loading` until the model is there."""

    done_s: float
    total_s: float
    loading: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """It is over: with what differs, or with a problem in one sentence, or cancelled."""

    difference: Difference | None = None
    problem: str = ""

    @property
    def cancelled(self) -> bool:
        """The person wanted no more of it."""
        return self.difference is None and not self.problem


Listener = Callable[[Progress | Ended], object]


class Retranscription:
    """Transcribe a session again: `start`, `Progress` … `Ended`, then `accept` or `discard`."""

    def __init__(
        self,
        path: Path,
        config: EngineConfig,
        listener: Listener,
        engine_factory: EngineFactory = Engine,
    ) -> None:
        """SessionError when the session is being written or its sound was not kept."""
        self.path = path
        self._retake = Retake(path)
        self._listener = listener
        self._inbox: queue.SimpleQueue[EngineEvent | None] = queue.SimpleQueue()
        config = replace(config, background=True)
        self._engine = engine_factory(config, self._retake.read_audio, self._inbox.put)
        self._thread = threading.Thread(target=self._run, name="transcribe-again", daemon=True)
        self._cancelled = threading.Event()
        self._loading = True
        self._told_s = -1.0

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def cancel(self) -> None:
        """Stop and throw away what there is; `Ended` follows."""
        self._cancelled.set()
        self._inbox.put(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; False when the time ran out."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def accept(self) -> int:
        """Make the new transcript the session's; gives the number of the old one's version."""
        new = self._retake.path
        number = take_place(self.path, new)
        self._retake.discard()
        return number

    def discard(self) -> None:
        """Keep the old transcript."""
        self._retake.discard()

    # ---- its thread

    def _run(self) -> None:
        try:
            ended = self._transcribe()
        except SessionError as error:
            ended = Ended(problem=str(error))
        if ended.difference is None:
            self._engine.stop(0.0)
            self._retake.discard()
        self._listener(ended)

    def _transcribe(self) -> Ended:
        waiting = list(reversed(self._retake.utterances))
        self._engine.start()
        self._tell(0.0)
        end_s = self._next(waiting)
        while not self._cancelled.is_set():
            event = self._inbox.get()
            match event:
                case TokenText() | WordsRetracted():
                    self._retake.apply(event)
                case EngineStats():
                    self._retake.apply(event)
                    self._engine.settled(self._retake.settled_s)
                    self._tell(event.audio_done_s)
                case UtteranceEnded(at_s):
                    self._retake.apply(event)
                    self._engine.settled(self._retake.settled_s)
                    self._tell(at_s)
                    if at_s >= end_s - NEAR_S:
                        if not waiting:
                            return self._finished()
                        end_s = self._next(waiting)
                case EngineChanged(EngineState.FAILED, detail):
                    return Ended(problem=detail or "The engine failed.")
                case EngineChanged(EngineState.READY):
                    self._loading = False
                    self._retake.record(
                        engine=event.engine,
                        model=event.model,
                        precision=event.precision,
                        backend=event.backend,
                        delay_ms=event.delay_ms,
                    )
        return Ended()

    def _next(self, waiting: list[Utterance]) -> float:
        """Give the engine another utterance; tells where it ends."""
        utterance = waiting.pop()
        self._engine.audio_written(self._retake.hear(utterance))
        self._engine.end_utterance()
        return utterance.end / SAMPLE_RATE

    def _finished(self) -> Ended:
        self._engine.stop()
        self._retake.close()
        old, new = load_session(self.path), load_session(self._retake.path)
        return Ended(difference(old.segments, new.segments))

    def _tell(self, done_s: float) -> None:
        if self._loading or done_s > self._told_s:
            self._told_s = max(self._told_s, done_s)
            self._listener(Progress(done_s, self._retake.total_s, self._loading))
