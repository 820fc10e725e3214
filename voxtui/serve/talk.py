"""One client's live sound: a pipeline of its own, fed from a socket, heard on asyncio's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from voxtui.audio.hearing import HearingConfig
from voxtui.audio.source import Post
from voxtui.engine.config import EngineConfig
from voxtui.engine.interface import EngineFactory, PostEvent, SessionEngine
from voxtui.engine.timeline import ReadAudio
from voxtui.events import (
    BYTES_PER_SECOND,
    AudioBlock,
    CaptureChanged,
    CaptureState,
    EngineEvent,
    EngineStats,
    Event,
    ListeningChanged,
    TokenText,
    UtteranceEnded,
    WordsRetracted,
)
from voxtui.hook import HookConfig
from voxtui.pipeline import Pipeline, PipelineConfig
from voxtui.serve.limits import ServeConfig
from voxtui.serve.pool import Seat

Heard = Event | TokenText
WHOLE = HearingConfig(pre_roll_s=0.0, post_roll_s=0.0)
"""The client decides which sound counts."""


class PushSource:
    """A source that is given its sound; thread-safe."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._post: Post | None = None
        self._early: list[Callable[[], object]] = []
        self._stopped = False

    def start(self, post: Post) -> None:
        """Begin; what came before happens now."""
        with self._lock:
            self._post = post
            post(CaptureChanged(CaptureState.RUNNING, self.name))
            for work in self._early:
                work()
            self._early.clear()

    @property
    def stopped(self) -> bool:
        """Does nothing go through any more?"""
        return self._stopped

    def push(self, pcm: bytes) -> bool:
        """The next samples; False if nobody hears them any more."""

        def work() -> None:
            if self._post is not None:
                self._post(AudioBlock(pcm))

        with self._lock:
            if not self._stopped:
                self._in_turn(work)
            return not self._stopped

    def then(self, work: Callable[[], object], *, again: bool = False) -> None:
        """Do it after the sound so far has been posted. With `again` what was stopped is about to
        be started anew, and keeps what comes until then."""
        with self._lock:
            if not self._stopped:
                self._in_turn(work)
                return
            if again:
                self._stopped, self._post = False, None
            work()

    def _in_turn(self, work: Callable[[], object]) -> None:
        if self._post is None:
            self._early.append(work)
        else:
            work()

    def stop(self) -> None:
        """Nothing goes through any more."""
        with self._lock:
            self._stopped = True


def tapped(seat: Seat, tell: Callable[[TokenText | WordsRetracted], None]) -> EngineFactory:
    """The engine of a seat for a pipeline, whose words are told to `tell` as well."""

    def engine(config: EngineConfig, read_audio: ReadAudio, post: PostEvent) -> SessionEngine:
        def hear(event: EngineEvent) -> None:
            if isinstance(event, TokenText | WordsRetracted):
                tell(event)
            post(event)

        return seat.engine(config, read_audio, hear)

    return engine


class Talk:
    """Sound in, words out. Used on the loop's thread; `listener` is called there.

    `TokenText` and `WordsRetracted` come as the engine tells them, before the vocabulary and
    before the `TranscriptChanged` that they belong to.
    """

    def __init__(
        self,
        config: ServeConfig,
        seat: Seat,
        name: str,
        listener: Callable[[Heard], None],
        hook: HookConfig | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._source = PushSource(name)
        self._seat = seat
        self._sent = 0
        self._done_s = 0.0
        self._moved = asyncio.Event()
        self._closing = False
        self._pipeline = Pipeline(
            PipelineConfig(
                lambda: self._source,
                config.engine,
                config.sessions_dir,
                hearing=WHOLE,
                keeping=config.keeping,
                vocabulary=config.vocabulary,
                hook=hook or HookConfig(),
            ),
            self._tell_view,
            tapped(seat, self._tell),
        )
        self._pipeline.start()

    @property
    def sent_s(self) -> float:
        """Seconds of sound that went in."""
        return self._sent / BYTES_PER_SECOND

    @property
    def behind_s(self) -> float:
        """Seconds of sound whose words are still to come."""
        return self.sent_s - self._done_s

    def listen(self, on: bool) -> None:
        """An utterance begins or ends here."""
        self._source.then(lambda: self._pipeline.listen(on), again=on)

    def push(self, pcm: bytes) -> None:
        """The next samples: s16le, 16 kHz, mono."""
        if pcm and self._source.push(pcm):
            self._sent += len(pcm)

    async def room(self, ahead_s: float) -> None:
        """Wait until less than `ahead_s` seconds of sound wait for the engine."""
        while self.behind_s > ahead_s and not self._closing:
            self._moved.clear()
            await self._moved.wait()

    async def rest(self, timeout_s: float = 10.0) -> None:
        """Wait until what was heard is words."""
        await asyncio.to_thread(self._pipeline.wait_idle, timeout_s)

    def note(self, text: str) -> None:
        """Write a note into the session."""
        self._pipeline.note(text)

    async def name(self) -> str:
        """The session's name."""
        return (await asyncio.to_thread(self._pipeline.session_path)).name

    async def close(self, timeout_s: float = 10.0) -> None:
        """Wait for the last words, save the session, give the engine back."""
        self._closing = True
        self._moved.set()
        await asyncio.to_thread(self._pipeline.close, timeout_s)
        self._seat.release()

    def _tell_view(self, event: Event) -> None:
        if not isinstance(event, WordsRetracted):  # told already, in its place among the tokens
            self._tell(event)

    def _tell(self, event: Heard) -> None:
        """From the pipeline's or the engine's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._heard, event)

    def _heard(self, event: Heard) -> None:
        if isinstance(event, EngineStats):
            self._done_s = event.audio_done_s
            self._moved.set()
        elif isinstance(event, UtteranceEnded):
            self._done_s = max(self._done_s, event.audio_end_s)
            self._moved.set()
        elif isinstance(event, ListeningChanged) and self._source.stopped:
            self._sent = round(self._done_s * BYTES_PER_SECOND)  # the rest could not be kept
            self._moved.set()
        self._listener(event)
