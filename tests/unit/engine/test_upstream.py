"""A program of voxtral.c behind the protocol, with a stand-in that prints what that prints."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support import wire
from tests.support.hearing import words
from tests.support.wire import FLUSH, QUIT, RESET, Event, audio, configure, of
from tests.unit.engine.conftest import Page
from voxtui.engine.config import EngineConfig
from voxtui.engine.supervisor import Engine
from voxtui.engine.workers.upstream import Signs, Text
from voxtui.events import EngineState

ROOT = Path(__file__).parents[3]
SPEECH = words(1, 2, 3, 4)
TEXT = " w1 w2 w3 w4"


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "voxtral"
    path.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tests.support.fake_upstream "$@"\n'
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "consolidated.safetensors").write_bytes(b"weights")
    return folder


def run(binary: Path, model: Path, frames: bytes, *more: str, **fake: str) -> list[Event]:
    command = [sys.executable, "-m", "voxtui.engine.workers", "upstream"]
    command += ["--binary", str(binary), "-d", str(model), *more]
    return wire.run(command, frames, {**os.environ, **fake})


@pytest.mark.parametrize("split", ["0", "1", "3"])
def test_words_times_and_sums(binary: Path, model: Path, split: str) -> None:
    frames = audio(SPEECH, 3000) + FLUSH + FLUSH + audio(words(5), 100) + QUIT
    events = run(binary, model, frames, FAKE_SPLIT=split)
    assert wire.text(events, 0) == TEXT
    assert wire.text(events, 2) == " w5"
    begun = [event for event in of(events, "token") if event["word_start"]]
    assert [event["text"][:2] for event in begun] == [" w"] * 5
    times = [event["time"] for event in begun[:4]]
    assert times == sorted(times)
    assert 0.1 < times[0] <= times[3] <= len(SPEECH) / 32000
    ends = of(events, "utterance_end")
    assert [(end["utterance"], end["reason"]) for end in ends] == [
        (0, "flush"), (1, "flush"), (2, "flush"),
    ]  # fmt: skip
    assert (ends[0]["encoder_ms"], ends[0]["decoder_ms"]) == (45, 678)
    assert ends[0]["steps"] == 36 + 11
    assert (ends[1]["audio_in"], ends[1]["steps"]) == (0, 0)
    assert of(events, "ready")[0]["engine"] == "upstream"
    assert not of(events, "warning")
    assert [event["type"] for event in events[-2:]] == ["end", "exit"]
    assert events[-1]["code"] == 0
    assert "Model loaded." in events[-1]["said"]
    assert "▶" not in events[-1]["said"]


def test_restarts_are_named(binary: Path, model: Path) -> None:
    frames = audio(SPEECH, 8000) + QUIT
    events = run(binary, model, frames, FAKE_RESTART="▫⚠↯♻▫↯♻", FAKE_SPLIT="1")
    assert wire.text(events, 0) == TEXT
    assert [event["message"] for event in of(events, "warning")] == [
        "voxtral.c began anew (all of it), for it had written nothing for long."
    ]


def test_an_old_program_without_signs_will_do(binary: Path, model: Path) -> None:
    events = run(binary, model, audio(SPEECH, 8000) + QUIT, FAKE_OLD="1")
    assert wire.text(events, 0) == TEXT


def test_reset_and_too_little_sound(binary: Path, model: Path) -> None:
    frames = audio(SPEECH, 8000) + RESET + audio(b"\1\0", 1) + FLUSH + audio(SPEECH, 8000) + QUIT
    events = run(binary, model, frames)
    assert [end["reason"] for end in of(events, "utterance_end")] == ["reset", "flush", "flush"]
    assert wire.text(events, 2) == TEXT


def test_what_it_cannot_do_is_said(binary: Path, model: Path) -> None:
    frames = configure(delay_ms=960) + configure(interval=1.0) + audio(SPEECH, 8000) + QUIT
    events = run(binary, model, frames, "--delay", "240")
    assert [event["code"] for event in of(events, "warning")] == ["bad_config", "bad_config"]
    assert of(events, "configured")[-1] | {"type": ""} == {
        "type": "", "delay_ms": 480, "interval": 1.0,
    }  # fmt: skip
    assert wire.text(events, 0) == TEXT


def test_what_cannot_be_used_is_named(binary: Path, model: Path, tmp_path: Path) -> None:
    *_, error, exit_ = run(binary, tmp_path, QUIT)
    assert "official folder" in error["message"]
    assert exit_["code"] == 2
    *_, error, exit_ = run(Path("/bin/true"), model, QUIT)
    assert "no program of voxtral.c" in error["message"]
    (model / "consolidated.safetensors").write_bytes(b"")
    *_, error, exit_ = run(binary, model, QUIT)
    assert f"Failed to load model from {model}" in error["message"]
    assert exit_["code"] == 2


def test_a_crash_is_an_error_with_its_reason(binary: Path, model: Path) -> None:
    events = run(binary, model, audio(SPEECH, 8000) + FLUSH, FAKE_DIE="3")
    *_, error, exit_ = events
    assert error["message"].endswith("ended with code 1: vox_decoder_forward: something is wrong")
    assert exit_["code"] == 1


def test_the_supervisor_runs_it(
    binary: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    page = Page()
    config = EngineConfig(model, name="upstream", binary=binary)
    engine = Engine(config, lambda at, n: SPEECH[2 * at : 2 * (at + n)], page.post)
    engine.start()
    half = len(SPEECH) // 2 // 2
    engine.audio_written(half)
    page.wait(lambda: bool(page.tokens))  # comes while it is spoken, in one piece or two
    assert all(0 < token.time_s <= half / 16000 - 0.48 for token in page.tokens)  # not to come
    engine.audio_written(2 * half)
    engine.end_utterance()
    page.wait_ended()
    engine.stop()
    assert page.words() == TEXT.replace(" ", "| ").split("|")[1:]
    assert EngineState.RESTARTING not in page.states()


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_bytes_may_be_split_anywhere(size: int) -> None:
    told: list[tuple[str, bool]] = []
    text = Text(lambda piece, begins: told.append((piece, begins)))
    data = "Ein café, 日本語.  Ja\n".encode()
    for at in range(0, len(data), size):
        text.take(data[at : at + size])
    assert "".join(piece for piece, _ in told) == " Ein café, 日本語. Ja"
    assert [piece[:2] for piece, begins in told if begins] == [" E", " c", " 日", " J"]
    signs: list[tuple[str, str]] = []
    works: list[int] = []
    stderr = Signs(lambda: works.append(1), lambda why, how: signs.append((why, how)))
    data = "▶·▪▸⟳✂▫⌚♻Encoder: 9 mel -> 1 tokens (5 ms)\nDone — all\n".encode()
    for at in range(0, len(data), size):
        stderr.take(data[at : at + size])
    stderr.end()
    assert [how for _, how in signs] == ["the decoder alone", "all of it"]
    assert len(works) == 5
    assert stderr.sums.encoder_ms == 5
    assert stderr.last_line == "Done — all"
