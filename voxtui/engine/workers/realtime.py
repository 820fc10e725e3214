"""A server that speaks a realtime protocol: sound out over a WebSocket, words in.

    frames --> Sound (what is heard, kept as long as it may be wanted again)
                 |  one turn after the other, each from where the last one got to
                 v
    server --deltas--> Turn (where it stands) --> events

A connection that breaks, a server that is silent, ends a turn unasked or writes nothing over
speech: each is followed by another turn from the last whole word on, so no word is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from voxtui.engine.protocol import Frame
from voxtui.engine.workers.dialects import DIALECTS, Delta, Dialect, Done, Problem
from voxtui.engine.workers.link import Again, Link, Patience, key_for, reason
from voxtui.engine.workers.turns import Sound, Turn, TurnEnd
from voxtui.engine.workers.wire import (
    ADVISED_DELAY_MS,
    STEP_S,
    TOKEN,
    CannotWork,
    Input,
    Output,
    memory_mb,
    read_frame,
)
from voxtui.events import SAMPLE_RATE

PIECE = SAMPLE_RATE // 10
"""Samples in a message, where there are not more waiting."""
LARGEST = 2 * SAMPLE_RATE
AHEAD = 30 * SAMPLE_RATE
"""Sound sent before its words have come, at most; so much may have to be sent again."""
WAITING = 60 * SAMPLE_RATE
"""Sound accepted that could not be sent yet; the rest waits in the session's file."""
UNANSWERED = 4 * SAMPLE_RATE
"""Sound without an answer that is no reason to wonder."""
STUCK = 3
"""So often a turn over the same sound may end too early; then that is all there is."""

Frames = AsyncIterator[tuple[Frame, bytes]]


