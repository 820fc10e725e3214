"""A server of `/v1/realtime` with vLLM's semantics, a made-up model, and faults on demand."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.realtime.scenarios import MODEL
from tests.support.hearing import Model


@dataclass
class Faults:
    """What goes wrong; counts are of deltas, over all generations, and each happens once."""

    drop_at: list[int] = field(default_factory=list)  # the connection is cut
    done_at: list[int] = field(default_factory=list)  # an unrequested end
    error_at: list[int] = field(default_factory=list)  # processing_error, and nothing after it
    rut_at: int = 0  # from here on this generation is blank
    silent_at: int = 0  # from here on nothing is said at all, once
    refuse: int = 0  # so many connections get 503
    strange: bool = False  # unknown fields and events
    no_model: bool = False
    no_space: bool = False  # before the first word of a generation


class Connection:
    """What vLLM's connection does, in its words."""

    def __init__(self, server: FakeServer, ws: ServerConnection) -> None:
        self.server, self.ws = server, ws
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.generation: asyncio.Task[None] | None = None
        self.validated = False

    async def run(self) -> None:
        await self.say("session.created", id=f"sess-{uuid.uuid4().hex}", created=1)
        try:
            async for message in self.ws:
                if isinstance(message, bytes):
                    break
                await self.take(message)
        except ConnectionClosed:
            pass
        finally:
            if self.generation:
                self.generation.cancel()

    async def say(self, kind: str, **fields: Any) -> None:
        if self.server.faults.strange:
            fields["event_id"] = "x"
            await self.ws.send(json.dumps({"type": "session.greeting"}))
        await self.ws.send(json.dumps({"type": kind, **fields}))

    async def fail(self, code: str, error: str = "It went wrong.") -> None:
        await self.say("error", error=error, code=code)

    async def take(self, message: str) -> None:
        try:
            event = json.loads(message)
        except ValueError:
            await self.fail("invalid_json", "Invalid JSON")
            return
        if not isinstance(event, dict):
            await self.fail("processing_error")
            return
        self.server.received.append(event)
        match event.get("type"):
            case "session.update":
                await self.update(event)
            case "input_audio_buffer.append":
                await self.append(event)
            case "input_audio_buffer.commit":
                await self.commit(event)
            case other:
                await self.fail("unknown_event", f"Unknown event type: {other}")

    async def update(self, event: dict[str, Any]) -> None:
        if event.get("model") is None:
            await self.fail("invalid_event", "Missing required field: model")
        elif event["model"] != MODEL or self.server.faults.no_model:
            await self.fail("model_not_found", "The model does not exist.")
        else:
            self.validated = True

    async def append(self, event: dict[str, Any]) -> None:
        if "audio" not in event:
            await self.fail("processing_error")
            return
        try:
            pcm = base64.b64decode(event["audio"])
        except ValueError:
            pcm = b""
        if not pcm or len(pcm) % 2:
            await self.fail("invalid_audio", "Invalid audio data")
        else:
            self.queue.put_nowait(pcm)

    async def commit(self, event: dict[str, Any]) -> None:
        if not self.validated:
            await self.fail("model_not_validated")
        elif event.get("final"):
            self.queue.put_nowait(None)
        elif self.generation is None or self.generation.done():
            self.generation = asyncio.create_task(self.generate())

    async def generate(self) -> None:
        text, count = "", 0
        self.server.generations += 1
        with contextlib.suppress(ConnectionClosed):
            async for token in self.deltas():
                fault = self.server.fault()
                if fault == "drop":
                    self.ws.transport.abort()
                    return
                if fault == "error":
                    await self.fail("processing_error")
                    return
                if fault == "done":
                    break
                if fault == "silent":
                    await asyncio.sleep(600)
                bare = self.server.faults.no_space and not text
                delta = token.lstrip() if bare else token
                text += delta
                count += 1
                await self.say("transcription.delta", delta=delta)
            usage = {"prompt_tokens": 39, "completion_tokens": count, "total_tokens": 39 + count}
            await self.say("transcription.done", text=text, usage=usage)
            while not self.queue.empty():
                self.queue.get_nowait()

    async def deltas(self) -> AsyncIterator[str]:
        model, rut = Model(), False
        while True:
            pcm = await self.queue.get()
            for delta in model.finish() if pcm is None else model.hear(pcm):
                rut = rut or self.server.rut_begins()
                yield "" if rut else delta
            if pcm is None:
                return


class FakeServer:
    """`async with FakeServer() as server`: at `server.url`, until the end of the block."""

    def __init__(self, faults: Faults | None = None, key: str = "") -> None:
        self.faults = faults or Faults()
        self.key = key
        self.received: list[dict[str, Any]] = []
        self.deltas = 0
        self.generations = 0
        self.connections = 0
        self.handler: Callable[[FakeServer, ServerConnection], Any] = Connection
        self._server: Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    def fault(self) -> str:
        """What happens in place of the next delta."""
        self.deltas += 1
        faults = self.faults
        for name, when in (
            ("drop", faults.drop_at),
            ("done", faults.done_at),
            ("error", faults.error_at),
        ):
            if self.deltas in when:
                return name
        return "silent" if self.deltas == faults.silent_at else ""

    def rut_begins(self) -> bool:
        """The model falls into the rut now."""
        return bool(self.faults.rut_at) and self.deltas + 1 == self.faults.rut_at

    def _admit(self, _: ServerConnection, request: Request) -> Response | None:
        if self.faults.refuse > 0:
            self.faults.refuse -= 1
            return Response(503, http.HTTPStatus(503).phrase, request.headers)
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return Response(401, http.HTTPStatus(401).phrase, request.headers)
        return None

    async def _run(self, ws: ServerConnection) -> None:
        self.connections += 1
        await self.handler(self, ws).run()

    async def __aenter__(self) -> FakeServer:
        await self.start()
        return self

    async def start(self, port: int = 0) -> None:
        """Listen; `port` 0 is any that is free."""
        self._server = await serve(
            self._run, "127.0.0.1", port, process_request=self._admit, max_size=16 << 20
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def hang_up(self, code: int) -> None:
        """Close every connection politely."""
        assert self._server is not None
        for connection in list(self._server.connections):
            await connection.close(code)

    async def stop(self) -> None:
        """Cut every connection."""
        assert self._server is not None
        for connection in list(self._server.connections):
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
