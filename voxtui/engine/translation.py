"""From the wire's utterances to the session's audio time, and the sums over all utterances."""

from __future__ import annotations

from voxtui.engine.feeder import Feeder, WireUtterance
from voxtui.engine.protocol import (
    ProtocolError,
    WireRetracted,
    WireStats,
    WireToken,
    WireUtteranceEnd,
)
from voxtui.engine.timeline import Timeline
from voxtui.events import SAMPLE_RATE, Alternative, EngineStats, TokenText


class Translator:
    """Belongs to the supervisor's thread."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.restart()

    def restart(self) -> None:
        """Another session begins: all sums are 0."""
        self._encoder_ms = self._decoder_ms = 0.0
        self._steps = 0
        self._current: WireStats | WireUtteranceEnd | None = None
        self._memory_mb = 0.0
        self._last_token_s = 0.0
        self._horizon_s = 0.0

    def process_gone(self) -> None:
        """What the open utterance took is spent; words up to the last one may come again."""
        self._add(self._current)
        self._current = None
        self._horizon_s = max(self._horizon_s, self._last_token_s)

    def token(self, feeder: Feeder, token: WireToken, most: int) -> TokenText | None:
        """The token in session audio time, with `most` alternatives; None when it is old news.

        After a replay, words that were settled while the replay was being prepared come a second
        time: they are dropped.
        """
        utterance = self._utterance(feeder, token.utterance)
        if utterance.session != self._timeline.session():
            return None
        time_s = utterance.start / SAMPLE_RATE + max(0.0, token.time_s)
        end = self._timeline.positions().total if utterance.end is None else utterance.end
        time_s = min(time_s, end / SAMPLE_RATE)
        settled_s = self._timeline.positions().settled / SAMPLE_RATE
        if time_s <= settled_s and time_s <= self._horizon_s:
            return None
        self._last_token_s = max(self._last_token_s, time_s)
        return TokenText(
            text=token.text,
            time_s=time_s,
            word_start=token.word_start,
            probability=token.probability,
            alternatives=tuple(Alternative(text, p) for text, p in token.alternatives[:most]),
        )

    def retracted(self, feeder: Feeder, event: WireRetracted) -> float | None:
        """From which session audio time on words come again; None when it is old news.

        What is settled stays, and is dropped when it comes a second time.
        """
        utterance = self._utterance(feeder, event.utterance)
        if utterance.session != self._timeline.session():
            return None
        self._horizon_s = max(self._horizon_s, self._last_token_s)
        from_s = utterance.start / SAMPLE_RATE + max(0.0, event.from_s)
        return max(from_s, self._timeline.positions().settled / SAMPLE_RATE)

    def stats(self, feeder: Feeder, stats: WireStats) -> None:
        """Note how far the engine is."""
        utterance = self._utterance(feeder, stats.utterance)
        if utterance.session != self._timeline.session():
            return
        self._current = stats
        self._memory_mb = stats.memory_mb
        done = utterance.start + round(stats.audio_done_s * SAMPLE_RATE)
        if utterance.end is not None:
            done = min(done, utterance.end)
        self._timeline.progressed(utterance.session, done)

    def utterance_end(self, feeder: Feeder, end: WireUtteranceEnd) -> float | None:
        """The session audio time up to which all words are out; None when it is old news."""
        utterance = self._utterance(feeder, end.utterance)
        if utterance.end is None:
            raise ProtocolError("an utterance ended that nobody had ended")
        if utterance.session != self._timeline.session() or end.reason == "reset":
            return None
        self._add(end)
        self._current = None
        if not self._timeline.finished(utterance.session, utterance.end):
            return None
        return utterance.end / SAMPLE_RATE

    def snapshot(self) -> EngineStats:
        """Everything so far, in session audio time; sums over the whole session."""
        positions = self._timeline.positions()
        current = self._current
        return EngineStats(
            audio_in_s=positions.total / SAMPLE_RATE,
            audio_done_s=positions.done / SAMPLE_RATE,
            encoder_ms=self._encoder_ms + (current.encoder_ms if current else 0.0),
            decoder_ms=self._decoder_ms + (current.decoder_ms if current else 0.0),
            steps=self._steps + (current.steps if current else 0),
            memory_mb=self._memory_mb,
        )

    def _add(self, spent: WireStats | WireUtteranceEnd | None) -> None:
        if spent is not None:
            self._encoder_ms += spent.encoder_ms
            self._decoder_ms += spent.decoder_ms
            self._steps += spent.steps

    @staticmethod
    def _utterance(feeder: Feeder, number: int) -> WireUtterance:
        utterance = feeder.utterance(number)
        if utterance is None:
            raise ProtocolError(f"there is no utterance {number}")
        return utterance
