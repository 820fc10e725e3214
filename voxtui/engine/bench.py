"""Measures engines on recordings that come with the package.

Each engine is run just as the application runs it. First a short recording, to warm up; then
another one all at once, for the speed; then the same at the pace of speech, for the delay.
"""

from __future__ import annotations

import queue
import statistics
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from voxtui import paths
from voxtui.engine.config import EngineConfig
from voxtui.engine.supervisor import Engine
from voxtui.events import (
    SAMPLE_RATE,
    EngineChanged,
    EngineEvent,
    EngineState,
    EngineStats,
    TokenText,
    UtteranceEnded,
)

WARM_UP = "please_write.wav"
CLIP = "digits.wav"
PATIENCE_S = 180.0
KEEPS_UP = 1.2
"""Times real time from which on an engine keeps up with live speech."""
ALIKE = 1.15
"""Delays that differ by less are the same; then the quicker engine is better."""
STEP_S = 0.08
GONE = (EngineState.FAILED, EngineState.RESTARTING)


class BenchError(Exception):
    """It could not be measured; one sentence."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. `speed` is times real time, `delay_s` from a word's end to its text, the
    median over the words; None where the engine does not keep up with speech. `kernels` is how it
    computes, as it says itself."""

    engine: str
    speed: float
    delay_s: float | None
    memory_mb: float
    load_s: float
    backend: str
    precision: str
    kernels: str
    text: str

    @property
    def keeps_up(self) -> bool:
        """Fit for live speech."""
        return self.speed >= KEEPS_UP


def measure(
    config: EngineConfig,
    patience_s: float = PATIENCE_S,
    tell: Callable[[str], object] = lambda _: None,
    *,
    with_delay: bool = True,
) -> Figures:
    """Run one engine. Takes as long as its speed, and six seconds for the delay.

    `tell` hears how far it is with what has to be done once. Raises BenchError, also when it gets
    no further for `patience_s`.
    """
    run = _Run(config, patience_s, tell, with_delay)
    try:
        return run.measure()
    finally:
        run.engine.stop(1.0)


class _Run:
    def __init__(
        self,
        config: EngineConfig,
        patience_s: float,
        tell: Callable[[str], object],
        with_delay: bool,
    ) -> None:
        self._name = config.name
        self._patience_s = patience_s
        self._tell = tell
        self._with_delay = with_delay
        self._doing = "loading the model"
        self._done_s = 0.0
        self._events: queue.SimpleQueue[tuple[EngineEvent, float]] = queue.SimpleQueue()
        self._warm_up, self._clip = _sound(WARM_UP), _sound(CLIP)
        self._pcm = self._warm_up + 2 * self._clip
        self._written = 0
        self._memory_mb = 0.0
        self.engine = Engine(config, self._read, self._post)

    def _post(self, event: EngineEvent) -> None:
        self._events.put((event, time.perf_counter()))

    def _read(self, at: int, samples: int) -> bytes:
        return self._pcm[2 * at : 2 * (at + samples)]

    def measure(self) -> Figures:
        """The three passes."""
        self.engine.start()
        ready = next(
            event
            for event, _ in self._heard()
            if isinstance(event, EngineChanged) and event.state is EngineState.READY
        )
        self._write(self._warm_up)
        self._until_ended()
        started = time.perf_counter()
        self._write(self._clip)
        text = "".join(token.text for token, _ in self._until_ended()).strip()
        speed = _seconds(self._clip) / (time.perf_counter() - started)
        return Figures(
            self._name,
            round(speed, 2),
            self._delay() if self._with_delay and speed >= KEEPS_UP else None,
            round(self._memory_mb, 1),
            round(ready.load_ms / 1000, 2),
            ready.backend,
            ready.precision,
            ready.detail,
            text,
        )

    def _write(self, pcm: bytes) -> None:
        self._written += len(pcm) // 2
        self.engine.audio_written(self._written)
        self.engine.end_utterance()

    def _delay(self) -> float | None:
        """The same once more, at the pace of speech."""
        offset_s = self._written / SAMPLE_RATE
        started = time.perf_counter()
        total = self._written + len(self._clip) // 2
        while self._written < total:
            time.sleep(STEP_S)
            spoken = offset_s + time.perf_counter() - started
            self._written = min(total, round(spoken * SAMPLE_RATE))
            self.engine.audio_written(self._written)
        self.engine.end_utterance()
        found = [
            at - started - (token.time_s - offset_s)
            for token, at in self._until_ended()
            if token.word_start
        ]
        return round(statistics.median(found), 2) if found else None

    def _until_ended(self) -> list[tuple[TokenText, float]]:
        """The words of the utterance, each with the time when it came."""
        found = []
        for event, at in self._heard():
            if isinstance(event, TokenText):
                found.append((event, at))
            elif isinstance(event, UtteranceEnded):
                break
        return found

    def _heard(self) -> Iterator[tuple[EngineEvent, float]]:
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                event, at = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                told = f"It got no further in {self._patience_s:.0f} seconds: {self._doing}."
                raise BenchError(told) from None
            if self._note(event):
                deadline = time.monotonic() + self._patience_s
            yield event, at

    def _note(self, event: EngineEvent) -> bool:
        """Take what belongs to all passes; does it get any further?"""
        match event:
            case EngineStats():
                self._memory_mb = max(self._memory_mb, event.memory_mb)
                further = event.audio_done_s > self._done_s
                self._done_s = event.audio_done_s
                return further
            case EngineChanged(state, detail) if state in GONE:
                raise BenchError(detail or "The engine failed.")
            case EngineChanged(EngineState.READY):
                self._doing = "writing"
            case EngineChanged(EngineState.LOADING, detail) if detail:
                self._doing = detail
                self._tell(detail)
        return True


def _sound(name: str) -> bytes:
    try:
        with wave.open(str(paths.clips_dir() / name)) as file:
            pcm: bytes = file.readframes(file.getnframes())
            return pcm
    except (OSError, wave.Error) as error:
        raise BenchError(f"The recording {name} is missing: install voxtui again.") from error


def _seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / SAMPLE_RATE


# ---- the best ------------------------------------------------------------------------------


def best(found: list[Figures], is_local: Callable[[str], bool]) -> Figures | None:
    """The least delay among those that keep up, else the most speed.

    An engine that sends the sound elsewhere is only taken where none of this machine keeps up.
    """
    local = [one for one in found if is_local(one.engine)]
    for some in ([one for one in local if one.keeps_up], [o for o in found if o.keeps_up], local):
        if some:
            least = min(one.delay_s or 0.0 for one in some)
            alike = [one for one in some if (one.delay_s or 0.0) <= least * ALIKE + STEP_S]
            return max(alike, key=lambda one: one.speed)
    return max(found, key=lambda one: one.speed, default=None)
