"""A pipeline between a source and an engine that do as they are told."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voxtui.engine.config import EngineConfig
from voxtui.events import (
    SAMPLE_RATE,
    AudioBlock,
    CaptureChanged,
    CaptureEvent,
    CaptureState,
    EngineChanged,
    EngineEvent,
    EngineState,
    EngineStats,
    Event,
    TokenText,
    UtteranceEnded,
)
from voxtui.pipeline import Pipeline, PipelineConfig

BLOCK = SAMPLE_RATE // 10  # samples: 0.1 s


class FakeSource:
    """A microphone that gives what the test says."""

    name = "test microphone"

    def __init__(self) -> None:
        self.post: Callable[[CaptureEvent], None] | None = None
        self.stopped = False

    def start(self, post: Callable[[CaptureEvent], None]) -> None:
        self.post = post
        post(CaptureChanged(CaptureState.RUNNING, self.name))

    def stop(self) -> None:
        self.stopped = True

    def say(self, seconds: float, value: int = 1000) -> None:
        assert self.post is not None
        for _ in range(round(seconds * 10)):
            self.post(AudioBlock(value.to_bytes(2, "little", signed=True) * BLOCK))


class FakeEngine:
    """Writes " word" for each full second of an utterance, at once."""

    def __init__(
        self,
        config: EngineConfig,
        read_audio: Callable[[int, int], bytes],
        post: Callable[[EngineEvent], None],
    ) -> None:
        self.post, self.read_audio = post, read_audio
        self.total = self.words = self.begun = 0
        self.pending = False
        self.configured: list[tuple[int | None, float | None]] = []
        self.settled_s = 0.0
        self.stopped = False
        self.tries = 0
        self.hold = False
        self.held: list[EngineEvent] = []

    def tell(self, event: EngineEvent) -> None:
        (self.held.append if self.hold else self.post)(event)

    def let_go(self) -> None:
        """What was held back is told."""
        self.hold = self.pending = False
        for event in self.held:
            self.post(event)

    def start(self) -> None:
        self.post(EngineChanged(EngineState.LOADING))
        self.post(EngineChanged(EngineState.READY, engine="fake", model="none"))

    def audio_written(self, total_samples: int) -> None:
        self.total, self.pending = total_samples, True
        while self.begun + (self.words + 1) * SAMPLE_RATE <= self.total:
            self.words += 1
            time_s = (self.begun + self.words * SAMPLE_RATE) / SAMPLE_RATE
            self.tell(TokenText(" word", time_s, True, 0.9))

    def end_utterance(self) -> None:
        if self.pending:
            self.tell(EngineStats(self.total / SAMPLE_RATE, self.total / SAMPLE_RATE, 1, 1, 1, 1))
            self.tell(UtteranceEnded(self.total / SAMPLE_RATE))
        self.begun, self.words, self.pending = self.total, 0, self.hold

    def settled(self, time_s: float) -> None:
        self.settled_s = time_s

    def new_session(self, read_audio: Callable[[int, int], bytes]) -> None:
        self.read_audio = read_audio
        self.total = self.words = self.begun = 0

    def configure(self, *, delay_ms: int | None = None, interval_s: float | None = None) -> None:
        self.configured.append((delay_ms, interval_s))

    def reload(self, config: EngineConfig) -> None: ...

    def try_again(self) -> None:
        self.tries += 1

    def idle(self) -> bool:
        return not self.pending

    def stop(self, timeout_s: float = 10.0) -> None:
        self.stopped = True


class Chain:
    """A running pipeline with its fakes and all that it told its listener."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.sources: list[FakeSource] = []
        self.events: list[Event] = []
        self.engines: list[FakeEngine] = []
        config = PipelineConfig(
            source=self.make_source,
            engine=EngineConfig(model=folder / "model"),
            sessions_dir=folder / "sessions",
            vocabulary=folder / "vocabulary.txt",
            **more,
        )
        self.pipeline = Pipeline(config, self.events.append, self.make_engine)  # type: ignore[arg-type]
        self.pipeline.start()
        self.settle()

    def make_source(self) -> FakeSource:
        self.sources.append(FakeSource())
        return self.sources[-1]

    def make_engine(self, *arguments: object) -> FakeEngine:
        self.engines.append(FakeEngine(*arguments))  # type: ignore[arg-type]
        return self.engines[-1]

    @property
    def source(self) -> FakeSource:
        return self.sources[-1]

    @property
    def engine(self) -> FakeEngine:
        return self.engines[-1]

    def settle(self) -> str:
        """Let the pipeline handle all that was posted, answers of the engine included."""
        for _ in range(5):
            text = self.pipeline.text()
        return text

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def audio_seconds(self) -> float:
        with wave.open(str(self.pipeline.session_path() / "audio.wav")) as sound:
            return sound.getnframes() / SAMPLE_RATE
