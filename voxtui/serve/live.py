"""The page's WebSocket: its microphone comes in, its words go out.

From the page, as text: `listen` (on, and with which kind of sound), `note`, `new`. As bytes: sound,
either s16le at the rate that `listen` told, or what a MediaRecorder writes. To the page: `hello`,
`session`, `engine`, `listening`, `words`, `behind`, `ended`, `notice`, `refused`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from voxtui.audio.convert import Converter
from voxtui.events import (
    EngineChanged,
    EngineStats,
    ListeningChanged,
    Notice,
    Segment,
    TranscriptChanged,
    UtteranceEnded,
)
from voxtui.serve.limits import Refused, ServeConfig
from voxtui.serve.media import MediaFeed
from voxtui.serve.pool import Seat
from voxtui.serve.talk import Heard, Talk

LONGEST_NOTE = 2000
SLOW_PAGE = 2000
"""Messages that a page did not fetch, after which it is given up; its session is saved."""
RATES = range(8000, 192_001)


def segment_json(segment: Segment) -> dict[str, Any]:
    """A paragraph for the page."""
    return {
        "kind": segment.kind.value,
        "start": segment.start_s,
        "wall": segment.wall_time,
        "text": segment.text,
    }


def message(event: Heard) -> dict[str, Any] | None:
    """What the page is told about an event, if anything."""
    match event:
        case TranscriptChanged(settled, tail, edited, waiting):
            return {
                "type": "words",
                "settled": [segment_json(s) for s in settled],
                "tail": segment_json(tail) if tail else None,
                "edited": [[index, segment_json(s)] for index, s in edited],
                "waiting": [segment_json(s) for s in waiting],
            }
        case EngineStats():
            return {"type": "behind", "seconds": round(event.lag_s, 2)}
        case EngineChanged():
            return {"type": "engine", **engine_json(event)}
        case ListeningChanged(listening):
            return {"type": "listening", "on": listening}
        case UtteranceEnded(at_s):
            return {"type": "ended", "at": at_s}
        case Notice(severity, text):
            return {"type": "notice", "severity": severity.value, "message": text}
    return None


def engine_json(facts: EngineChanged) -> dict[str, Any]:
    """How the engine is, for the page."""
    return {
        "state": facts.state.value,
        "detail": facts.detail,
        "engine": facts.engine,
        "model": facts.model,
        "precision": facts.precision,
        "delay_ms": facts.delay_ms,
    }


class Page:
    """One browser page from its connection to its end."""

    def __init__(
        self,
        socket: WebSocket,
        config: ServeConfig,
        reserve: Callable[[], Seat],
        source: str,
        hello: dict[str, Any],
    ) -> None:
        self._socket = socket
        self._config = config
        self._reserve = reserve
        self._source = source
        self._hello = hello
        self._talk: Talk | None = None
        self._named = False
        # From `listen` on to `listen` off one of these is there, whatever becomes of the session.
        self._converter: Converter | None = None
        self._media: MediaFeed | None = None
        self._early: list[bytes] = []  # sound that came between two sessions
        self._out: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def run(self) -> None:
        """Serve it to its end; the session is saved then."""
        await self._socket.accept()
        self._tell({"type": "hello", **self._hello})
        sending = asyncio.create_task(self._send())
        try:
            while True:
                received = await self._receive()
                if received is None:
                    await self._close_talk()
                elif received["type"] == "websocket.disconnect":
                    break
                elif received.get("bytes"):
                    await self._sound(received["bytes"])
                elif received.get("text"):
                    await self._order(received["text"])
        except (WebSocketDisconnect, RuntimeError):
            pass  # it has gone
        finally:
            await self._end()
            await self._close_talk()
            self._tell(None)
            with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                await asyncio.wait_for(sending, 2.0)

    async def _receive(self) -> Any:
        """The next message; None when nothing came for so long that the session is over."""
        idle_s = None if self._talk is None else self._config.limits.idle_s
        try:
            return await asyncio.wait_for(self._socket.receive(), idle_s)
        except TimeoutError:
            return None

    # ---- what the page says ------------------------------------------------------------

    async def _order(self, text: str) -> None:
        try:
            order = json.loads(text)
            kind = order["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            self._notice("The page said something that cannot be understood: load it again.")
            return
        if kind == "listen" and order.get("on") is True:
            self._begin(order)
        elif kind == "listen":
            await self._end()
        elif kind == "note" and self._talk is not None:
            self._talk.note(str(order.get("text", ""))[:LONGEST_NOTE])
        elif kind == "new":
            await self._end()
            await self._close_talk()

    @property
    def _listening(self) -> bool:
        return self._converter is not None or self._media is not None

    def _begin(self, order: dict[str, Any]) -> None:
        if self._listening or not self._open_talk():
            return
        if order.get("format") == "media":
            loop = asyncio.get_running_loop()
            self._media = MediaFeed(lambda pcm: loop.call_soon_threadsafe(self._push, pcm))
        else:
            rate = order.get("rate")
            rate = rate if isinstance(rate, int) and rate in RATES else 16_000
            self._converter = Converter(float(rate))

    async def _end(self) -> None:
        if self._media is not None:
            problem = await self._media.finish()
            if problem:
                self._notice(problem)
        elif self._converter is not None:
            self._push(self._converter.finish())
        self._media = self._converter = None
        self._early.clear()
        if self._talk is not None:
            self._talk.listen(False)

    async def _sound(self, data: bytes) -> None:
        if not self._listening:
            return
        if self._talk is None and not self._open_talk():  # it was closed as idle
            await self._end()
            return
        if self._media is not None:
            await self._media.write(data)
        elif self._converter is not None:
            samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")
            floats = samples.astype(np.float32)[:, None] / np.float32(32768.0)
            self._push(self._converter.convert(floats))
        longest_s = self._config.limits.longest_s
        if self._talk is not None and self._talk.sent_s > longest_s:
            told = f"A session is at most {longest_s / 3600:.3g} hours long: another one goes on."
            self._notice(told)
            await self._close_talk()
            if not self._open_talk():
                await self._end()

    def _push(self, pcm: bytes) -> None:
        """What is heard, to the session; the next one while there is none."""
        if self._talk is not None:
            self._talk.push(pcm)
        else:
            self._early.append(pcm)

    # ---- sessions ----------------------------------------------------------------------

    def _open_talk(self) -> bool:
        """There is a session and it listens; False when there is no place for it."""
        try:
            talk = self._talk = self._talk or self._new_talk()
        except Refused as refused:
            self._tell({"type": "refused", "message": refused.message})
            return False
        talk.listen(True)
        for pcm in self._early:
            talk.push(pcm)
        self._early.clear()
        return True

    def _new_talk(self) -> Talk:
        seat = self._reserve()
        try:
            self._named = False
            return Talk(self._config, seat, self._source, self._hear, self._config.hook)
        except BaseException:
            seat.release()
            raise

    async def _close_talk(self) -> None:
        """Save the session; what is heard afterwards belongs to the next one."""
        talk, self._talk = self._talk, None
        if talk is not None:
            await talk.close()
            self._tell({"type": "closed"})

    def _hear(self, event: Heard) -> None:
        if isinstance(event, TranscriptChanged) and not self._named and self._talk is not None:
            self._named = True
            self._naming = asyncio.create_task(self._tell_name(self._talk))
        told = message(event)
        if told is not None:
            self._tell(told)

    async def _tell_name(self, talk: Talk) -> None:
        """The session has a name for certain when it is on disk, so with its first words."""
        self._tell({"type": "session", "name": await talk.name()})

    # ---- sending -----------------------------------------------------------------------

    def _notice(self, text: str) -> None:
        self._tell({"type": "notice", "severity": "warning", "message": text})

    def _tell(self, told: dict[str, Any] | None) -> None:
        self._out.put_nowait(told)

    async def _send(self) -> None:
        while (told := await self._out.get()) is not None:
            if self._out.qsize() > SLOW_PAGE:
                await self._socket.close(1008)
                return
            if self._socket.application_state is not WebSocketState.CONNECTED:
                return
            await self._socket.send_text(json.dumps(told, ensure_ascii=False))
