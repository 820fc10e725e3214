"""Files to text over HTTP: OpenAI's endpoint, a plain one, and the page's with progress."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Message, Send

from voxtui.events import EngineStats, Notice, TokenText, TranscriptChanged, WordsRetracted
from voxtui.serve import formats
from voxtui.serve.deltas import Growing
from voxtui.serve.files import FileJob
from voxtui.serve.limits import Refused
from voxtui.serve.live import message
from voxtui.serve.uploads import Form

if TYPE_CHECKING:
    from voxtui.serve.server import Server

Lines = AsyncIterator[str]
GRANULARITIES = {"word", "segment"}


def sse(event: dict[str, Any]) -> str:
    """One event of a stream."""
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n"


# ---- OpenAI's ----------------------------------------------------------------------------


class Wanted:
    """The fields of a request, checked. `language`, `prompt` and `temperature` are taken and
    change nothing: the model has no use for them."""

    def __init__(self, server: Server, form: Form) -> None:
        model = form.get("model")
        if model and not server.knows(model):
            known = ", ".join(server.names)
            told = f"The model `{model}` does not exist; there is {known}"
            told += " (voxtui serve --served-model adds names)."
            raise Refused(404, told, "model_not_found")
        self.format = form.get("response_format", "json")
        if self.format not in formats.FORMATS:
            known = ", ".join(formats.FORMATS)
            raise Refused(400, f"response_format is one of {known}.", "bad_format")
        asked = set(form.fields.get("timestamp_granularities[]", [])) | set(
            form.fields.get("timestamp_granularities", [])
        )
        if not asked <= GRANULARITIES:
            raise Refused(400, "timestamp_granularities are word and segment.", "bad_format")
        if asked and self.format != "verbose_json":
            raise Refused(
                400, "timestamp_granularities need response_format=verbose_json.", "bad_format"
            )
        self.words = "word" in asked
        self.paragraphs = not asked or "segment" in asked
        self.language = form.get("language")
        self.stream = form.get("stream").lower() in ("true", "1")


async def transcriptions(server: Server, request: Request) -> Response:
    """`POST /v1/audio/transcriptions`."""
    form = await server.upload(request, "file")
    job = None
    try:
        wanted = Wanted(server, form)
        job = server.job(form)
        if wanted.stream:
            lines = _deltas(job)
            begun = await anext(lines)  # what is refused is refused with its own status
            return _streamed(server, _after(begun, lines), job, form)
        await _finish(job, request)
    except BaseException:
        server.discard(form, job)
        raise
    server.discard(form, job)
    answer = formats.rendered(
        job.segments,
        wanted.format,
        duration_s=job.duration_s,
        language=wanted.language,
        words=wanted.words,
        paragraphs=wanted.paragraphs,
    )
    return Response(answer, media_type=formats.FORMATS[wanted.format])


async def transcribe(server: Server, request: Request) -> Response:
    """`POST /transcribe`: the field `audio`, and nothing but text comes back."""
    form = await server.upload(request, "audio")
    job = None
    try:
        job = server.job(form)
        await _finish(job, request)
    finally:
        server.discard(form, job)
    return JSONResponse({"transcription": formats.text_of(job.segments)})


async def page_upload(server: Server, request: Request, source: str) -> Response:
    """`POST /api/upload`: the page's, with progress; it becomes a session."""
    form = await server.upload(request, "audio")
    job = None
    try:
        job = server.job(form, keep_as=source)
        lines = _progress(job, form.name)
        begun = await anext(lines)
    except BaseException:
        server.discard(form, job)
        raise
    return _streamed(server, _after(begun, lines), job, form)


async def _finish(job: FileJob, request: Request) -> None:
    """To the end, or until nobody waits for it."""
    async for event in job.events():
        if isinstance(event, EngineStats) and await request.is_disconnected():
            raise Refused(499, "The client has gone.", "gone")


async def _deltas(job: FileJob) -> Lines:
    """OpenAI's events: the text as it grows, then all of it."""
    growing = Growing()
    async for event in job.events():
        match event:
            case TokenText():
                text = growing.token(event)
                if text:
                    yield sse({"type": "transcript.text.delta", "delta": text})
            case WordsRetracted():
                growing.retracted(event)
            case _:
                yield ""
    yield sse(
        {
            "type": "transcript.text.done",
            "text": growing.text.strip(),
            "usage": formats.usage(job.duration_s),
        }
    )


async def _progress(job: FileJob, name: str) -> Lines:
    """How far it is and what was said so far, then the session's name."""
    async for event in job.events():
        match event:
            case EngineStats():
                yield sse({"type": "progress", "done": event.audio_done_s, "of": job.duration_s})
            case TranscriptChanged() | Notice():
                yield sse(message(event) or {})
            case _:
                yield ""
    session = job.session.name if job.session is not None else ""
    yield sse({"type": "done", "session": session, "file": name})


async def _after(begun: str, lines: Lines) -> Lines:
    """The stream from its first line on; a failure becomes its last one."""
    yield begun
    try:
        async for line in lines:
            if line:
                yield line
    except Refused as refused:
        error = {"message": refused.message, "type": "error", "code": refused.code}
        yield sse({"type": "error", "error": error})


class Patient(StreamingResponse):
    """Lines as they come, until a client has not read any of them for `idle_s` seconds; then, or
    when it has gone, `discard` is called all the same."""

    def __init__(self, lines: Lines, idle_s: float, discard: Callable[[], None]) -> None:
        super().__init__(lines, media_type="text/event-stream")
        self._idle_s = idle_s
        self._discard = discard

    async def stream_response(self, send: Send) -> None:
        """What starlette calls."""

        async def within(message: Message) -> None:
            async with asyncio.timeout(self._idle_s):
                await send(message)

        try:
            with contextlib.suppress(TimeoutError):
                await super().stream_response(within)
        finally:
            self._discard()


def _streamed(server: Server, lines: Lines, job: FileJob, form: Form) -> Response:
    idle_s = server.config.limits.idle_s
    return Patient(lines, idle_s, lambda: server.discard(form, job))
