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

import contextlib
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from voxtui.audio.hearing import HearingConfig
from voxtui.audio.intake import SourceFactory
from voxtui.engine.config import EngineConfig
from voxtui.engine.supervisor import Engine
from voxtui.events import Edit
from voxtui.hook import HookConfig
from voxtui.inbox import Inbox, Work
from voxtui.session.aside import Keeping
from voxtui.wiring import EngineFactory, Listener, PipelineConfig, Wiring

__all__ = ["EngineFactory", "Listener", "Pipeline", "PipelineConfig"]


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
<<<<<<< HEAD
        self._intake.end()

    # ---- the pipeline thread -----------------------------------------------------------

    def _do(self, work: Work) -> None:
        try:
            work()
        except SessionError as error:
            self._fail(str(error))
        self._update_idle()

    def _begin(self) -> None:
        self._announce_session()
        self._engine.start()
        self._open_source()
        root, days = self._config.sessions_dir, self._config.keeping.keep_audio_days
        if days >= 0:
            work = threading.Thread(target=forget_old_sound, args=(root, days, time.time()))
            work.daemon = True
            work.start()

    def _end(self, timeout_s: float) -> None:
        self._engine.stop(timeout_s)
        self._close_session()

    def _close_session(self) -> None:
        self._session.close()
        self._publish(self._session.changed())
        self._aside.closed(self._session.path)

    def _warn(self, sentence: str) -> None:
        self._listener(Notice(Severity.WARNING, sentence))

    def _fail(self, sentence: str) -> None:
        """The session cannot be written any more: stop hearing, keep what there is, say so. Who
        talks again then begins another session, as there may be room again."""
        if self._failed:
            return
        self._failed = sentence
        self._listener(Notice(Severity.ERROR, sentence))
        self._stop_source()

    def _is_done(self) -> bool:
        """Nothing is being heard and every word of what was is posted."""
        ended = self._capture in (
            CaptureState.FINISHED,
            CaptureState.FAILED,
            CaptureState.CLOSED,
        )
        quiet = ended if self._config.keep_everything else not self._hearing.listening
        given_up = self._engine_facts.state is EngineState.FAILED or bool(self._failed)
        silent = quiet and not self._hearing.utterance_open
        return given_up or (silent and self._engine.idle() and not self._afterwards.running)

    def _update_idle(self) -> None:
        if not self._is_done():
            self._idle.clear()
        elif not self._confirming and not (self._idle.is_set() and not self._new_session_wanted):
            # The last words may still lie in the inbox: look again behind them.
            self._confirming = True
            self._inbox.put(self._confirm_idle)

    def _confirm_idle(self) -> None:
        self._confirming = False
        if not self._is_done():
            return
        if self._new_session_wanted:
            self._start_new_session()
        if self._is_done():
            self._idle.set()

    # ---- source ------------------------------------------------------------------------

    def _open_source(self) -> None:
        def before() -> None:
            if self._config.keep_everything:
                self._set_listening(True)

        self._intake.open(self._config.source, before)

    def _change_source(self, factory: SourceFactory) -> None:
        self._intake.close()
        self._hearing.forget()
        self._config = replace(self._config, source=factory)
        self._open_source()

    def _stop_source(self) -> None:
        self._intake.close()
        self._capture = CaptureState.CLOSED
        self._set_listening(False)
        self._hearing.end()
        self._hearing.forget()

    def _on_capture(self, event: CaptureEvent) -> None:
        match event:
            case AudioBlock(pcm):
                self._listener(self._hearing.hear(pcm))
            case CaptureChanged(state):
                self._capture = state
                if state is CaptureState.RUNNING:
                    self._session.record(source=event.source)
                self._listener(event)
                if state in (CaptureState.FINISHED, CaptureState.FAILED):
                    self._set_listening(False)
                    self._hearing.end()
                elif state is CaptureState.LOST and not self._hearing.listening:
                    self._hearing.end()  # no post-roll will come
            case AudioGap():
                if self._hearing.utterance_open:
                    self._publish(self._session.apply(event))
                self._listener(event)
            case Level() | Notice():
                self._listener(event)

    # ---- sound: what `Hearing` tells ---------------------------------------------------

    def _set_listening(self, on: bool, hands_free: bool = False) -> None:
        if on and self._failed:
            if self._config.keep_everything:
                return  # what was missed of it cannot be had again
            self._start_new_session()
        live = self._capture in (CaptureState.RUNNING, CaptureState.SILENT)
        self._hearing.listen(on, live=live, hands_free=hands_free)

    def begin_utterance(self) -> None:
        """Somebody begins to speak."""
        self._reread_vocabulary()
        self._session.begin_utterance()

    def keep(self, pcm: bytes) -> None:
        """This is being said."""
        if pcm and not self._failed:
            self._engine.audio_written(self._session.append_audio(pcm))

    def end_utterance(self) -> None:
        """Somebody stops speaking."""
        self._session.end_utterance()
        self._engine.end_utterance()

    def listening_changed(self, on: bool, paused: bool) -> None:
        """Listening went on or off, or waits for a voice."""
        self._listener(ListeningChanged(on, paused))

    # ---- engine ------------------------------------------------------------------------

    def _post_engine(self, event: EngineEvent) -> None:
        """Called on the engine's threads."""
        self._inbox.put(lambda: self._on_engine(event))

    def _on_engine(self, event: EngineEvent) -> None:
        match event:
            case TokenText():
                self._publish(self._session.apply(event))
            case EngineStats() | UtteranceEnded() | WordsRetracted():
                self._publish(self._session.apply(event))
                self._engine.settled(self._session.settled_s)
                if isinstance(event, UtteranceEnded):
                    self._on_utterance_ended(event)
                else:
                    self._listener(event)
            case EngineChanged(state):
                self._engine_facts = event
                if state is EngineState.READY:
                    self._session.record(
                        engine=event.engine,
                        model=event.model,
                        precision=event.precision,
                        backend=event.backend,
                        delay_ms=event.delay_ms,
                    )
                self._listener(event)
            case Notice():
                self._listener(event)

    def _on_utterance_ended(self, event: UtteranceEnded) -> None:
        """The hook first: its words are those that are copied when it is told."""

        def done(edits: tuple[Edit, ...], problem: str) -> None:
            if problem:
                self._warn(problem)
            if edits:
                self._edit(edits)
            self._listener(event)

        session = {"VOXTUI_SESSION": str(self._session.path)}
        self._afterwards.utterance_ended(self._session.transcript.segments, session, done)

    def _edit(self, edits: tuple[Edit, ...]) -> None:
        change = self._session.edit(edits)
        if change is None:
            sentence = "That text is another by now and was not changed: look at it once more."
            self._listener(Notice(Severity.WARNING, sentence))
        self._publish(change)

    def _reread_vocabulary(self) -> None:
        if not self._rules.changed():
            return
        for problem in self._rules.problems:
            self._listener(Notice(Severity.WARNING, problem))
        self._publish(self._session.understand(self._rules.vocabulary))

    def _publish(self, change: TranscriptChanged | None) -> None:
        if change is not None:
            self._aside.changed(change)
            self._listener(change)

    # ---- sessions ----------------------------------------------------------------------

    def _create_session(self) -> Session:
        session = Session.create(self._config.sessions_dir, SessionMeta(version=__version__))
        session.understand(self._rules.vocabulary)
        self._record_daily(session)
        return session

    def _keep_in(self, root: Path) -> None:
        if root != self._config.sessions_dir:
            self._config = replace(self._config, sessions_dir=root)
            if self._session.move(root):
                self._announce_session()

    def _record_daily(self, session: Session) -> None:
        if folder := self._aside.keeping.daily_folder:
            session.record(**{DAILY: str(folder)})

    def _announce_session(self) -> None:
        self._listener(SessionOpened(self._session.name, str(self._session.path)))

    def _want_new_session(self, source: SourceFactory | None) -> None:
        self._new_session_wanted = True
        self._next_source = source
        if source is not None:
            self._stop_source()
        self._set_listening(False)
        self._hearing.end()

    def _start_new_session(self) -> None:
        self._new_session_wanted = False
        failed, self._failed = self._failed, ""
        with contextlib.suppress(*([SessionError] if failed else [])):  # it was told
            self._close_session()
        self._session = self._create_session()
        self._afterwards.begin_session()
        self._engine.new_session(self._session.read_audio)
        if self._engine_facts.state is EngineState.READY:
            self._on_engine(self._engine_facts)
        self._announce_session()
        if self._next_source is not None:
            self._config = replace(self._config, source=self._next_source)
            self._open_source()
        elif failed and not self._config.keep_everything:
            self._open_source()
        elif self._config.keep_everything and self._capture is CaptureState.RUNNING:
            self._set_listening(True)
=======
        self._wiring.source_may_go()
>>>>>>> fe1f013 (At a full disk the newest words are waited for and listening may go on; the pipeline in two rooms: what views call, and what its thread does)
