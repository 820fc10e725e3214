"""OpenAI's and Mistral's ways to speak, with small servers that know just them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.realtime.client_rig import FLUSH, audio, transcribe
from tests.realtime.scenarios import MODEL
from tests.support.hearing import Model, words
from voxtui.engine.workers.dialects import DIALECTS, Vllm
from voxtui.engine.workers.wire import CannotWork, Output

Json = dict[str, Any]


def test_half_a_character_of_a_server_goes_on_as_a_mark() -> None:
    lines: list[bytes] = []
    Output(lines.append).say("token", text=json.loads('" a\\ud800b"'))
    assert json.loads(lines[0])["text"] == " a?b"


class Server:
    """One connection after the other; `answers` tells what comes back for a message."""

    def __init__(self) -> None:
        self.received: list[Json] = []
        self.paths: list[str] = []
        self.pcm = b""
        self.drop_after = 0
        self.wrong_key = False

    async def run(self, ws: ServerConnection) -> None:
        assert ws.request is not None
        self.paths.append(ws.request.path)
        self.pcm = b""
        async for message in ws:
            event = json.loads(message)
            self.received.append(event)
            if len(self.received) == self.drop_after:
                ws.transport.abort()
                return
            if "audio" in event:
                self.pcm += base64.b64decode(event["audio"])
            for answer in self.answers(event):
                await ws.send(json.dumps(answer))

    def answers(self, event: Json) -> list[Json]:
        raise NotImplementedError

    @asynccontextmanager
    async def at(self) -> AsyncIterator[str]:
        async with serve(self.run, "127.0.0.1", 0) as server:
            yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1"


def hear(pcm: bytes) -> list[str]:
    model = Model()
    return [text for text in model.hear(pcm) + model.finish() if text]


class OpenAI(Server):
    def answers(self, event: Json) -> list[Json]:
        item = "conversation.item.input_audio_transcription"
        match event["type"]:
            case "session.update":
                sound = event["session"]["audio"]["input"]
                assert sound["format"] == {"type": "audio/pcm", "rate": 24000}
                assert sound["turn_detection"] is None
                return [{"type": "session.updated"}]
            case "input_audio_buffer.commit" if len(self.pcm) < 4800:
                return [{"type": "error", "error": {"code": "input_audio_buffer_commit_empty"}}]
            case "input_audio_buffer.commit":
                third = memoryview(self.pcm).cast("h")
                pcm = b"".join(  # two of three samples: 16 kHz again, roughly
                    int(round(third[at * 3 // 2], -1)).to_bytes(2, "little", signed=True)
                    for at in range(len(third) * 2 // 3)
                )
                self.pcm = b""
                pieces = hear(pcm)
                deltas = [{"type": f"{item}.delta", "item_id": "1", "delta": t} for t in pieces]
                return [*deltas, {"type": f"{item}.completed", "transcript": "".join(pieces)}]
        return []


class Mistral(Server):
    def answers(self, event: Json) -> list[Json]:
        match event["type"]:
            case "session.update":
                form = event["session"]["audio_format"]
                assert form == {"encoding": "pcm_s16le", "sample_rate": 16000}
                if self.wrong_key:
                    error = {"message": {"detail": "no"}, "code": "401"}
                    return [{"type": "error", "error": error}]
            case "input_audio.append":
                assert len(base64.b64decode(event["audio"])) <= 262144
            case "input_audio.end":
                pieces = hear(self.pcm)
                deltas = [{"type": "transcription.text.delta", "text": text} for text in pieces]
                return [*deltas, {"type": "transcription.done", "text": "".join(pieces)}]
        return []


SPEECH = words(1000, 2000, 3000, 4000, pause=0.8)
TEXT = " w1000 w2000 w3000 w4000"


async def test_openai_hears_24_khz_in_turns() -> None:
    server = OpenAI()
    async with server.at() as url:
        steps = [*audio(SPEECH), FLUSH, *audio(words(5000)), FLUSH, *audio(bytes(320)), FLUSH]
        page = await transcribe(url, steps, dialect=DIALECTS["openai"])
    assert page.text() == TEXT + " w5000"
    assert server.paths == ["/v1/realtime?intent=transcription"]
    commits = [event for event in server.received if event["type"].endswith("commit")]
    assert len(commits) > 3
    assert [event["reason"] for event in page.of("utterance_end")] == ["flush"] * 3
    assert server.received[0]["session"]["audio"]["input"]["transcription"] == {"model": MODEL}


async def test_mistral_takes_a_connection_for_each_utterance() -> None:
    server = Mistral()
    async with server.at() as url:
        steps = [*audio(SPEECH), FLUSH, *audio(words(5000)), FLUSH]
        page = await transcribe(url + "/", steps, dialect=DIALECTS["mistral"])
    assert page.text() == TEXT + " w5000"
    assert server.paths[0].startswith("/v1/audio/transcriptions/realtime?model=mistralai")
    assert len(server.paths) == 2
    times = [token["time"] for token in page.tokens() if token["utterance"] == 0]
    assert times == sorted(times)
    assert times[-1] <= len(SPEECH) / 32000


@pytest.mark.parametrize("server", [OpenAI(), Mistral()])
async def test_a_lost_connection_loses_no_word(server: Server) -> None:
    name = "openai" if isinstance(server, OpenAI) else "mistral"
    server.drop_after = 4
    async with server.at() as url:
        page = await transcribe(url, [*audio(SPEECH), FLUSH], dialect=DIALECTS[name])
    assert page.text() == TEXT
    assert len(server.paths) == 2


async def test_a_nested_error_is_told() -> None:
    server = Mistral()
    server.wrong_key = True
    async with server.at() as url:
        with pytest.raises(CannotWork, match="refuses"):
            await transcribe(url, [*audio(SPEECH), FLUSH], dialect=DIALECTS["mistral"])


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://host:8000", "ws://host:8000/v1/realtime"),
        ("http://host:8000/v1/", "ws://host:8000/v1/realtime"),
        ("wss://host/voice?team=a", "wss://host/voice?team=a"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    assert Vllm().address(url, "m") == address
