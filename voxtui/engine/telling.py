"""What an engine's caller is told: states, words in session audio time, how far everything is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from voxtui.engine import protocol as wire
from voxtui.engine.feeder import Feeder
from voxtui.engine.timeline import Timeline
from voxtui.engine.translation import Translator
from voxtui.events import (
    SAMPLE_RATE,
    EngineChanged,
    EngineEvent,
    EngineState,
    EngineStats,
    Notice,
    Severity,
    UtteranceEnded,
    WordsRetracted,
)


class Teller:
    """Belongs to the supervisor's thread, but for `idle`. Stats come every `pace_s` at most."""

    def __init__(
        self, timeline: Timeline, post: Callable[[EngineEvent], None], pace_s: float
    ) -> None:
        self._timeline = timeline
        self._post = post
        self._pace_s = pace_s
        self._translator = Translator(timeline)
        self.facts = EngineChanged(EngineState.STOPPED)
        self._stats: EngineStats | None = None
        self._stats_at = 0.0
        # Held while "done" and its event are given out, so that nobody sees one without the other.
        self._telling = threading.RLock()

    # ---- what the engine says ----------------------------------------------------------

    def heard(self, feeder: Feeder, event: wire.WireEvent, alternatives: int) -> None:
        """Pass on what a process says, but for its being ready and its errors."""
        match event:
            case wire.WireToken():
                token = self._translator.token(feeder, event, alternatives)
                if token is not None:
                    self._post(token)
            case wire.WireRetracted():
                from_s = self._translator.retracted(feeder, event)
                if from_s is not None:
                    self._post(WordsRetracted(from_s, "the server hears it again"))
            case wire.WireStats():
                self._translator.stats(feeder, event)
            case wire.WireUtteranceEnd():
                with self._telling:
                    end_s = self._translator.utterance_end(feeder, event)
                    if end_s is not None:
                        self._tell_stats()
                        self._post(UtteranceEnded(end_s))
            case wire.WireProgress(task, done):
                if self.facts.state is EngineState.LOADING:
                    self.state(EngineState.LOADING, f"{task}: {100 * done:.0f} %")
            case wire.WireConfigured(delay_ms, interval_s):
                self.facts = replace(self.facts, delay_ms=delay_ms, interval_s=interval_s)
                self.state(EngineState.READY)
            case wire.WireWarning(_, message):
                self._post(Notice(Severity.WARNING, message))

    def ready(self, event: wire.WireReady) -> None:
        """A process works, with what it says of itself."""
        self.facts = replace(
            self.facts,
            engine=event.engine,
            model=Path(event.model).name or self.facts.model,
            precision=event.precision,
            backend=event.backend,
            delay_ms=event.delay_ms,
            interval_s=event.interval_s,
            load_ms=event.load_ms,
        )
        threads = f", {event.threads} threads" if event.threads else ""
        self.state(EngineState.READY, f"{event.kernels}{threads}")

    # ---- what becomes of it ------------------------------------------------------------

    def state(self, state: EngineState, detail: str = "") -> None:
        """It is in another state, or in the same one in another way."""
        self.facts = replace(self.facts, state=state, detail=detail)
        self._post(self.facts)

    def loading(self, model: str) -> None:
        """A process loads this model."""
        self.facts = replace(self.facts, model=model)
        self.state(EngineState.LOADING)

    def process_gone(self) -> None:
        """What it was at will be done by another one."""
        self._translator.process_gone()

    def complain(self, sentence: str) -> None:
        """Something went wrong, and it goes on."""
        self._post(Notice(Severity.ERROR, sentence))

    def rewind(self, reason: str) -> int:
        """Go back to the settled point; an utterance that was settled to its end has ended.

        Words after it are taken back if there is a reason for that. Returns the sample.
        """
        with self._telling:
            start, ended = self._timeline.back_to_settled()
            if ended:
                self._post(UtteranceEnded(start / SAMPLE_RATE))
        if reason and self._timeline.positions().total > start:
            self._post(WordsRetracted(start / SAMPLE_RATE, reason))
        return start

    def nothing_to_end(self) -> None:
        """An utterance without sound ended; if others are open their end stands for it."""
        with self._telling:
            if self._timeline.idle():
                self._post(UtteranceEnded(self._timeline.positions().total / SAMPLE_RATE))

    def forget_session(self) -> None:
        """Another session begins: all sums are 0."""
        self._translator.restart()
        self._stats = None

    def stats(self, now: float) -> None:
        """Where it stands, when that changed and it is time."""
        if now - self._stats_at >= self._pace_s and self._tell_stats():
            self._stats_at = now

    def _tell_stats(self) -> bool:
        stats = self._translator.snapshot()
        if stats == self._stats or (self._stats is None and stats.audio_in_s == 0):
            return False
        self._stats = stats
        self._post(stats)
        return True

    # ---- any thread --------------------------------------------------------------------

    def idle(self) -> bool:
        """All sound belongs to utterances whose words have been posted."""
        with self._telling:
            return self._timeline.idle()