class Client:
    """The worker. One event loop, no locks."""

    def __init__(self, dialect: Dialect, link: Link, out: Output, patience: Patience) -> None:
        self._dialect, self._link = dialect, link
        self._out, self._patience = out, patience
        self._queue: asyncio.Queue[Sound | None] = asyncio.Queue()
        self._open: Sound | None = None
        self._current: Sound | None = None
        self._turn: Turn | None = None
        self._work: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._count = 0
        self._rut_until = -1

    async def run(self, frames: Frames, model: str) -> None:
        """Until the end of the input."""
        seconds = await self._link.first()
        delay_ms = self._link.delay_ms or ADVISED_DELAY_MS
        where = {"backend": self._link.host, "kernels": f"at {self._link.host}"}
        load_ms = 1000 * seconds
        self._out.ready(
            "realtime", model, delay_ms=delay_ms, interval=STEP_S, load_ms=load_ms, **where
        )
        tasks = [asyncio.create_task(work) for work in (self._read(frames), self._serve())]
        beat = asyncio.create_task(self._beat())
        try:
            await asyncio.gather(*tasks)
            self._out.say("end")
        finally:
            for task in (*tasks, beat):
                task.cancel()
            await self._link.close()

    # ---- frames

    async def _read(self, frames: Frames) -> None:
        try:
            async for kind, payload in frames:
                if kind is Frame.QUIT:
                    break
                await self._take(kind, payload)
        finally:
            if self._open is not None:
                await self._end_sound()
            self._queue.put_nowait(None)

    async def _take(self, kind: Frame, payload: bytes) -> None:
        match kind:
            case Frame.AUDIO:
                if payload:
                    await self._hear(payload)
            case Frame.FLUSH:
                await self._end_sound()
            case Frame.RESET:
                await self._end_sound(cancelled=True)
                if self._work is not None and self._current and self._current.cancelled:
                    self._work.cancel()
            case Frame.CONFIGURE:
                values = json.loads(payload)
                self._link.delay_ms = values.get("delay_ms", self._link.delay_ms)
                delay_ms = self._link.delay_ms or ADVISED_DELAY_MS
                interval = values.get("interval", STEP_S)
                self._out.say("configured", delay_ms=delay_ms, interval=interval)

    def _opened(self) -> Sound:
        if self._open is None:
            self._open = Sound(self._count)
            self._count += 1
            self._queue.put_nowait(self._open)
        return self._open

    async def _hear(self, pcm: bytes) -> None:
        sound = self._opened()
        sound.append(pcm)
        async with self._changed:
            self._changed.notify_all()
            await self._changed.wait_for(lambda: sound.received - self._sent(sound) < WAITING)

    def _sent(self, sound: Sound) -> int:
        """How far it is at the server, or where it will have to begin again."""
        turn = self._turn if sound is self._current else None
        return sound.resume if turn is None else turn.sent

    async def _end_sound(self, *, cancelled: bool = False) -> None:
        sound, self._open = self._opened(), None
        sound.ended, sound.cancelled = True, cancelled
        async with self._changed:
            self._changed.notify_all()

    # ---- utterances

    async def _serve(self) -> None:
        while (sound := await self._queue.get()) is not None:
            self._current = sound
            self._work = asyncio.create_task(self._transcribe(sound))
            try:
                await self._work
            except asyncio.CancelledError:
                if not sound.cancelled:
                    self._work.cancel()
                    raise
            if sound.cancelled:
                self._link.drop()  # the server cannot be told to forget
            else:
                self._tell_stats(sound, sound.received)
            self._current = self._turn = None
            why = "reset" if sound.cancelled else "flush"
            fields = {"utterance": sound.number, "reason": why, "steps": 0}
            heard_s = sound.received / SAMPLE_RATE
            self._out.say("utterance_end", **fields, audio_in=heard_s, encoder_ms=0, decoder_ms=0)

    async def _transcribe(self, sound: Sound) -> None:
        """Turn after turn, until all its words are out."""
        while not sound.cancelled:
            async with self._changed:
                await self._changed.wait_for(lambda: sound.ended or sound.received > sound.resume)
            if sound.received <= sound.resume:
                return
            ws = await self._link.get()
            turn = self._turn = Turn(sound.resume, self._dialect.counts)
            try:
                await self._one_turn(ws, sound, turn)
            except (ConnectionClosed, OSError, Again) as error:
                self._turn = None
                self._go_on_from(turn, sound)
                self._link.failed(str(error) if isinstance(error, Again) else reason(error))
            self._turn = None

    async def _one_turn(self, ws: ClientConnection, sound: Sound, turn: Turn) -> None:
        """Until the server is done with it, asked or not."""
        await self._link.send(self._dialect.start())
        sending = asyncio.create_task(self._send(sound, turn))
        try:
            await self._listen(ws, sound, turn)
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed, Again):
                await sending
        if turn.finished or sound.stuck > STUCK:
            sound.resume = sound.done = turn.sent
            sound.forget(turn.sent)
            self._link.works()
            if not self._dialect.reusable:
                await self._link.close()
            return
        sound.stuck = sound.stuck + 1 if turn.resume(sound)[0] <= turn.start else 0
        if sound.stuck > 1 or not turn.steps:
            raise Again("the server ends too early")
        self._go_on_from(turn, sound)
        self._link.drop()  # what was sent after its end would begin the next turn

    def _go_on_from(self, turn: Turn, sound: Sound) -> None:
        """The turn broke off: the next one begins at its last whole word."""
        self._rut_until = turn.position if turn.rut else -1
        sound.resume, again = turn.resume(sound)
        if again:
            from_s = round(sound.resume / SAMPLE_RATE, 3)
            self._out.say("retracted", utterance=sound.number, **{"from": from_s})

    async def _listen(self, ws: ClientConnection, sound: Sound, turn: Turn) -> None:
        """Answers, until it is done."""
        silent_s = 0.0
        while True:
            try:
                message = await asyncio.wait_for(ws.recv(), 0.25)
            except TimeoutError:
                late = self._dialect.counts and turn.sent - turn.position > UNANSWERED
                silent_s = silent_s + 0.25 if turn.asked or late else 0.0
                if silent_s >= self._patience.stall:
                    raise Again("the server does not answer any more") from None
                continue
            silent_s = 0.0
            if self._answer(message, sound, turn):
                return
            async with self._changed:
                self._changed.notify_all()

    def _answer(self, message: str | bytes, sound: Sound, turn: Turn) -> bool:
        """Take one message; True when the turn is over."""
        try:
            event = json.loads(message)
        except (ValueError, RecursionError) as error:
            raise Again("the server writes something that is no JSON") from error
        match self._dialect.read(event) if isinstance(event, dict) else None:
            case Delta(text):
                self._delta(text, sound, turn)
            case Done():
                return True
            case Problem(told, hopeless):
                if hopeless:
                    raise CannotWork(f"{self._link.host} refuses: {told}", "unsupported")
                raise Again(f"it says: {told.rstrip('.')}")
        return False

    def _delta(self, text: str, sound: Sound, turn: Turn) -> None:
        text, begins = turn.step(text, sound)
        if text:
            self._link.works()
            index = turn.start // TOKEN + turn.steps - 1
            fields = {"utterance": sound.number, "index": index, "id": -1, "text": text}
            time_s = round(turn.latest / SAMPLE_RATE, 3)
            self._out.say("token", **fields, word_start=begins, time=time_s)
        if turn.counts:
            sound.done = max(sound.done, min(turn.position, sound.received))
            sound.forget(turn.position)
            if turn.position > self._rut_until and turn.in_rut(self._patience.rut):
                raise Again("it writes nothing although there is speech")

    async def _send(self, sound: Sound, turn: Turn) -> None:
        """The sound of the turn as it comes, and its end."""
        convert = converter(self._dialect.rate)
        end = TurnEnd(self._dialect.long_s, self._dialect.longest_s, self._dialect.pause_s)
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._may_send(sound, turn))
            waiting = sound.received - turn.sent
            if not waiting:
                break
            room = turn.position + AHEAD - turn.sent if turn.counts else LARGEST
            pcm = sound.read(turn.sent, min(waiting, LARGEST, room))
            pcm, last = end.cut(pcm)
            if converted := convert(pcm, False):
                await self._link.send([self._dialect.sound(converted)])
            turn.sent += len(pcm) // 2
            if last:
                break
        if rest := convert(b"", True):
            await self._link.send([self._dialect.sound(rest)])
        turn.asked = True
        await self._link.send(self._dialect.finish())

    def _may_send(self, sound: Sound, turn: Turn) -> bool:
        waiting = sound.received - turn.sent
        if sound.ended and not waiting:
            return True
        if turn.counts and turn.sent - turn.position > AHEAD - PIECE:
            return False
        return waiting >= (1 if sound.ended else PIECE)

    # ---- how it goes

    async def _beat(self) -> None:
        """Where it stands, so that a wait for the server is not taken for a hanging engine."""
        while True:
            await asyncio.sleep(0.25)
            if self._current is not None:
                self._tell_stats(self._current, self._current.done)

    def _tell_stats(self, sound: Sound, done: int) -> None:
        heard_s = sound.received / SAMPLE_RATE
        done_s = done / SAMPLE_RATE
        fields = {"utterance": sound.number, "audio_in": heard_s, "audio_done": done_s}
        self._out.say("stats", **fields, lag=heard_s - done_s, memory_mb=memory_mb())


