"""Keeps one engine process running and turns what it says into events in session audio time.

    caller --audio_written, end_utterance, settled--> Timeline <--- Feeder --frames--> process
                                                         ^                                |
    caller <--EngineEvent-- supervisor's thread ---------+<------ reader threads <--lines-+

The supervisor's thread is the only one that changes the state below and the only one that posts.
A process that ends unasked, breaks the protocol or hangs is replaced, and the sound after the
settled point is sent again from the session's file.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from voxtui import paths
from voxtui.engine import protocol as wire
from voxtui.engine.config import EngineConfig, Timing
from voxtui.engine.feeder import Feeder
from voxtui.engine.locate import EngineMissing, find_engine
from voxtui.engine.process import Broke, EngineProcess, Output, OutputEnded
from voxtui.engine.telling import Teller
from voxtui.engine.timeline import ReadAudio, Timeline
from voxtui.engine.watchdog import Watchdog
from voxtui.events import SAMPLE_RATE, EngineEvent, EngineState

_log = logging.getLogger(__name__)


class Engine:
    """The engine as the pipeline sees it. All methods are thread-safe and, but for `stop`,
    return at once; `post` must not block."""

    def __init__(
        self,
        config: EngineConfig,
        read_audio: ReadAudio,
        post: Callable[[EngineEvent], None],
        *,
        timing: Timing | None = None,
    ) -> None:
        self._timeline = Timeline(read_audio)
        self._timing = timing or Timing()
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        # What follows belongs to the supervisor's thread.
        self._config = config
        self._teller = Teller(self._timeline, post, self._timing.stats)
        self._process: EngineProcess | None = None
        self._feeder: Feeder | None = None
        self._watchdog = Watchdog(self._timing)
        self._begun = False
        self._generation = 0
        self._error = ""
        self._again = ""  # why words will be taken back, after a loss
        self._failures = 0
        self._failed_at = -1
        self._spawned_at = 0.0
        self._respawn_at: float | None = None
        self._stop_at: float | None = None
        self._ended = False

    # ---- what the pipeline calls -------------------------------------------------------

    def start(self) -> None:
        """Start the process; `EngineChanged` tells how it goes."""
        self._inbox.put(self._begin)
        self._thread.start()

    def audio_written(self, total_samples: int) -> None:
        """The session's audio file now holds this many samples."""
        self._timeline.written(total_samples)

    def end_utterance(self) -> None:
        """The utterance ends at the total so far; `UtteranceEnded` follows its last words."""
        if not self._timeline.end_utterance():
            self._inbox.put(self._teller.nothing_to_end)

    def settled(self, time_s: float) -> None:
        """Words up to this session audio time are final: a replay starts here."""
        self._timeline.settle(round(time_s * SAMPLE_RATE))

    def new_session(self, read_audio: ReadAudio) -> None:
        """Positions count from 0 again, in another file; the model stays loaded."""
        self._timeline.restart(read_audio)
        self._inbox.put(self._forget_session)

    def configure(self, *, delay_ms: int | None = None, interval_s: float | None = None) -> None:
        """Change the delay (from the next utterance on) and the interval (at once)."""
        self._inbox.put(lambda: self._configure(delay_ms, interval_s))

    def reload(self, config: EngineConfig) -> None:
        """Go on with another process; what is not settled is transcribed again by it."""
        self._inbox.put(lambda: self._reload(config))

    def try_again(self) -> None:
        """Start another process if it was given up; what was not written is, by that one."""

        def work() -> None:
            if self._teller.facts.state is EngineState.FAILED:
                self._reload(self._config)
                self._again = "the engine is started again"

        self._inbox.put(work)

    @property
    def pid(self) -> int | None:
        """The number of its process, while it has one."""
        process = self._process
        return None if process is None else process.pid

    def idle(self) -> bool:
        """All sound belongs to utterances whose words have been posted."""
        return self._teller.idle()

    def after_all(self, work: Callable[[], None]) -> None:
        """Have its thread call `work` when it has told all that it was asked for until now."""
        self._inbox.put(work)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Let it finish what is written, at most `timeout_s`, then end it. No events after."""
        if self._thread.ident is None or not self._thread.is_alive():
            return
        self._inbox.put(lambda: self._begin_stop(timeout_s))
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # ---- the supervisor's thread -------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._ended:
                try:
                    work = self._inbox.get(timeout=self._patience())
                except queue.Empty:
                    pass
                else:
                    work()
                self._tick(time.monotonic())
        except Exception:
            _log.exception("the engine's supervisor failed")
            self._drop_process()
            self._teller.state(EngineState.FAILED, "The engine's supervisor failed: see the log.")

    def _patience(self) -> float:
        if self._respawn_at is not None:
            return max(0.0, min(0.1, self._respawn_at - time.monotonic()))
        return 0.5 if self._timeline.idle() and self._stop_at is None else self._timing.stats / 2

    def _tick(self, now: float) -> None:
        if self._ended:
            return
        self._teller.stats(now)
        if self._respawn_at is not None and now >= self._respawn_at:
            self._spawn()
        if self._stop_at is not None:
            if self._timeline.idle():
                self._stop_at = min(self._stop_at, now + self._timing.quit)
            if now >= self._stop_at:
                self._end()
        elif self._process is not None:
            if self._process.gone_for(now) > 1.0:  # something it started holds its output open
                self._on_output(self._generation, OutputEnded())
            elif self._watchdog.hangs(
                now,
                self._process.activity,
                owes=self._timeline.owes(round(self._slack_s() * SAMPLE_RATE)),
                loading=self._teller.facts.state is EngineState.LOADING,
            ):
                self._crashed("does not answer any more")

    def _slack_s(self) -> float:
        """Sound that a healthy engine may hold back, in seconds."""
        return 3.0 + 2 * self._teller.facts.interval_s + self._teller.facts.delay_ms / 1000

    def _begin(self) -> None:
        self._begun = True
        self._spawn()

    # ---- processes ---------------------------------------------------------------------

    def _spawn(self) -> None:
        self._respawn_at = None
        self._generation += 1
        generation = self._generation
        self._error = ""
        self._spawned_at = time.monotonic()
        self._teller.loading(self._config.model.name)
        try:
            process = EngineProcess(
                self._config.command(find_engine),
                paths.log_dir() / "engine.log",
                lambda output: self._inbox.put(lambda: self._on_output(generation, output)),
                background=self._config.background,
            )
        except EngineMissing as error:
            self._teller.state(EngineState.FAILED, str(error))
            return
        except OSError as error:
            reason = error.strerror or str(error)
            self._teller.state(EngineState.FAILED, f"The engine cannot be started: {reason}.")
            return
        self._watchdog.heard(time.monotonic())
        self._process = process
        self._feeder = Feeder(process.stdin, self._timeline, self._complain)

    def _drop_process(self) -> EngineProcess | None:
        """End the process, if there is one; what it still says is ignored."""
        process, feeder = self._process, self._feeder
        self._process = self._feeder = None
        self._generation += 1
        if feeder is not None:
            feeder.abandon()
        if process is not None:
            process.kill()
            self._teller.process_gone()
        return process

    def _crashed(self, what: str) -> None:
        """The process is of no use any more: start another one, or give up."""
        loading = self._teller.facts.state is not EngineState.READY
        settled = self._timeline.positions().settled
        ran_well = (
            self._timeline.idle() and time.monotonic() - self._spawned_at > self._timing.healthy
        )
        process = self._drop_process()
        if settled > self._failed_at or ran_well:
            self._failures = 0
        self._failed_at = settled
        self._failures += 1
        reason = self._error or (process.last_words() if process else "")
        code = process.wait(0) if process else None
        told = reason and code != -signal.SIGKILL  # which nobody can foretell
        why = f"{what}: {reason}" if told else what
        if self._stop_at is not None:
            self._end()
        elif loading and code == 2:
            self._teller.state(EngineState.FAILED, reason or "The engine cannot use this model.")
        elif self._failures > len(self._timing.backoff):
            self._teller.state(
                EngineState.FAILED,
                f"The engine stopped {self._failures} times in a row ({why}). "
                f"More is in {paths.short(paths.log_dir() / 'engine.log')}.",
            )
        else:
            self._teller.state(EngineState.RESTARTING, f"The engine {why}. It is started again.")
            self._again = "the engine is started again"
            self._respawn_at = time.monotonic() + self._timing.backoff[self._failures - 1]

    def _reload(self, config: EngineConfig) -> None:
        self._config = config
        if self._stop_at is not None or not self._begun:
            return
        self._drop_process()
        self._failures = 0
        self._failed_at = -1
        self._again = "another model goes on"
        self._spawn()

    def _configure(self, delay_ms: int | None, interval_s: float | None) -> None:
        if delay_ms is not None:
            self._config = replace(self._config, delay_ms=delay_ms)
        if interval_s is not None:
            self._config = replace(self._config, interval_s=interval_s)
        if self._feeder is not None and (delay_ms is not None or interval_s is not None):
            self._feeder.command(wire.encode_configure(delay_ms=delay_ms, interval_s=interval_s))

    def _begin_stop(self, timeout_s: float) -> None:
        self._stop_at = time.monotonic() + timeout_s
        loading = self._teller.facts.state is not EngineState.READY
        if self._process is None or self._feeder is None or (loading and self._timeline.idle()):
            self._end()
            return
        self._timeline.end_utterance()
        self._feeder.quit()

    def _end(self) -> None:
        """The end of the process and of this thread."""
        self._ended = True
        self._respawn_at = None
        feeder = self._feeder
        if self._process is not None:
            self._process.kill(grace_s=0.5)
        self._drop_process()
        if feeder is not None:
            feeder.join(1.0)
        self._teller.state(EngineState.STOPPED)

    # ---- what the process says ---------------------------------------------------------

    def _on_output(self, generation: int, output: Output) -> None:
        feeder = self._feeder
        if generation != self._generation or feeder is None:
            return
        self._watchdog.heard(time.monotonic())
        try:
            match output:
                case Broke(reason):
                    self._crashed(f"cannot be understood: {reason}")
                case OutputEnded():
                    self._on_exit()
                case _:
                    self._on_event(feeder, output)
        except wire.ProtocolError as error:
            self._crashed(f"cannot be understood: {error}")

    def _on_exit(self) -> None:
        assert self._process is not None
        code = self._process.wait(1.0)
        if self._stop_at is not None:
            self._end()
        elif code is None:
            self._crashed("closed its output")
        elif code < 0:
            killed = code == -signal.SIGKILL
            why = ", as happens when memory runs out" if killed else ""
            self._crashed(f"was ended by signal {-code}{why}")
        else:
            self._crashed(f"ended with code {code}")

    def _on_event(self, feeder: Feeder, event: wire.WireEvent) -> None:
        match event:
            case wire.WireReady():
                self._on_ready(feeder, event)
            case wire.WireError(_, message):
                self._error = message
            case _:
                self._teller.heard(feeder, event, self._config.alternatives)

    def _on_ready(self, feeder: Feeder, ready: wire.WireReady) -> None:
        if self._teller.facts.state is EngineState.READY:
            raise wire.ProtocolError("it was ready twice")
        if ready.protocol != wire.VERSION:
            self._drop_process()
            self._teller.state(
                EngineState.FAILED,
                f"The engine speaks version {ready.protocol} of the protocol, not "
                f"{wire.VERSION}: install voxtui again.",
            )
            return
        # Only now, when there is a process that will write them again, are words taken back.
        start = self._teller.rewind(self._again)
        self._again = ""
        self._teller.ready(ready)
        feeder.start(start)

    def _complain(self, sentence: str) -> None:
        self._inbox.put(lambda: self._teller.complain(sentence))

    def _forget_session(self) -> None:
        self._teller.forget_session()
        self._again = ""
        self._failures = 0
        self._failed_at = -1
