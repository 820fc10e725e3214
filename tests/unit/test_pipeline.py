"""The pipeline with a source and an engine that do as they are told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.chain import Chain
from voxtui.audio.hearing import HearingConfig
from voxtui.events import (
    CaptureChanged,
    CaptureState,
    Edit,
    EngineChanged,
    EngineState,
    Level,
    ListeningChanged,
    Notice,
    SessionOpened,
    TranscriptChanged,
    UtteranceEnded,
)
from voxtui.hook import HookConfig
from voxtui.session.aside import Keeping
from voxtui.session.library import load_session


def test_nothing_is_kept_before_listening(chain: Chain) -> None:
    chain.source.say(3)
    chain.settle()
    assert chain.of(Level)
    assert not chain.pipeline.session_path().exists()
    chain.pipeline.close()


def test_push_to_talk_keeps_pre_roll_and_post_roll(chain: Chain) -> None:
    chain.source.say(2)
    chain.pipeline.listen(True)
    chain.source.say(2)
    chain.pipeline.listen(False)
    chain.source.say(2)
    text = chain.settle()
    assert chain.audio_seconds() == pytest.approx(0.4 + 2 + 0.3, abs=0.11)
    assert text.split() == ["word"] * 2
    assert [e.listening for e in chain.of(ListeningChanged)] == [True, False]
    assert chain.pipeline.wait_idle(1)
    chain.pipeline.close()
    assert chain.engine.stopped
    assert chain.source.stopped


def test_the_vocabulary_is_read_again_when_somebody_speaks(chain: Chain, tmp_path: Path) -> None:
    def speak() -> None:
        chain.pipeline.listen(True)
        chain.source.say(2)
        chain.pipeline.listen(False)
        chain.source.say(1)
        chain.settle()

    speak()
    rules = tmp_path / "vocabulary.txt"
    rules.write_text("word = Wort\nnonsense\n")
    speak()
    assert "line 2" in chain.of(Notice)[0].message  # type: ignore[attr-defined]
    assert chain.pipeline.text().split() == ["Wort"] * 4
    assert chain.of(TranscriptChanged)[-1] is not None
    rules.unlink()
    chain.pipeline.reread_vocabulary()
    assert chain.pipeline.text().split() == ["word"] * 4
    chain.pipeline.close()


def test_a_hook_has_its_say_before_the_end_of_the_utterance_is_told(tmp_path: Path) -> None:
    chain = Chain(tmp_path, hook=HookConfig("sleep 0.3; tr a-z A-Z"))
    chain.pipeline.listen(True)
    chain.source.say(2)
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    assert chain.pipeline.wait_idle(5)
    kinds = [type(e) for e in chain.events if isinstance(e, TranscriptChanged | UtteranceEnded)]
    assert kinds[-2:] == [TranscriptChanged, UtteranceEnded]
    assert chain.pipeline.text() == "WORD WORD"
    chain.pipeline.close()
    assert "WORD WORD" in (chain.pipeline.session_path() / "transcript.md").read_text()


def test_a_hook_that_fails_changes_nothing_and_is_told(tmp_path: Path) -> None:
    chain = Chain(tmp_path, hook=HookConfig("echo x; exit 1"))
    chain.pipeline.listen(True)
    chain.source.say(1)
    chain.pipeline.close()
    assert chain.pipeline.text() == "word"
    assert any("exit code 1" in e.message for e in chain.of(Notice))  # type: ignore[attr-defined]
    assert len(chain.of(UtteranceEnded)) == 1


def test_pressing_again_during_the_post_roll_goes_on(chain: Chain) -> None:
    chain.pipeline.listen(True)
    chain.source.say(1)
    chain.pipeline.listen(False)
    chain.source.say(0.1)
    chain.pipeline.listen(True)
    chain.source.say(1)
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    assert chain.audio_seconds() == pytest.approx(2.4, abs=0.11)
    assert len(chain.of(UtteranceEnded)) == 1
    chain.pipeline.close()


def test_closing_while_talking_loses_nothing(chain: Chain) -> None:
    chain.pipeline.listen(True)
    chain.source.say(3)
    chain.pipeline.close()
    session = next((chain.pipeline.session_path().parent).iterdir())
    assert (session / "transcript.md").read_text().count("word") == 3


def test_a_new_session_waits_for_the_last_words(chain: Chain) -> None:
    first = chain.pipeline.session_path()
    chain.pipeline.listen(True)
    chain.source.say(2)
    chain.pipeline.new_session()
    assert chain.settle() == ""
    assert (first / "transcript.md").read_text().count("word") == 2
    assert chain.pipeline.session_path() != first
    assert len(chain.of(SessionOpened)) == 2
    chain.pipeline.listen(True)
    chain.source.say(1)
    assert chain.settle().split() == ["word"]
    chain.pipeline.close()


def test_an_edit_reaches_the_files_and_the_page(chain: Chain) -> None:
    chain.pipeline.listen(True)
    chain.source.say(2)
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    chain.pipeline.edit([Edit(0, "word word", "one word")])
    assert chain.settle() == "one word"
    (change,) = [e for e in chain.of(TranscriptChanged) if e.edited]  # type: ignore[attr-defined]
    assert change.edited[0][1].text == "one word"  # type: ignore[attr-defined]
    assert "one word" in (chain.pipeline.session_path() / "transcript.md").read_text()
    chain.pipeline.edit([Edit(0, "word word", "two words")])
    assert chain.settle() == "one word"
    assert "another by now" in chain.of(Notice)[-1].message  # type: ignore[attr-defined]
    chain.pipeline.close()


def test_a_note_is_put_where_the_sound_was(chain: Chain) -> None:
    chain.pipeline.listen(True)
    chain.source.say(1.5)
    chain.settle()
    chain.pipeline.note("here", at_s=0.5, wall_time=9.0)
    chain.source.say(1)
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    chain.pipeline.close()
    told = [s for e in chain.of(TranscriptChanged) for s in e.settled]  # type: ignore[attr-defined]
    assert [s.text for s in told] == ["here", "word word"]


def test_another_microphone_replaces_the_first(chain: Chain) -> None:
    chain.pipeline.change_source(chain.make_source)
    chain.settle()
    first, second = chain.sources
    assert first.stopped
    chain.pipeline.listen(True)
    first.say(5)
    second.say(1)
    assert chain.settle().split() == ["word"]
    chain.pipeline.close()


def test_a_file_is_kept_from_its_first_sample(tmp_path: Path) -> None:
    chain = Chain(tmp_path, keep_everything=True)
    chain.source.say(2)
    assert chain.source.post is not None
    chain.source.post(CaptureChanged(CaptureState.FINISHED, "file"))
    assert chain.pipeline.wait_idle(10)
    assert chain.audio_seconds() == 2
    chain.pipeline.close()


def test_talking_tries_an_engine_again_that_was_given_up(chain: Chain) -> None:
    chain.pipeline.listen(True)
    chain.pipeline.listen(False)
    chain.settle()
    assert chain.engine.tries == 0
    chain.engine.post(EngineChanged(EngineState.FAILED, "It stopped five times."))
    chain.pipeline.listen(True)
    chain.settle()
    assert chain.engine.tries == 1
    chain.pipeline.close()


def test_configuring_reaches_the_engine(chain: Chain) -> None:
    chain.pipeline.configure_engine(delay_ms=960)
    chain.pipeline.configure_engine(interval_s=1.0)
    chain.settle()
    assert chain.engine.configured == [(960, None), (None, 1.0)]
    chain.pipeline.close()


def test_a_new_listener_call_after_close_does_nothing(chain: Chain) -> None:
    chain.pipeline.close()
    chain.pipeline.close()
    started = time.monotonic()
    assert chain.pipeline.text() == ""
    assert time.monotonic() - started < 5


def test_hands_free_may_wait_for_a_voice(tmp_path: Path) -> None:
    chain = Chain(tmp_path, hearing=HearingConfig(pause_after_s=1.0))
    chain.pipeline.listen(True, hands_free=True)
    chain.source.say(2)
    chain.source.say(5, 0)
    chain.settle()
    assert [(e.listening, e.paused) for e in chain.of(ListeningChanged)] == [
        (True, False),
        (True, True),
    ]
    assert len(chain.of(UtteranceEnded)) == 1, "its last words are out meanwhile"
    chain.source.say(2)
    chain.pipeline.listen(False)
    chain.source.say(1)
    text = chain.settle()
    assert chain.audio_seconds() == pytest.approx(2 + 1 + 1 + 2 + 0.3, abs=0.2)
    assert text.split() == ["word"] * 6
    assert not chain.of(ListeningChanged)[2].paused
    chain.pipeline.close()


def test_holding_writes_silence_too(tmp_path: Path) -> None:
    chain = Chain(tmp_path, hearing=HearingConfig(pause_after_s=1.0))
    chain.pipeline.listen(True)
    chain.source.say(1)
    chain.source.say(4, 0)
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    assert chain.audio_seconds() == pytest.approx(5.3, abs=0.11)
    chain.pipeline.close()


def test_what_is_written_beside_a_session(tmp_path: Path) -> None:
    daily = tmp_path / "notes"
    chain = Chain(tmp_path, keeping=Keeping(("srt", "txt"), daily, keep_audio_days=0))
    chain.pipeline.listen(True)
    chain.source.say(3)
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    folder = chain.pipeline.session_path()
    assert (folder / "audio.wav").exists()
    chain.pipeline.close()
    assert (folder / "transcript.txt").read_text().split() == ["word"] * 3
    assert "-->" in (folder / "transcript.srt").read_text()
    (file,) = daily.iterdir()
    assert file.read_text().count("word") == 3
    assert not (folder / "audio.wav").exists(), "its words are all written"
    assert load_session(folder).finished


def test_another_folder_is_for_what_is_not_kept_yet(chain: Chain, tmp_path: Path) -> None:
    config = chain.pipeline._wiring.config

    def keep_in(folder: Path) -> None:
        chain.pipeline.configure(config.hearing, config.keeping, config.hook, folder)
        chain.settle()

    keep_in(tmp_path / "a")
    assert chain.pipeline.session_path().parent == tmp_path / "a"
    assert Path(chain.of(SessionOpened)[-1].path).parent == tmp_path / "a"  # type: ignore[attr-defined]
    chain.pipeline.listen(True)
    chain.source.say(1)
    chain.settle()
    keep_in(tmp_path / "b")
    assert chain.pipeline.session_path().parent == tmp_path / "a", "it is there already"
    chain.pipeline.listen(False)
    chain.source.say(1)
    chain.settle()
    chain.pipeline.new_session()
    assert chain.pipeline.wait_idle(5)
    assert chain.pipeline.session_path().parent == tmp_path / "b"
    chain.pipeline.close()