def converter(rate: int) -> Callable[[bytes, bool], bytes]:
    """From 16 kHz to the dialect's rate, piece by piece; the flag asks for what is left."""
    if rate == SAMPLE_RATE:
        return lambda pcm, last: pcm
    import numpy as np
    import soxr

    stream = soxr.ResampleStream(SAMPLE_RATE, rate, 1, dtype="int16")

    def convert(pcm: bytes, last: bool) -> bytes:
        samples: Any = stream.resample_chunk(np.frombuffer(pcm, np.int16), last=last)
        return bytes(samples.tobytes())

    return convert


async def from_stdin() -> Frames:
    """Frames of standard input, read in a thread that waits when nobody takes them."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[Frame, bytes] | CannotWork | None] = asyncio.Queue(4)

    def read() -> None:
        source = Input(0)
        while True:
            got: tuple[Frame, bytes] | CannotWork | None
            try:
                got = read_frame(source)
            except CannotWork as error:
                got = error
            asyncio.run_coroutine_threadsafe(queue.put(got), loop).result()
            if got is None or isinstance(got, CannotWork):
                return

    threading.Thread(target=read, name="frames", daemon=True).start()
    while (got := await queue.get()) is not None:
        if isinstance(got, CannotWork):
            raise got
        yield got


def run(chosen: argparse.Namespace, out: Output) -> None:
    """Serve frames from standard input."""
    dialect, patience = DIALECTS[chosen.dialect], Patience()
    link = Link(dialect, chosen.url, chosen.model, key_for(chosen.url), out, patience)
    link.delay_ms = chosen.delay
    client = Client(dialect, link, out, patience)
    asyncio.run(client.run(from_stdin(), chosen.model))
