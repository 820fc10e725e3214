"""Sound in, words out: wires a source, a session and an engine together.

    source --AudioBlock--> [pipeline thread] --> session (files, transcript) --> listener
                                 |  ^
                    audio_written|  |TokenText, EngineStats ...
                                 v  |
                               engine

Everything that happens is posted to one inbox and handled by one thread, which alone changes the
session (`Wiring`). Views give a `listener`, called on that thread with what a person should see.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path

from voxtui.audio.hearing import HearingConfig
from voxtui.audio.intake import SourceFactory
from voxtui.engine.config import EngineConfig
from voxtui.engine.interface import EngineFactory
from voxtui.engine.supervisor import Engine
from voxtui.events import Edit
from voxtui.hook import HookConfig
from voxtui.inbox import Inbox, Work
from voxtui.session.aside import Keeping
from voxtui.wiring import Listener, PipelineConfig, Wiring

__all__ = ["Listener", "Pipeline", "PipelineConfig"]


class Pipeline:
    """One running chain from sound to words. All methods are thread-safe."""

    def __init__(
        self,
        config: PipelineConfig,
        listener: Listener,
        engine_factory: EngineFactory = Engine,
    ) -> None:
        self._inbox = Inbox("pipeline", self._do)
        self._wiring = Wiring(config, listener, engine_factory, self._inbox.put)
        self._closed = threading.Event()

    def _do(self, work: Work) -> None:
        self._wiring.handle(work)

    def start(self) -> None:
        """Open the source, load the engine; returns at once."""
        self._inbox.put(self._wiring.begin)
        self._inbox.start()

    def listen(self, on: bool, *, hands_free: bool = False) -> None:
        """Push-to-talk pressed or released, or live listening switched."""
        self._inbox.put(lambda: self._wiring.set_listening(on, hands_free))

    def note(self, text: str, at_s: float | None = None, wall_time: float | None = None) -> None:
        """Write a note of the person's into the transcript: here and now, or where the sound
        was at `at_s` (session audio time) and the clock at `wall_time`."""
        self._inbox.put(
            lambda: self._wiring.publish(self._wiring.session.note(text, at_s, wall_time))
        )

    def edit(self, edits: Iterable[Edit]) -> None:
        """Change settled segments of the transcript."""
        self._inbox.put(lambda: self._wiring.edit(tuple(edits)))

    def new_session(self, source: SourceFactory | None = None) -> None:
        """Close this session when its last words are out and begin another.

        With `source` the new session hears that one, from its first sample on. `SessionOpened`
        tells when it is there; `wait_idle` waits for its end.
        """
        self._wiring.idle.clear()
        self._inbox.put(lambda: self._wiring.want_new_session(source))

    def change_source(self, factory: SourceFactory) -> None:
        """Hear another microphone from now on."""
        self._inbox.put(lambda: self._wiring.change_source(factory))

    def configure(
        self,
        hearing: HearingConfig,
        keeping: Keeping,
        hook: HookConfig,
        sessions_dir: Path | None = None,
    ) -> None:
        """What is heard, what is kept and who may rewrite it, from now on.

        `sessions_dir` is for the next session, and for this one where nothing of it is kept yet.
        """
        self._inbox.put(lambda: self._wiring.configure(hearing, keeping, hook, sessions_dir))

    def configure_engine(
        self, *, delay_ms: int | None = None, interval_s: float | None = None
    ) -> None:
        """Change delay (from the next utterance on) and interval (at once)."""
        self._inbox.put(
            lambda: self._wiring.engine.configure(delay_ms=delay_ms, interval_s=interval_s)
        )

    def reload_engine(self, config: EngineConfig) -> None:
        """Go on with another model; what is not settled yet is transcribed again by it."""
        self._inbox.put(lambda: self._wiring.engine.reload(config))

    def reread_vocabulary(self) -> None:
        """The rules were changed: what is settled follows them too."""
        self._inbox.put(self._wiring.reread_vocabulary)

    def text(self) -> str:
        """The whole transcript so far."""
        return self._inbox.ask(lambda: self._wiring.session.transcript.text())  # noqa: PLW0108 (as it is then)

    def session_path(self) -> Path:
        """The folder of the current session (made with its first sound)."""
        return self._inbox.ask(lambda: self._wiring.session.path)

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until the source ended or nobody listens, and all words are out.

        False when the time ran out. Returns True at once when the engine was given up.
        """
        return self._wiring.idle.wait(timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop listening, wait for the last words, close files and engine."""
        if not self._inbox.running or self._closed.is_set():
            return
        deadline = time.monotonic() + timeout_s
        self._wiring.idle.clear()
        self._inbox.put(self._wiring.stop_source)
        self.wait_idle(max(0.0, deadline - time.monotonic()))
        self._inbox.put(lambda: self._wiring.end(max(0.0, deadline - time.monotonic())))
        self._inbox.close(max(1.0, deadline - time.monotonic()) + 5.0)
        self._closed.set()
        self._wiring.source_may_go()
