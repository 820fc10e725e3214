"""How a source, a session and an engine hang together; all of it on the pipeline's thread.

`Pipeline` brings the work here, from views, source and engine alike.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from voxtui import __version__
from voxtui.audio.hearing import Hearing, HearingConfig
from voxtui.audio.intake import Intake, SourceFactory
from voxtui.engine.config import EngineConfig
from voxtui.engine.interface import EngineFactory
from voxtui.events import (
    AudioBlock,
    AudioGap,
    CaptureChanged,
    CaptureEvent,
    CaptureState,
    Edit,
    EngineChanged,
    EngineEvent,
    EngineState,
    EngineStats,
    Event,
    Level,
    ListeningChanged,
    Notice,
    SessionOpened,
    Severity,
    TokenText,
    TranscriptChanged,
    UtteranceEnded,
    WordsRetracted,
)
from voxtui.hook import Afterwards, HookConfig
from voxtui.inbox import Work
from voxtui.session.aside import DAILY, Aside, Keeping
from voxtui.session.forgetting import forget_old_sound
from voxtui.session.session import Session, SessionError, SessionMeta
from voxtui.vocabulary import Rules

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class PipelineConfig:
    """What to wire together.

    With `keep_everything` (files, standard input) all sound from the first sample on belongs to
    the session and the source waits when the disk is slow; without it (a microphone) only what is
    said while listening does, as `hearing` says. `vocabulary` is the file of rules that the words
    follow; it is looked at whenever somebody begins to speak. `hook` may rewrite each utterance.
    """

    source: SourceFactory
    engine: EngineConfig
    sessions_dir: Path
    keep_everything: bool = False
    hearing: HearingConfig = field(default_factory=HearingConfig)
    keeping: Keeping = field(default_factory=Keeping)
    vocabulary: Path | None = None
    hook: HookConfig = field(default_factory=HookConfig)


class Wiring:
    """Used on one thread, but for `idle`: set while nothing is being heard and all words are out.

    `post` brings work to that thread; `handle` does a piece of it there.
    """

    def __init__(
        self,
        config: PipelineConfig,
        listener: Listener,
        engine_factory: EngineFactory,
        post: Callable[[Work], None],
    ) -> None:
        self.config = config
        self.idle = threading.Event()
        self._listener = listener
        self._post = post
        self._rules = Rules(config.vocabulary)
        self._afterwards = Afterwards(config.hook, post)
        self._aside = Aside(config.keeping, self._warn)
        self.session = self._create_session()
        self.engine = engine_factory(config.engine, self.session.read_audio, self._post_engine)
        self._engine_facts = EngineChanged(EngineState.STOPPED)
        self._intake = Intake(post, self._on_capture, lossless=config.keep_everything)
        self._capture = CaptureState.CLOSED
        self._hearing = Hearing(config.hearing, self)
        self._new_session_wanted = False
        self._next_source: SourceFactory | None = None
        self._confirming = False
        self._failed = ""

    def handle(self, work: Work) -> None:
        """Do a piece of work, and see whether all is out."""
        try:
            work()
        except SessionError as error:
            self._fail(str(error))
        except Exception as error:  # a fault of ours must not end the thread that keeps the words
            traceback.print_exc()
            self._fail(f"Unexpected: {type(error).__name__}: {error}.")
        self._update_idle()

    def begin(self) -> None:
        """Open the source, load the engine."""
        self._announce_session()
        self.engine.start()
        self._open_source()
        root, days = self.config.sessions_dir, self.config.keeping.keep_audio_days
        if days >= 0:
            told = (root, days, time.time(), lambda why: self._post(lambda: self._warn(why)))
            threading.Thread(target=forget_old_sound, args=told, daemon=True).start()

    def end(self, timeout_s: float) -> None:
        """End the engine, close the files."""
        self.engine.stop(timeout_s)
        self._close_session()

    def source_may_go(self) -> None:
        """From any thread: nobody works any more, so a source that waits for that need not."""
        self._intake.end()

    def _close_session(self) -> None:
        self.session.close()
        self.publish(self.session.changed())
        self._aside.closed(self.session.path)

    def _warn(self, sentence: str) -> None:
        self._listener(Notice(Severity.WARNING, sentence))

    def _fail(self, sentence: str) -> None:
        """No more sound can be written: say so and stop hearing. What was heard still becomes
        words; listening again tries again."""
        if self._failed:
            return
        self._failed = sentence
        self._listener(Notice(Severity.ERROR, sentence))
        self.stop_source()

    def _is_done(self) -> bool:
        """Nothing is being heard and every word of what was is posted."""
        ended = self._capture in (
            CaptureState.FINISHED,
            CaptureState.FAILED,
            CaptureState.CLOSED,
        )
        quiet = ended if self.config.keep_everything else not self._hearing.listening
        given_up = self._engine_facts.state is EngineState.FAILED
        silent = quiet and not self._hearing.utterance_open
        return given_up or (silent and self.engine.idle() and not self._afterwards.running)

    def _update_idle(self) -> None:
        if not self._is_done():
            self.idle.clear()
        elif not self._confirming and not (self.idle.is_set() and not self._new_session_wanted):
            # The last words may still lie in the inbox: look again behind them.
            self._confirming = True
            self._post(self._confirm_idle)

    def _confirm_idle(self) -> None:
        self._confirming = False
        if not self._is_done():
            return
        if self._new_session_wanted:
            self._start_new_session()
        if self._is_done():
            self.idle.set()

    # ---- source ------------------------------------------------------------------------

    def _open_source(self) -> None:
        def before() -> None:
            if self.config.keep_everything:
                self.set_listening(True)

        self._intake.open(self.config.source, before)

    def change_source(self, factory: SourceFactory) -> None:
        """Hear another microphone."""
        self._intake.close()
        self._hearing.forget()
        self.config = replace(self.config, source=factory)
        self._open_source()

    def stop_source(self) -> None:
        """Hear nothing more; what was heard is an utterance."""
        self._intake.close()
        self._capture = CaptureState.CLOSED
        self.set_listening(False)
        self._hearing.end()
        self._hearing.forget()

    def _on_capture(self, event: CaptureEvent) -> None:
        match event:
            case AudioBlock(pcm):
                self._listener(self._hearing.hear(pcm))
            case CaptureChanged(state):
                self._capture = state
                if state is CaptureState.RUNNING:
                    self.session.record(source=event.source)
                self._listener(event)
                if state in (CaptureState.FINISHED, CaptureState.FAILED):
                    self.set_listening(False)
                    self._hearing.end()
                elif state is CaptureState.LOST and not self._hearing.listening:
                    self._hearing.end()  # no post-roll will come
            case AudioGap():
                if self._hearing.utterance_open:
                    self.publish(self.session.apply(event))
                self._listener(event)
            case Level() | Notice():
                self._listener(event)

    # ---- sound: what `Hearing` tells ---------------------------------------------------

    def set_listening(self, on: bool, hands_free: bool = False) -> None:
        """Listening begins or ends."""
        if on and self._failed and not self._try_again():
            return
        if on and self._engine_facts.state is EngineState.FAILED:
            self.engine.try_again()
        live = self._capture in (CaptureState.RUNNING, CaptureState.SILENT)
        self._hearing.listen(on, live=live, hands_free=hands_free)

    def _try_again(self) -> bool:
        """There may be room by now; but of a file's sound some would be missing."""
        if self.config.keep_everything:
            return False
        self._failed = ""
        self._open_source()
        return True

    def begin_utterance(self) -> None:
        """Somebody begins to speak."""
        self.reread_vocabulary()
        self.session.begin_utterance()

    def keep(self, pcm: bytes) -> None:
        """This is being said."""
        if pcm and not self._failed:
            self.engine.audio_written(self.session.append_audio(pcm))

    def end_utterance(self) -> None:
        """Somebody stops speaking."""
        self.session.end_utterance()
        self.engine.end_utterance()

    def listening_changed(self, on: bool, paused: bool) -> None:
        """Listening went on or off, or waits for a voice."""
        self._listener(ListeningChanged(on, paused))

    # ---- engine ------------------------------------------------------------------------

    def _post_engine(self, event: EngineEvent) -> None:
        """Called on the engine's threads."""
        self._post(lambda: self._on_engine(event))

    def _on_engine(self, event: EngineEvent) -> None:
        match event:
            case TokenText():
                self.publish(self.session.apply(event))
            case EngineStats() | UtteranceEnded() | WordsRetracted():
                self.publish(self.session.apply(event))
                self.engine.settled(self.session.settled_s)
                if isinstance(event, UtteranceEnded):
                    self._on_utterance_ended(event)
                else:
                    self._listener(event)
            case EngineChanged(state):
                self._engine_facts = event
                if state is EngineState.READY:
                    self.session.record(
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
                self.edit(edits)
            self._listener(event)

        session = {"VOXTUI_SESSION": str(self.session.path)}
        self._afterwards.utterance_ended(self.session.transcript.segments, session, done)

    def edit(self, edits: tuple[Edit, ...]) -> None:
        """Change settled segments, unless they are others by now."""
        change = self.session.edit(edits)
        if change is None:
            sentence = "That text is another by now and was not changed: look at it once more."
            self._listener(Notice(Severity.WARNING, sentence))
        self.publish(change)

    def reread_vocabulary(self) -> None:
        """The rules may have changed: what is settled follows them too."""
        if not self._rules.changed():
            return
        for problem in self._rules.problems:
            self._listener(Notice(Severity.WARNING, problem))
        self.publish(self.session.understand(self._rules.vocabulary))

    def publish(self, change: TranscriptChanged | None) -> None:
        """The page follows."""
        if change is not None:
            self._aside.changed(change)
            self._listener(change)

    # ---- sessions ----------------------------------------------------------------------

    def _create_session(self) -> Session:
        session = Session.create(self.config.sessions_dir, SessionMeta(version=__version__))
        session.understand(self._rules.vocabulary)
        self._record_daily(session)
        return session

    def _keep_in(self, root: Path) -> None:
        if root != self.config.sessions_dir:
            self.config = replace(self.config, sessions_dir=root)
            if self.session.move(root):
                self._announce_session()

    def configure(
        self, hearing: HearingConfig, keeping: Keeping, hook: HookConfig, sessions_dir: Path | None
    ) -> None:
        """As `Pipeline.configure`."""
        self._hearing.configure(hearing)
        self._aside.keeping = keeping
        self._record_daily(self.session)
        self._keep_in(sessions_dir or self.config.sessions_dir)
        self._afterwards.config = hook

    def _record_daily(self, session: Session) -> None:
        if folder := self._aside.keeping.daily_folder:
            session.record(**{DAILY: str(folder)})

    def _announce_session(self) -> None:
        self._listener(SessionOpened(self.session.name, str(self.session.path)))

    def want_new_session(self, source: SourceFactory | None) -> None:
        """Another session when the last words of this one are out."""
        self._new_session_wanted = True
        self._next_source = source
        if source is not None:
            self.stop_source()
        self.set_listening(False)
        self._hearing.end()

    def _start_new_session(self) -> None:
        self._new_session_wanted = False
        failed, self._failed = self._failed, ""
        with contextlib.suppress(*([SessionError] if failed else [])):  # it was told
            self._close_session()
        self.session = self._create_session()
        self._afterwards.begin_session()
        self.engine.new_session(self.session.read_audio)
        if self._engine_facts.state is EngineState.READY:
            self._on_engine(self._engine_facts)
        self._announce_session()
        if self._next_source is not None:
            self.config = replace(self.config, source=self._next_source)
            self._open_source()
        elif failed and not self.config.keep_everything:
            self._open_source()
        elif self.config.keep_everything and self._capture is CaptureState.RUNNING:
            self.set_listening(True)
