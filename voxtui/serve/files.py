"""One file that a client sent, through a pipeline of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from voxtui.audio.files import FileSource
from voxtui.audio.source import AudioError
from voxtui.events import (
    CaptureChanged,
    CaptureState,
    EngineChanged,
    EngineState,
    EngineStats,
    Event,
    Notice,
    Segment,
    Severity,
    TranscriptChanged,
    WordsRetracted,
)
from voxtui.pipeline import Pipeline, PipelineConfig
from voxtui.serve.limits import Refused, ServeConfig
from voxtui.serve.pool import Seat
from voxtui.serve.talk import Heard, tapped

LOOK_S = 0.05
"""How often a file that is done is noticed."""


class FileJob:
    """What is said in one file. `segments` are the settled ones so far."""

    def __init__(
        self,
        config: ServeConfig,
        seat: Seat,
        path: Path,
        name: str,
        sessions_dir: Path,
        keep_as: str = "",
    ) -> None:
        self._config = config
        self._seat = seat
        self._path = path
        self._name = name
        self._sessions_dir = sessions_dir
        self._keep_as = keep_as
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Heard] = asyncio.Queue()
        self._pipeline: Pipeline | None = None
        self.segments: list[Segment] = []
        self.duration_s = 0.0
        """What the file claims at first, then what was in it."""
        self.session: Path | None = None

    async def events(self) -> AsyncIterator[Heard]:
        """What happens, until all words are out. `Refused` when it cannot be done."""
        source = await asyncio.to_thread(self._open)
        self.duration_s = source.duration_s or 0.0
        if self.duration_s > self._config.limits.longest_s:
            raise self._too_long()
        pipeline = self._pipeline = Pipeline(
            PipelineConfig(
                lambda: source,
                replace(self._config.engine, background=True),
                self._sessions_dir,
                keep_everything=True,
                keeping=self._config.keeping,
                vocabulary=self._config.vocabulary,
            ),
            self._tell_view,
            tapped(self._seat, self._tell),
        )
        pipeline.start()
        async for event in self._until_idle(pipeline):
            self._take(event)
            yield event

    async def close(self) -> None:
        """End it, whether it is done or not."""
        if self._pipeline is not None:
            await asyncio.to_thread(self._pipeline.close, 0.5)
        self._seat.release()

    async def _until_idle(self, pipeline: Pipeline) -> AsyncIterator[Heard]:
        idle = False
        while True:
            while not self._events.empty():
                yield self._events.get_nowait()
            if idle:
                return
            try:
                yield await asyncio.wait_for(self._events.get(), LOOK_S)
            except TimeoutError:
                idle = pipeline.wait_idle(0.0)
                self.session = pipeline.session_path() if idle else None

    def _open(self) -> FileSource:
        try:
            source = FileSource(self._path, name=self._name)
        except AudioError as error:
            raise Refused(400, str(error), "no_sound") from error
        source.name = self._keep_as or self._name  # what its session is known by
        return source

    def _take(self, event: Heard) -> None:
        match event:
            case TranscriptChanged(settled, _, edited):
                self.segments += settled
                for index, segment in edited:
                    self.segments[index] = segment
            case EngineStats():
                if event.audio_in_s > self._config.limits.longest_s:
                    raise self._too_long()
                self.duration_s = max(self.duration_s, event.audio_in_s)
            case EngineChanged(EngineState.FAILED, detail):
                raise Refused(500, detail or "The engine failed.", "engine_failed")
            case CaptureChanged(CaptureState.FAILED, _, detail):
                raise Refused(400, detail or "The file cannot be read.", "no_sound")
            case Notice(Severity.ERROR, message):
                raise Refused(500, message, "failed")

    def _too_long(self) -> Refused:
        hours = self._config.limits.longest_s / 3600
        return Refused(
            413,
            f"{self._name} is longer than {hours:.3g} hours (voxtui serve --hours allows more).",
            "too_long",
        )

    def _tell_view(self, event: Event) -> None:
        if not isinstance(event, WordsRetracted):
            self._tell(event)

    def _tell(self, event: Heard) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
