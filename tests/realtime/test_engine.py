"""The supervisor with a worker process and a server that breaks: every word comes exactly once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.realtime.fake_server import FakeServer, Faults
from tests.realtime.scenarios import MODEL
from tests.support.hearing import words
from tests.unit.engine.conftest import Page
from voxtui.engine.config import EngineConfig, Remote
from voxtui.engine.supervisor import Engine
from voxtui.events import EngineState, Notice, WordsRetracted


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    fake = FakeServer(Faults(done_at=[18], drop_at=[50]))
    asyncio.run_coroutine_threadsafe(fake.start(), loop).result()
    yield fake
    asyncio.run_coroutine_threadsafe(fake.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_words_come_exactly_once(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    pcm = words(*range(1001, 1009))
    page = Page()
    remote = Remote(server.url, "vllm", MODEL)
    config = EngineConfig(Path(MODEL), name="realtime", remote=remote)
    engine = Engine(config, lambda at, n: pcm[2 * at : 2 * (at + n)], page.post)
    engine.start()
    engine.audio_written(len(pcm) // 2)
    engine.end_utterance()
    page.wait_ended()
    engine.stop()
    assert page.words() == [f" w{value}" for value in range(1001, 1009)]
    assert page.of(WordsRetracted)
    assert len(page.of(Notice)) == 1
    assert EngineState.RESTARTING not in page.states()
    ready = page.wait_state(EngineState.READY)
    assert (ready.engine, ready.model) == ("realtime", "Voxtral-Mini-4B-Realtime-2602")


def test_no_server_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    page = Page()
    remote = Remote("ftp://nowhere", "vllm", MODEL)
    config = EngineConfig(Path(MODEL), name="realtime", remote=remote)
    engine = Engine(config, lambda at, n: b"", page.post)
    engine.start()
    failed = page.wait_state(EngineState.FAILED)
    engine.stop()
    assert failed.detail == "ftp://nowhere/v1/realtime is no address of a server."
