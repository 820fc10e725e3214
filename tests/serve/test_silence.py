"""Clients that hold a place and say nothing, uploads that stand still, readers that do not read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.realtime.scenarios import append
from tests.serve.conftest import CLIP, SAID, Running, engines, form, pcm
from tests.serve.test_live import Browser, recorded, until
from voxtui.serve.limits import Limits
from voxtui.serve.transcriptions import Patient
from voxtui.session.library import list_sessions, load_session

UPDATE = {"type": "session.update", "model": "voxtral"}
START = {"type": "input_audio_buffer.commit"}


def to_the_end(client: ClientConnection) -> tuple[list[dict[str, Any]], int, str]:
    """What still comes, the close code and its reason."""
    events = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            events.append(json.loads(client.recv(15)))
    return events, client.close_code or 0, client.close_reason or ""


def test_a_client_that_says_nothing_loses_its_place(start: Callable[..., Running]) -> None:
    running = start(limits=Limits(clients=1, idle_s=0.3))
    with connect(running.ws + "/v1/realtime") as client:
        assert running.get("/api/status").json["clients"] == 1
        events, code, reason = to_the_end(client)
    assert (code, reason) == (4408, "idle")
    assert [event["type"] for event in events] == ["session.created", "error"]
    assert events[-1]["code"] == "idle_timeout"
    assert "Nothing came for 0.3 seconds" in events[-1]["error"]
    until(lambda: running.get("/api/status").json["clients"] == 0)
    assert running.post_file("/transcribe", "audio", CLIP).json == {"transcription": SAID}


def test_the_words_of_a_client_that_falls_silent_come_first(start: Callable[..., Running]) -> None:
    running = start(limits=Limits(clients=1, idle_s=0.5))
    with connect(running.ws + "/v1/realtime") as client:
        for message in (UPDATE, START, append(pcm())):
            client.send(json.dumps(message))
        events, code, _ = to_the_end(client)
    assert code == 4408
    assert [e["type"] for e in events[-2:]] == ["transcription.done", "error"]
    assert events[-2]["text"] == SAID
    until(lambda: [s.finished for s in list_sessions(running.sessions)] == [True])
    assert load_session(list_sessions(running.sessions)[0].path).text == SAID


def test_who_waits_for_words_is_not_idle(start: Callable[..., Running]) -> None:
    """A client has sent all and waits for an engine that is slow, longer than it may be silent."""
    running = start(limits=Limits(idle_s=0.5))
    with connect(running.ws + "/v1/realtime") as client:
        until(lambda: running.get("/api/status").json["engine"]["state"] == "ready")
        [engine] = engines()
        os.kill(engine, signal.SIGSTOP)
        for message in (UPDATE, START, append(pcm()), START | {"final": True}):
            client.send(json.dumps(message))
        time.sleep(1.2)
        os.kill(engine, signal.SIGCONT)
        events, code, _ = to_the_end(client)
    assert [event["text"] for event in events if event["type"] == "transcription.done"] == [SAID]
    assert code == 4408  # after that it said nothing


def test_a_page_that_falls_silent_goes_on_in_a_new_session(start: Callable[..., Running]) -> None:
    """A telephone in a pocket: the page still listens, and so does the server when sound comes."""
    running = start(limits=Limits(clients=1, idle_s=0.4))
    with Browser(running) as browser:
        browser.order("listen", on=True)
        browser.socket.send(pcm())
        browser.until("closed")
        assert running.get("/api/status").json["clients"] == 0
        browser.socket.send(pcm())
        browser.order("listen", on=False)
        browser.until("ended")
    until(lambda: all(session.finished for session in list_sessions(running.sessions)))
    found = [load_session(session.path).text for session in list_sessions(running.sessions)]
    assert found == [SAID, SAID]


@pytest.mark.parametrize("how", [{"rate": 16000}, {"format": "media"}])
def test_a_session_without_end_goes_on_in_another(
    start: Callable[..., Running], how: dict[str, Any]
) -> None:
    """What is said while one is closed and the next one begins is in one of them."""
    running = start(limits=Limits(longest_s=1.2))
    sound = pcm() if "rate" in how else recorded("webm", "libopus")
    with Browser(running) as browser:
        browser.order("listen", on=True, **how)
        for at in range(0, len(sound), 2000):
            browser.socket.send(sound[at : at + 2000])
            time.sleep(0.02)
        browser.order("listen", on=False)
        browser.until("closed")
        browser.until("ended")
        assert any("another one goes on" in e.get("message", "") for e in browser.told)
    until(lambda: all(session.finished for session in list_sessions(running.sessions)))
    found = [load_session(session.path) for session in list_sessions(running.sessions)]
    assert len(found) >= 2
    assert sum(session.audio_s for session in found) == pytest.approx(2.37, abs=0.12)


def test_an_upload_that_stands_still_is_refused(start: Callable[..., Running]) -> None:
    running = start(limits=Limits(idle_s=0.3))
    body, kind = form("audio", CLIP.read_bytes(), "a.wav", {})
    head = f"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port)) as line:
        line.sendall(head.encode() + body[:20_000])
        line.settimeout(10)
        answer = b""
        while not answer.endswith(b"}}"):
            answer += line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"Nothing of the file came for 0.3 seconds." in answer
    until(lambda: not list(running.temporary.glob("upload-*")))


async def test_a_reader_that_does_not_read_gives_its_place_up() -> None:
    """The third line goes into a buffer that stays full."""
    discarded, sent = [], []

    async def lines() -> AsyncIterator[str]:
        for line in "abcdef":
            yield line

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 4:
            await asyncio.Event().wait()

    async def receive() -> Any:
        await asyncio.Event().wait()

    response = Patient(lines(), 0.05, lambda: discarded.append(True))
    async with asyncio.timeout(10):
        await response({"type": "http"}, receive, send)
    assert [message.get("body") for message in sent] == [None, b"a", b"b", b"c"]
    assert discarded == [True]
