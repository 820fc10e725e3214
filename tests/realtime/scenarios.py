"""What a client of `/v1/realtime` does and what must come back: one table for every server.

It runs against the fake, against `voxtui serve` and against vLLM's own router and connection code;
all must agree. `expect` leaves out `session.created`, which always comes first, and the deltas:
`done` stands for `transcription.done` with the text of all deltas before it, a code for an `error`
with that code, `closed` for the end of the connection.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import math
from array import array
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

MODEL = "mistralai/Voxtral-Mini-4B-Realtime-2602"
TOKENS_PER_S = 12.5
QUIET_S = 0.15
PATIENCE_S = 20.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Send:
    """A message; a string goes out as it is, bytes as a binary frame."""

    message: Json | str | bytes


@dataclass(frozen=True)
class Wait:
    """Until such an event has come."""

    kind: str


@dataclass(frozen=True)
class Pause:
    """Nothing is sent for so long; shorter than any answer may take."""

    seconds: float = 0.1


Step = Send | Wait | Pause


@dataclass(frozen=True)
class Scenario:
    """`heard`: how many seconds of sound each `done` stands for, at most; checked by the deltas."""

    name: str
    steps: tuple[Step, ...]
    expect: tuple[str, ...]
    heard: tuple[float, ...] = ()


def tone(seconds: float) -> bytes:
    """PCM of a tone."""
    samples = range(round(seconds * 16000))
    return array("h", [round(8000 * math.sin(0.17 * i)) for i in samples]).tobytes()


def append(pcm: bytes) -> Json:
    """The message that carries sound."""
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}


UPDATE = Send({"type": "session.update", "model": MODEL})
START = Send({"type": "input_audio_buffer.commit"})
FINAL = Send({"type": "input_audio_buffer.commit", "final": True})
SECOND = Send(append(tone(1.0)))
DONE = Wait("transcription.done")
ERROR = Wait("error")


def _raw(audio: str) -> Send:
    return Send({"type": "input_audio_buffer.append", "audio": audio})


SCENARIOS = (
    Scenario("an utterance", (UPDATE, START, SECOND, FINAL, DONE), ("done",), (1.0,)),
    Scenario("start said as not final", (
        UPDATE, Send({"type": "input_audio_buffer.commit", "final": False}), SECOND, FINAL, DONE,
    ), ("done",), (1.0,)),
    Scenario("sound before the start counts", (
        UPDATE, SECOND, START, FINAL, DONE,
    ), ("done",), (1.0,)),
    Scenario("sound before the model is named counts", (
        SECOND, UPDATE, START, FINAL, DONE,
    ), ("done",), (1.0,)),
    Scenario("a second start while generating is ignored", (
        UPDATE, START, SECOND, Pause(), START, SECOND, FINAL, DONE,
    ), ("done",), (2.0,)),
    Scenario("two utterances, one after the other", (
        UPDATE, START, SECOND, FINAL, DONE, START, SECOND, FINAL, DONE,
    ), ("done", "done"), (1.0, 1.0)),
    Scenario("sound after done belongs to the next utterance", (
        UPDATE, START, SECOND, FINAL, DONE, SECOND, Pause(), START, FINAL, DONE,
    ), ("done", "done"), (1.0, 1.0)),
    Scenario("a start after its final", (
        UPDATE, SECOND, FINAL, Pause(), START, DONE,
    ), ("done",), (1.0,)),
    Scenario("a second utterance that does not wait for the first is lost", (
        UPDATE, START, SECOND, FINAL, START, SECOND, FINAL, DONE,
    ), ("done",), (1.0,)),
    Scenario("a final without a start begins nothing", (UPDATE, SECOND, FINAL, Pause()), ()),
    Scenario("a final without a start ends the next generation at once", (
        UPDATE, FINAL, Pause(), START, DONE,
    ), ("done",), (0.0,)),
    Scenario("no sound at all", (UPDATE, START, FINAL, DONE), ("done",), (0.0,)),
    Scenario("start before the model is named", (START, ERROR), ("model_not_validated",)),
    Scenario("final before the model is named", (FINAL, ERROR), ("model_not_validated",)),
    Scenario("another model", (
        Send({"type": "session.update", "model": "x"}), ERROR, START, ERROR,
    ), ("model_not_found", "model_not_validated")),
    Scenario("a model that was named stays", (
        UPDATE, Send({"type": "session.update", "model": "x"}), ERROR, START, SECOND, FINAL, DONE,
    ), ("model_not_found", "done"), (1.0,)),
    Scenario("the model in a nested session, as elsewhere", (
        Send({"type": "session.update", "session": {"model": MODEL}}), ERROR,
    ), ("invalid_event",)),
    Scenario("no JSON", (Send("{"), ERROR), ("invalid_json",)),
    Scenario("a message that is no object", (Send("[1]"), ERROR), ("processing_error",)),
    Scenario("an unknown type", (
        Send({"type": "input_audio_buffer.clear"}), ERROR,
    ), ("unknown_event",)),
    Scenario("no type", (Send({}), ERROR), ("unknown_event",)),
    Scenario("an append without audio", (
        Send({"type": "input_audio_buffer.append"}), ERROR,
    ), ("processing_error",)),
    Scenario("empty audio", (_raw(""), ERROR), ("invalid_audio",)),
    Scenario("half a sample", (_raw("AA=="), ERROR), ("invalid_audio",)),
    Scenario("audio that is no base64", (_raw("A"), ERROR), ("invalid_audio",)),
    Scenario("after errors all goes on", (
        Send("{"), ERROR, UPDATE, _raw("AA=="), ERROR, START, SECOND, Send("{"), ERROR, FINAL, DONE,
    ), ("invalid_json", "invalid_audio", "invalid_json", "done"), (1.0,)),
    Scenario("unknown fields are tolerated", (
        Send({"type": "session.update", "model": MODEL, "event_id": "1"}),
        Send({"type": "input_audio_buffer.commit", "event_id": "2"}),
        Send(append(tone(1.0)) | {"event_id": "3"}),
        Send({"type": "input_audio_buffer.commit", "final": True, "event_id": "4"}),
        DONE,
    ), ("done",), (1.0,)),
    Scenario("a message over 16 MiB ends the connection", (
        UPDATE, START, _raw("A" * (17 << 20)), Wait("closed"),
    ), ("closed",)),
    Scenario("a binary frame ends the connection", (UPDATE, Send(b"{}"), Wait("closed")),
             ("closed",)),
)  # fmt: skip


@dataclass
class Outcome:
    """What came back."""

    events: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """For each `done`: its text, and that of the deltas before it."""
    deltas: list[int] = field(default_factory=list)
    raw: list[Json] = field(default_factory=list)


async def play(url: str, scenario: Scenario, headers: dict[str, str] | None = None) -> Outcome:
    """Be the client of the scenario."""
    outcome, kinds, delta = Outcome(), asyncio.Queue[str](), [""]

    def take(event: Json) -> None:
        outcome.raw.append(event)
        kind = event["type"]
        if kind == "transcription.delta":
            delta[-1] += event["delta"]
            outcome.deltas[len(delta) - 1 :] = [sum(outcome.deltas[len(delta) - 1 :]) + 1]
        elif kind == "transcription.done":
            outcome.deltas += [0] * (len(delta) - len(outcome.deltas))
            outcome.texts.append((event["text"], delta[-1]))
            outcome.events.append("done")
            delta.append("")
        elif kind == "error":
            assert isinstance(event["error"], str)
            outcome.events.append(event["code"])
        elif kind != "session.created":
            outcome.events.append(kind)

    async def listen() -> None:
        try:
            async for message in ws:
                event = json.loads(message)
                take(event)
                kinds.put_nowait(event["type"])
        except ConnectionClosed:
            pass
        outcome.events.append("closed")
        kinds.put_nowait("closed")

    async with connect(url, additional_headers=headers or {}, max_size=None) as ws:
        listening = asyncio.create_task(listen())
        while (await asyncio.wait_for(kinds.get(), PATIENCE_S)) != "session.created":
            pass
        for step in scenario.steps:
            match step:
                case Send(message):
                    plain = isinstance(message, str | bytes)
                    await ws.send(message if plain else json.dumps(message))
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                case Wait(kind):
                    while (await asyncio.wait_for(kinds.get(), PATIENCE_S)) != kind:
                        pass
        with contextlib.suppress(asyncio.TimeoutError):  # whatever else comes
            while True:
                await asyncio.wait_for(kinds.get(), QUIET_S)
        listening.cancel()
    return outcome


def check(scenario: Scenario, outcome: Outcome) -> None:
    """Everything came back that must, and nothing else."""
    assert outcome.raw[0]["type"] == "session.created"
    assert str(outcome.raw[0]["id"]).startswith("sess-")
    assert isinstance(outcome.raw[0]["created"], int)
    expected = list(scenario.expect)
    assert [kind for kind in outcome.events if kind != "closed" or kind in expected] == expected
    for text, deltas in outcome.texts:
        assert text == deltas
    for event in outcome.raw:
        if event["type"] == "transcription.done":
            usage = event["usage"]
            both = usage["prompt_tokens"] + usage["completion_tokens"]
            assert usage["total_tokens"] == both
    most = [seconds * TOKENS_PER_S + 40 for seconds in scenario.heard]
    least = [seconds * TOKENS_PER_S - 8 for seconds in scenario.heard]
    assert len(outcome.deltas) == len(most)
    for count, low, high in zip(outcome.deltas, least, most, strict=True):
        assert low <= count <= high
