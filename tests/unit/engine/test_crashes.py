"""The process dies, babbles, hangs or cannot start: words come exactly once all the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.engine.conftest import FAKE, HALF_SECOND, QUICK, Rig, gone, words
from voxtui.events import (
    EngineChanged,
    EngineEvent,
    EngineState,
    Notice,
    UtteranceEnded,
    WordsRetracted,
)


def test_killed_in_mid_speech_the_words_come_exactly_once(rig: Rig) -> None:
    rig.environment(FAKE_SPEED="0.01")
    rig.ready()
    rig.say(*range(1, 11))
    rig.page.wait_words(3)
    rig.kill_process()
    rig.say(*range(11, 15))
    rig.engine.end_utterance()
    rig.page.wait_ended()
    assert rig.page.words() == words(*range(1, 15))
    assert rig.page.of(WordsRetracted)[0].from_s == 0
    assert EngineState.RESTARTING in rig.page.states()
    detail = next(e.detail for e in rig.page.of(EngineChanged) if e.state is EngineState.RESTARTING)
    assert "signal 9" in detail


def test_a_replay_starts_at_the_settled_point(rig: Rig) -> None:
    rig.ready()
    rig.utter(1, 2)
    rig.utter(3, 4, 5, 6)
    rig.say(7)
    rig.page.wait_words(7)
    rig.page.wait_ended(2)
    rig.say(8, 9)
    rig.page.wait_words(9)
    rig.engine.settled(3.5)
    rig.kill_process()
    rig.page.wait_state(EngineState.READY, 2)
    rig.engine.end_utterance()
    rig.page.wait_ended(3)
    assert rig.page.of(WordsRetracted) == [WordsRetracted(3.5, "the engine is started again")]
    assert rig.page.words() == words(*range(1, 10))
    assert rig.page.tokens[-1].time_s == 4.5
    assert rig.page.of(UtteranceEnded)[-1] == UtteranceEnded(4.5)


@pytest.mark.parametrize("crash_at", [1, 2, 3, 4, 5, 6, 7])
def test_several_utterances_survive_a_crash_anywhere(rig: Rig, crash_at: int) -> None:
    rig.environment(FAKE_CRASH_AT=crash_at, FAKE_TIMES=1)
    rig.engine.start()
    rig.utter(1, 2)
    rig.utter(3)
    rig.utter(4, 5)
    rig.page.wait_ended(3)
    assert rig.page.words() == words(1, 2, 3, 4, 5)
    assert rig.page.of(UtteranceEnded) == [
        UtteranceEnded(1),
        UtteranceEnded(1.5),
        UtteranceEnded(2.5),
    ]
    assert rig.engine.idle()


def test_words_settled_after_the_crash_do_not_come_twice(rig: Rig) -> None:
    """The caller settles what it had while the engine already prepares a replay."""
    hear = rig.page.post

    def post(event: EngineEvent) -> None:
        if isinstance(event, WordsRetracted):
            assert event.from_s == 0
            rig.engine.settled(1.0)
        hear(event)

    rig.page.post = post  # type: ignore[method-assign]
    rig.ready()
    rig.say(1, 2, 3, 4)
    rig.page.wait_words(4)
    rig.kill_process()
    rig.page.wait_state(EngineState.READY, 2)
    rig.engine.end_utterance()
    rig.page.wait_ended()
    assert rig.page.words() == words(3, 4)  # those before 1.0 s are the caller's


def test_words_are_taken_back_only_when_they_can_be_written_again(rig: Rig) -> None:
    rig.ready()
    rig.say(1, 2, 3)
    rig.page.wait_words(3)
    rig.binary.unlink()
    rig.kill_process()
    rig.page.wait_state(EngineState.FAILED)
    assert rig.page.words() == words(1, 2, 3)


def test_an_utterance_settled_to_its_end_ends(rig: Rig) -> None:
    rig.environment(FAKE_CRASH_AT=2, FAKE_TIMES=1)  # the flush is never answered
    rig.ready()
    rig.say(1)
    rig.page.wait_words(1)
    rig.engine.settled(0.5)
    rig.engine.end_utterance()
    rig.page.wait_ended()
    rig.page.wait_state(EngineState.READY, 2)
    assert rig.engine.idle()
    assert rig.page.words() == words(1)


@pytest.mark.parametrize("mode", ["garbage", "half", "hang"])
def test_an_engine_that_babbles_or_hangs_is_replaced(rig: Rig, mode: str) -> None:
    rig.environment(FAKE_MODE=mode, FAKE_TIMES=1)
    rig.timing = replace(QUICK, stall=1.0 if mode == "hang" else 30.0)
    rig.ready()
    rig.utter(1, 2, 3, 4, 5)
    rig.page.wait_ended()
    assert rig.page.words() == words(1, 2, 3, 4, 5)
    assert EngineState.RESTARTING in rig.page.states()


def test_an_engine_that_hangs_while_somebody_speaks_is_replaced(rig: Rig) -> None:
    """Nobody has to stop for that, nor speak on: the pipe to it takes two seconds of sound."""
    rig.environment(FAKE_MODE="hang", FAKE_TIMES=1)
    rig.timing = replace(QUICK, stall=1.0)
    rig.ready()
    rig.say(*range(1, 16))
    rig.page.wait_state(EngineState.RESTARTING)
    rig.page.wait_words(15)
    assert rig.page.words() == words(*range(1, 16))
    assert gone(rig.starts()[0]["pid"])


def test_an_engine_that_hangs_while_it_loads_is_replaced(rig: Rig) -> None:
    rig.environment(FAKE_MODE="slow", FAKE_LOADING="600", FAKE_TIMES=1)
    rig.timing = replace(QUICK, stall_loading=1.0)
    rig.engine.start()
    rig.utter(1, 2)
    rig.page.wait_ended()
    assert rig.page.words() == words(1, 2)
    assert rig.page.states().count(EngineState.RESTARTING) == 1


def test_a_slow_engine_is_not_taken_for_a_hanging_one(rig: Rig) -> None:
    rig.environment(FAKE_MODE="busy", FAKE_SPEED="1.5")
    rig.timing = replace(QUICK, stall=1.0)
    rig.ready()
    rig.utter(1)
    rig.page.wait_ended()
    assert EngineState.RESTARTING not in rig.page.states()


def test_a_line_of_a_library_does_no_harm(rig: Rig) -> None:
    rig.environment(FAKE_MODE="foreign")
    rig.ready()
    rig.utter(1)
    rig.page.wait_ended()
    assert EngineState.RESTARTING not in rig.page.states()


def test_crashes_without_progress_end_in_a_sentence(rig: Rig) -> None:
    rig.environment(FAKE_CRASH_AT=1)
    rig.engine.start()
    rig.utter(1)
    failed = rig.page.wait_state(EngineState.FAILED)
    assert len(rig.starts()) == 5
    assert rig.page.states().count(EngineState.RESTARTING) == 4
    assert "5 times in a row" in failed.detail
    assert "told to crash" in failed.detail
    assert "engine.log" in failed.detail
    assert not rig.engine.idle()
    log = rig.folder / "home" / "log" / "engine.log"
    assert log.read_text().count("told to crash") == 5


def test_what_was_given_up_is_tried_again_when_somebody_wants_it(rig: Rig) -> None:
    rig.environment(FAKE_CRASH_AT=1)
    rig.engine.start()
    rig.utter(1)
    rig.page.wait_state(EngineState.FAILED)
    rig.environment(FAKE_CRASH_AT=1000)
    rig.engine.try_again()
    rig.engine.try_again()
    rig.utter(2)
    rig.page.wait_ended(2)
    assert rig.page.words() == words(1, 2), "what was said meanwhile is not lost"
    assert len(rig.starts()) == 6
    rig.engine.try_again()
    rig.utter(3)
    rig.page.wait_ended(3)
    assert len(rig.starts()) == 6, "what runs is left alone"


def test_a_system_that_runs_out_of_memory_is_thought_of(rig: Rig) -> None:
    rig.ready()
    rig.kill_process()
    rig.page.wait_state(EngineState.RESTARTING)
    detail = next(e.detail for e in rig.page.of(EngineChanged) if e.state is EngineState.RESTARTING)
    assert detail.startswith("The engine was ended by signal 9, as happens when memory runs out.")


def test_crashes_with_progress_never_end_it(rig: Rig) -> None:
    rig.environment(FAKE_CRASH_AT=3)  # after each whole utterance
    rig.engine.start()
    for count in range(1, 9):
        rig.utter(count)
        rig.page.wait_ended(count)
    assert rig.page.words() == words(*range(1, 9))
    assert EngineState.FAILED not in rig.page.states()


def test_after_giving_up_a_reload_goes_on(rig: Rig) -> None:
    rig.environment(FAKE_MODE="exit")
    rig.engine.start()
    rig.utter(1, 2)
    rig.page.wait_state(EngineState.FAILED)
    rig.environment(FAKE_MODE="")
    rig.engine.reload(rig.config())
    rig.page.wait_ended()
    assert rig.page.words() == words(1, 2)


def test_a_model_that_cannot_be_used_is_not_tried_again(rig: Rig) -> None:
    rig.environment(FAKE_MODE="exit2")
    rig.engine.start()
    failed = rig.page.wait_state(EngineState.FAILED)
    assert failed.detail == "the fake engine does not like this model"
    assert len(rig.starts()) == 1


def test_another_protocol_is_refused(rig: Rig) -> None:
    rig.environment(FAKE_MODE="protocol9")
    rig.engine.start()
    assert "version 9" in rig.page.wait_state(EngineState.FAILED).detail


def test_a_missing_program_is_a_sentence(rig: Rig) -> None:
    rig.binary.unlink()
    rig.engine.start()
    assert "cannot be started" in rig.page.wait_state(EngineState.FAILED).detail


def test_no_program_at_all_is_a_sentence(rig: Rig) -> None:
    rig.environment(VOXTUI_ENGINE="/nowhere/voxtral")
    rig.engine.reload(rig.config(binary=None))
    rig.engine.start()
    assert "VOXTUI_ENGINE" in rig.page.wait_state(EngineState.FAILED).detail


def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Killed without a word, the parent leaves no engine behind."""
    log = tmp_path / "starts.log"
    binary = tmp_path / "voxtral"
    binary.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {FAKE} "$@"\n')
    binary.chmod(0o755)
    program = (
        "import sys, time, pathlib\n"
        "from voxtui.engine.config import EngineConfig\n"
        "from voxtui.engine.supervisor import Engine\n"
        "config = EngineConfig(pathlib.Path('/m'), binary=pathlib.Path(sys.argv[1]))\n"
        "engine = Engine(config, lambda a, n: b'', lambda e: print(e.state, flush=True))\n"
        "engine.start()\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(binary)],
        env={
            "FAKE_LOG": str(log),
            "VOXTUI_HOME": str(tmp_path),
            "PYTHONPATH": str(FAKE.parents[2]),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    while "ready" not in parent.stdout.readline():
        assert parent.poll() is None
    pid = int(log.read_text().split('"pid": ')[1].split(",")[0])
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


# ---- feeding -----------------------------------------------------------------------------


def test_an_hour_at_once_does_not_fill_the_memory(rig: Rig) -> None:
    """The engine does not read: what is sent ahead is a pipe's worth, whatever is waiting."""
    rig.environment(FAKE_MODE="deaf")
    asked: list[int] = []

    def read_audio(start: int, samples: int) -> bytes:
        asked.append(start + samples)
        return bytes(samples * 2)

    rig.engine.new_session(read_audio)
    rig.ready()
    rig.engine.audio_written(3600 * 2 * HALF_SECOND)
    rig.engine.end_utterance()
    rig.page.wait(lambda: len(asked) > 1)
    rig.engine.stop(0.3)
    assert max(asked) < 60 * 2 * HALF_SECOND


def test_a_file_shorter_than_announced_is_padded_and_named(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voxtui.engine.feeder.MISSING_WAIT_S", 0.05)
    rig.ready()
    rig.say(1)
    rig.engine.audio_written(2 * HALF_SECOND)
    rig.engine.end_utterance()
    rig.page.wait_ended()
    assert rig.page.words() == words(1, 0)
    assert "audio file" in rig.page.of(Notice)[0].message
