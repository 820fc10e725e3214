"""The pipeline when the microphone, the disk or its own code fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chain import Chain, FakeEngine, FakeSource
from voxtui.audio.source import AudioError
from voxtui.engine.config import EngineConfig
from voxtui.events import (
    AudioGap,
    CaptureChanged,
    CaptureState,
    Event,
    Notice,
    SegmentKind,
    TranscriptChanged,
    UtteranceEnded,
)
from voxtui.pipeline import Pipeline, PipelineConfig
from voxtui.session.library import load_session
from voxtui.session.session import Session, SessionError


def test_a_lost_microphone_shows_in_the_transcript(chain: Chain) -> None:
    chain.pipeline.listen(True)
    chain.source.say(2)
    assert chain.source.post is not None
    chain.source.post(CaptureChanged(CaptureState.LOST, "test microphone"))
    chain.source.post(AudioGap("device lost", 3.0))
    chain.source.post(CaptureChanged(CaptureState.RUNNING, "test microphone"))
    chain.source.say(2)
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    kinds = [s.kind for change in chain.of(TranscriptChanged) for s in change.settled]
    assert SegmentKind.GAP in kinds
    chain.pipeline.close()


def test_a_file_reader_waits_when_the_disk_is_slow(tmp_path: Path) -> None:
    chain = Chain(tmp_path, keep_everything=True)
    chain.source.say(
        30
    )  # more blocks than there is room for: would hang if room were not given back
    chain.settle()
    assert chain.audio_seconds() == 30
    chain.pipeline.close()


def test_a_source_that_cannot_open_says_so(tmp_path: Path) -> None:
    events: list[Event] = []

    def broken() -> FakeSource:
        raise AudioError("No microphone was found. Plug one in.")

    pipeline = Pipeline(
        PipelineConfig(broken, EngineConfig(model=tmp_path), tmp_path),
        events.append,
        FakeEngine,  # type: ignore[arg-type]
    )
    pipeline.start()
    pipeline.text()
    failed = [e for e in events if isinstance(e, CaptureChanged)]
    assert failed[-1].state is CaptureState.FAILED
    assert "Plug one in" in failed[-1].detail
    assert pipeline.wait_idle(1)
    pipeline.close()


FULL = "The disk is full. Make room; what was said is kept."


def full(self: object, pcm: bytes) -> int:
    raise SessionError(FULL)


def test_a_full_disk_stops_with_a_sentence(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.pipeline.listen(True)
    chain.source.say(1)
    chain.settle()
    monkeypatch.setattr(Session, "append_audio", full)
    chain.source.say(1)
    chain.settle()
    assert [e.message for e in chain.of(Notice)] == [FULL]  # type: ignore[attr-defined]
    assert chain.source.stopped
    chain.pipeline.close()


def test_at_a_full_disk_the_newest_words_are_waited_for(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.engine.hold = True
    chain.pipeline.listen(True)
    chain.source.say(2)
    chain.settle()
    monkeypatch.setattr(Session, "append_audio", full)
    chain.source.say(1)
    assert chain.settle() == ""
    assert not chain.pipeline.wait_idle(0.1)
    chain.engine.let_go()
    assert chain.pipeline.wait_idle(5)
    assert chain.pipeline.text() == "word word"
    assert len(chain.of(UtteranceEnded)) == 1, "now they are copied"
    chain.pipeline.close()
    assert load_session(chain.pipeline.session_path()).text == "word word"


@pytest.mark.parametrize("new", [False, True])
def test_when_there_is_room_again_listening_goes_on(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, new: bool
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Session, "append_audio", full)
        for _ in range(2):
            chain.pipeline.listen(True)
            chain.settle()
            chain.source.say(1)
            chain.settle()
    assert [e.message for e in chain.of(Notice)] == [FULL, FULL]  # type: ignore[attr-defined]
    if new:
        chain.pipeline.new_session()
        assert chain.pipeline.wait_idle(5)
    chain.pipeline.listen(True)
    chain.settle()
    chain.source.say(2)
    chain.pipeline.listen(False)
    chain.source.say(1)
    assert chain.settle() == "word word"
    assert not chain.source.stopped
    chain.pipeline.close()


def test_a_fault_of_ours_is_told_and_the_words_stay(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(self: object, pcm: bytes) -> int:
        raise RuntimeError("oops")

    chain.pipeline.listen(True)
    chain.source.say(2)
    chain.settle()
    monkeypatch.setattr(Session, "append_audio", faulty)
    chain.source.say(1)
    chain.settle()
    assert [e.message for e in chain.of(Notice)] == ["Unexpected: RuntimeError: oops."]  # type: ignore[attr-defined]
    assert chain.pipeline.wait_idle(5)
    chain.pipeline.close()
    assert load_session(chain.pipeline.session_path()).text == "word word"
