"""transcribe.cpp behind the protocol, with the small trained model: the same words as ours."""

from __future__ import annotations

import sys
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support import wire
from tests.support.wire import FLUSH, QUIT, RESET, Event, audio, configure, of
from voxtui import paths
from voxtui.engine.locate import EngineMissing, find_engine

pytest.importorskip("transcribe_cpp", reason="needs: pip install 'voxtui[ggml]'")


def clip(name: str) -> bytes:
    with wave.open(str(paths.clips_dir() / f"{name}.wav")) as file:
        return file.readframes(file.getnframes())


def ours() -> list[str]:
    try:
        return [str(find_engine())]
    except EngineMissing as error:
        pytest.skip(str(error))


def ggml() -> list[str]:
    return [sys.executable, "-m", "voxtui.engine.workers", "ggml"]


def run(command: list[str], frames: bytes, model: Path | None = None) -> list[Event]:
    model = model or paths.builtin_model_dir()
    return wire.run([*command, "-d", str(model), "--threads", "1"], frames)


def tokens(events: list[Event], utterance: int) -> list[tuple[object, ...]]:
    """What must be equal, engine for engine."""
    return [
        (event["text"], event["index"], event["time"], event["word_start"])
        for event in of(events, "token")
        if event["utterance"] == utterance
    ]


FRAMES = (
    audio(clip("demo"), 3333)  # with the model's token for an end in it, and words after that
    + FLUSH
    + audio(clip("cafe"), 16000)
    + RESET
    + FLUSH
    + configure(delay_ms=81)
    + configure(delay_ms=960)
    + audio(clip("cafe"), 800)
    + QUIT
)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXTUI_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def heard(home: None) -> tuple[list[Event], list[Event]]:
    """What both engines make of the same frames."""
    return run(ggml(), FRAMES), run(ours(), FRAMES)


def test_the_same_words_at_the_same_times_as_ours(
    heard: tuple[list[Event], list[Event]],
) -> None:
    theirs, ours_ = heard
    assert len(tokens(ours_, 0)) > 30
    for utterance in (0, 3):
        assert tokens(theirs, utterance) == tokens(ours_, utterance)
    assert wire.text(theirs, 3) == " morning coffee café"


def test_every_utterance_ends_once(heard: tuple[list[Event], list[Event]]) -> None:
    for events in heard:
        ends = [(event["utterance"], event["reason"]) for event in of(events, "utterance_end")]
        assert ends == [(0, "flush"), (1, "reset"), (2, "flush"), (3, "flush")]
        assert of(events, "utterance_end")[0]["audio_in"] == pytest.approx(21.865)
        assert events[-2]["type"] == "end"
        assert events[-1]["code"] == 0


def test_it_says_what_it_is_and_how_it_goes(heard: tuple[list[Event], list[Event]]) -> None:
    events = heard[0]
    (ready,) = of(events, "ready")
    assert (ready["engine"], ready["protocol"], ready["delay_ms"]) == ("ggml", 1, 480)
    assert ready["backend"] in ("cpu", "vulkan", "metal", "cuda")
    stats = [event for event in of(events, "stats") if event["utterance"] == 0]
    assert stats
    for before, after in pairwise(stats):
        assert before["audio_done"] <= after["audio_done"]
    for event in stats:
        assert 0 <= event["audio_done"] <= event["audio_in"] <= 21.9
        assert event["memory_mb"] > 1
    assert [event["code"] for event in of(events, "warning")] == ["bad_config"]
    assert [event["delay_ms"] for event in of(events, "configured")] == [960]


def test_the_file_made_of_a_folder_is_made_once_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours()
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    folder = tmp_path / "cache" / "ggml"
    folder.mkdir(parents=True)
    lost, other = folder / "4194305.part.gguf", folder / "1.part.gguf"  # of nobody; of process 1
    lost.write_bytes(bytes(10))
    other.write_bytes(bytes(10))
    first = [(e["task"], e["done"]) for e in of(run(ggml(), QUIT), "progress")]
    assert first[0] == ("Making a GGUF file of the model, once", 0.0)
    assert first[-1][1] == 1.0
    assert not lost.exists()
    assert other.exists()
    assert not of(run(ggml(), QUIT), "progress")


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    *_, error, exit_ = run(ggml(), QUIT, broken)
    assert exit_["code"] == 2
    assert "broken.gguf" in error["message"]
    (tmp_path / "empty").mkdir()
    *_, error, exit_ = run(ggml(), QUIT, tmp_path / "empty")
    assert (error["code"], exit_["code"]) == ("format", 2)


def test_a_broken_frame_ends_it_after_the_words() -> None:
    events = run(ggml(), audio(clip("cafe"), 16000) + b"X\0\0\0\0")
    assert wire.text(events, 0) == " morning coffee café"
    assert [event["type"] for event in events[-3:]] == ["utterance_end", "error", "exit"]
    assert events[-1]["code"] == 1
