"""`/v1/realtime`: vLLM's protocol for live sound, so that its clients work unchanged.

A commit that is not final *starts* writing, one that is ends it. What was appended waits in a
queue; when an utterance is done the queue is emptied. That a second utterance has to wait for the
`done` of the first is vLLM's rule, too.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from voxtui.events import (
    BYTES_PER_SECOND,
    EngineChanged,
    EngineState,
    EngineStats,
    Notice,
    Severity,
    TokenText,
    UtteranceEnded,
    WordsRetracted,
)
from voxtui.serve.deltas import Growing
from voxtui.serve.limits import MIB, ServeConfig
from voxtui.serve.pool import Seat
from voxtui.serve.talk import Heard, Talk

STEP_S = 0.08
"""Sound of one token, and so of one delta."""
PROMPT = 33
"""Tokens before the first sound: the beginning and the padding; those of the delay come to it."""
WAITING = 32 * MIB
"""Sound that may be appended before a commit starts the work on it."""
LARGEST_APPEND = 25 * MIB
"""Samples in one append, as vLLM has it."""
IDLE = 4408
"""Close code for a client that held its place and said nothing (HTTP's 408)."""
GOODBYE_S = 10.0
"""What the last words of such a client may take."""
HELD_BACK_S = 5.0
"""Sound that an engine may have without telling words; with more of it the client waits for us."""


class Queue:
    """What was appended and not yet worked on; None is the mark of a final commit."""

    def __init__(self) -> None:
        self._items: deque[bytes | None] = deque()
        self._came = asyncio.Event()
        self.bytes = 0

    def put(self, item: bytes | None) -> None:
        """Append sound or a mark."""
        self._items.append(item)
        self.bytes += len(item or b"")
        self._came.set()

    async def get(self) -> bytes | None:
        """The oldest of them; waits for one."""
        while not self._items:
            self._came.clear()
            await self._came.wait()
        item = self._items.popleft()
        self.bytes -= len(item or b"")
        return item

    def clear(self) -> None:
        """Forget all of it."""
        self._items.clear()
        self.bytes = 0


class Generation:
    """One utterance: from the commit that starts it to its `transcription.done`."""

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self.outgoing: asyncio.Queue[str | None] = asyncio.Queue()
        self.failed = ""
        self._grown = Growing()
        self._steps = 0
        self._delay_s = 0.48

    @property
    def text(self) -> str:
        return self._grown.text

    def hear(self, event: Heard) -> None:
        """Turn what the engine tells into deltas, one for each 80 ms of sound."""
        match event:
            case EngineChanged(EngineState.FAILED, detail):
                self._fail(detail or "The engine failed.")
            case EngineChanged(delay_ms=delay_ms) if delay_ms:
                self._delay_s = delay_ms / 1000
            case Notice(Severity.ERROR, message):
                self._fail(message)
            case TokenText():
                text = self._grown.token(event)
                if text:
                    self._pass(event.time_s)
                    self._delta(text)
            case WordsRetracted():
                self._grown.retracted(event)
            case EngineStats():
                self._pass(event.audio_done_s)
            case UtteranceEnded():
                self._pass(event.audio_end_s)
                self.outgoing.put_nowait(None)

    def usage(self) -> dict[str, int]:
        """Tokens as vLLM would count them."""
        prompt = PROMPT + round(self._delay_s / STEP_S)
        return {
            "prompt_tokens": prompt,
            "total_tokens": prompt + self._steps,
            "completion_tokens": self._steps,
        }

    def _pass(self, time_s: float) -> None:
        """Empty deltas up to a time: their number tells a client how far the words are.

        Generated token k says what ended in the 80 ms k; the model's delay lies in its prompt.
        """
        until = round((time_s - self.start_s) / STEP_S)
        for _ in range(until - self._steps):
            self._delta("")

    def _delta(self, text: str) -> None:
        self._steps += 1
        self.outgoing.put_nowait(text)

    def _fail(self, why: str) -> None:
        self.failed = why
        self.outgoing.put_nowait(None)


class RealtimeConnection:
    """One client from its connection to its end."""

    def __init__(
        self, socket: WebSocket, config: ServeConfig, seat: Seat, knows: Callable[[str], bool]
    ) -> None:
        self._socket = socket
        self._config = config
        self._seat = seat
        self._knows = knows
        self._queue = Queue()
        self._validated = False
        self._generation: Generation | None = None
        self._failed = False
        self._task: asyncio.Task[None] | None = None
        self._talk: Talk | None = None
        self._drained = asyncio.Event()
        self._ending = False
        self._active = time.monotonic()

    async def run(self) -> None:
        """Serve it to its end; the session is saved then."""
        await self._socket.accept()
        try:
            created = int(time.time())
            await self._send(
                {"type": "session.created", "id": f"sess-{uuid.uuid4().hex}", "created": created}
            )
            while True:
                message = await self._receive()
                if message is None:
                    await self._hang_up()
                    break
                if message["type"] == "websocket.disconnect":
                    break
                text = message.get("text")
                if text is None:  # vLLM ends the connection, too
                    await self._socket.close(1003)
                    break
                await self._handle(text)
                await self._room()
                self._active = time.monotonic()
        except (WebSocketDisconnect, RuntimeError):
            pass  # it has gone
        finally:
            if self._task is not None:
                self._task.cancel()
            if self._talk is not None:
                await self._talk.close()
            else:
                self._seat.release()

    # ---- silence -----------------------------------------------------------------------

    async def _receive(self) -> Any:
        """The next message; None when the client holds its place and says nothing."""
        idle_s = self._config.limits.idle_s
        while True:
            if self._owing:
                self._active = time.monotonic()
            left_s = self._active + idle_s - time.monotonic()
            if left_s <= 0:
                return None
            try:
                return await asyncio.wait_for(self._socket.receive(), left_s)
            except TimeoutError:
                continue

    @property
    def _owing(self) -> bool:
        """Is it we who are waited for?"""
        if self._talk is None or not self._writing:
            return False
        return self._ending or self._talk.behind_s > HELD_BACK_S

    async def _hang_up(self) -> None:
        """The words so far, then why, then the end of the line; all of it may go unread."""
        if self._task is not None and not self._task.done():
            self._queue.put(None)
            await asyncio.wait({self._task}, timeout=GOODBYE_S)
        told = f"Nothing came for {self._config.limits.idle}, so the place is given to others:"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._error(f"{told} connect again.", "idle_timeout")
                await self._socket.close(IDLE, "idle")

    # ---- what the client says ----------------------------------------------------------

    async def _handle(self, message: str) -> None:
        try:
            event = json.loads(message)
        except (ValueError, RecursionError):
            await self._error("Invalid JSON", "invalid_json")
            return
        if not isinstance(event, dict):
            await self._error("An event is a JSON object.", "processing_error")
            return
        match event.get("type"):
            case "session.update":
                await self._update(event.get("model"))
            case "input_audio_buffer.append":
                await self._append(event.get("audio"))
            case "input_audio_buffer.commit":
                await self._commit(event.get("final", False))
            case kind:
                await self._error(f"Unknown event type: {kind}", "unknown_event")

    async def _update(self, model: Any) -> None:
        if model is None:
            await self._error("Missing required field: model", "invalid_event")
        elif not isinstance(model, str) or not self._knows(model):
            await self._error(f"The model `{model}` does not exist.", "model_not_found")
        else:
            self._validated = True

    async def _append(self, audio: Any) -> None:
        if not isinstance(audio, str):
            await self._error("The field audio is missing: base64 text.", "processing_error")
            return
        try:
            pcm = base64.b64decode(audio)
        except (binascii.Error, ValueError):
            pcm = b""
        if not pcm or len(pcm) % 2 or len(pcm) // 2 > LARGEST_APPEND:
            await self._error("Invalid audio data", "invalid_audio")
        elif self._queue.bytes + len(pcm) > WAITING and not self._writing:
            minutes = WAITING // BYTES_PER_SECOND // 60
            await self._error(
                f"More than {minutes} minutes of sound wait: start with a commit.", "invalid_audio"
            )
        else:
            self._queue.put(pcm)

    async def _commit(self, final: Any) -> None:
        if not self._validated:
            await self._error(
                "Model not validated: send session.update with the model first.",
                "model_not_validated",
            )
        elif not isinstance(final, bool):
            await self._error("The field final is true or false.", "processing_error")
        elif final:
            self._queue.put(None)
        elif not self._writing:
            self._task = asyncio.create_task(self._write())

    @property
    def _writing(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _room(self) -> None:
        """A client that sends faster than the engine writes has to wait."""
        while self._queue.bytes > WAITING and self._writing:
            self._drained.clear()
            await self._drained.wait()

    # ---- one utterance -----------------------------------------------------------------

    async def _write(self) -> None:
        """From the queue to the engine, from the engine to the client."""
        if self._talk is None:
            self._talk = Talk(self._config, self._seat, "realtime", self._hear)
        talk = self._talk
        if self._failed:  # the end of that utterance is not the end of this one
            await talk.rest()
        generation = self._generation = Generation(talk.sent_s)
        self._ending = False
        feeding = asyncio.create_task(self._feed(talk))
        try:
            while (delta := await generation.outgoing.get()) is not None:
                await self._send({"type": "transcription.delta", "delta": delta})
            if generation.failed:
                await self._error(generation.failed, "processing_error")
            else:
                done = {"type": "transcription.done", "text": generation.text}
                await self._send({**done, "usage": generation.usage()})
                self._queue.clear()
        except (WebSocketDisconnect, RuntimeError):
            pass  # it has gone; what it said is in the session
        finally:
            self._generation = None
            self._failed = bool(generation.failed)
            feeding.cancel()
            self._drained.set()

    async def _feed(self, talk: Talk) -> None:
        limits = self._config.limits
        talk.listen(True)
        while (pcm := await self._queue.get()) is not None:
            self._drained.set()
            await talk.room(limits.ahead_s)
            talk.push(pcm)
            if talk.sent_s > limits.longest_s:
                hours = limits.longest_s / 3600
                await self._error(
                    f"A session is at most {hours:.3g} hours long: connect again.",
                    "processing_error",
                )
                break
        self._ending = True
        talk.listen(False)

    def _hear(self, event: Heard) -> None:
        if self._generation is not None:
            self._generation.hear(event)

    # ---- sending -----------------------------------------------------------------------

    async def _send(self, event: dict[str, Any]) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.send_text(json.dumps(event, ensure_ascii=False))
            self._active = time.monotonic()

    async def _error(self, message: str, code: str) -> None:
        await self._send({"type": "error", "error": message, "code": code})
