"""Ctrl+C: a clean end with the last words, and an end at once when asked twice."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.engine.driver import (
    PATIENCE,
    Clip,
    Engine,
    Running,
    audio,
    frame,
    joined_text,
    silence,
    wav,
)


def heard(running: Running, seconds: float) -> bool:
    """Has it taken in so much sound?"""
    return any(
        event["audio_in"] >= seconds for event in running.events() if event["type"] == "stats"
    )


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_last_words_of_a_pipe(engine: Engine, clip: Clip, sign: signal.Signals) -> None:
    running = engine.start("--stdin", "--events", "-I", "0.08")
    running.write(clip.pcm + silence(0.3))
    running.wait_for(lambda r: heard(r, clip.seconds + 0.2))
    running.process.send_signal(sign)
    result = running.finish()
    assert result.code == 130
    assert joined_text(result.events).strip() == clip.text
    assert result.events[-1]["type"] == "end"


def test_the_last_words_of_frames(engine: Engine, clip: Clip) -> None:
    running = engine.start("--framed", "--events", "-I", "0.08")
    running.write(audio(clip.pcm + silence(0.3)))
    running.wait_for(lambda r: heard(r, clip.seconds + 0.2))
    running.interrupt()
    result = running.finish()
    assert result.code == 130
    assert joined_text(result.events).strip() == clip.text
    assert [event["type"] for event in result.events][-2:] == ["utterance_end", "end"]


def test_waiting_for_input(engine: Engine) -> None:
    for args in (("--stdin",), ("--framed",)):
        running = engine.start(*args, "--events")
        running.wait_for(lambda r: b'"ready"' in r.received)
        running.interrupt()
        result = running.finish()
        assert result.code == 130
        assert result.events[-1]["type"] == "end"


def test_a_file_that_waits(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    running = engine.start("-i", path, "--events", "-I", "0.08")
    with path.open("wb") as pipe:
        pipe.write(wav(clip.pcm, size=0xFFFFFFFF))
        pipe.flush()
        running.wait_for(lambda r: heard(r, 1.0))
        running.interrupt()
        result = running.finish()
    assert result.code == 130
    assert result.events[-1]["type"] == "end"


def test_plain_text_ends_with_its_line(engine: Engine, clip: Clip) -> None:
    running = engine.start("--stdin", "-I", "0.5")
    running.write(clip.pcm + silence(3))
    running.wait_for(lambda r: bytes(r.received).decode(errors="ignore") == clip.text)
    running.interrupt()
    result = running.finish()
    assert (result.code, result.text) == (130, clip.text + "\n")


def test_twice_is_at_once(engine: Engine) -> None:
    """A program that cannot write its words, because nobody reads them, ends all the same."""
    process = subprocess.Popen(
        [*engine.command, "-d", str(engine.model), "--framed", "--events", "--silent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(frame("F") * 3000)
    process.stdin.flush()
    select.select([process.stdout], [], [], PATIENCE)
    time.sleep(1)  # until the pipe is full; if it were not, the test would still pass
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    process.stdin.close()
    process.stdout.close()
