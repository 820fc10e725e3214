"""Old sound goes, words stay, and no clock that is wrong for a while deletes anything."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.sessions import partly_written
from voxtui.session.forgetting import forget_old_sound

DAY = 86_400.0
NOON = time.mktime((2026, 3, 4, 12, 0, 0, 0, 0, -1))


def has_sound(path: Path) -> bool:
    return (path / "audio.wav").exists()


def test_old_sound_goes_and_words_stay(tmp_path: Path) -> None:
    old = partly_written(tmp_path, NOON)
    unwritten = partly_written(tmp_path, NOON + 1, words_s=0.5)
    fresh = partly_written(tmp_path, NOON + 8 * DAY)
    assert forget_old_sound(tmp_path, -1, NOON + 99 * DAY) == []
    assert forget_old_sound(tmp_path, 7, NOON + 9 * DAY) == [], "seen for the first time"
    assert forget_old_sound(tmp_path, 7, NOON + 9.5 * DAY) == []
    assert forget_old_sound(tmp_path, 7, NOON + 10 * DAY) == [old]
    assert not has_sound(old)
    assert "hello" in (old / "transcript.md").read_text()
    assert has_sound(unwritten)
    assert has_sound(fresh)
    assert forget_old_sound(tmp_path, 7, NOON + 12 * DAY) == []


def test_a_clock_far_ahead_deletes_nothing_on_its_first_day(tmp_path: Path) -> None:
    told: list[str] = []
    path = partly_written(tmp_path, NOON)
    ahead = NOON + 5000 * DAY
    forget_old_sound(tmp_path, 7, NOON, told.append)
    for at in (ahead, ahead + 60, ahead + DAY / 2):
        assert forget_old_sound(tmp_path, 7, at, told.append) == []
    (sentence,) = told
    assert sentence.startswith("The date has moved from 2026-03-04 to 2039-11-11 since")
    assert "7 days is deleted from tomorrow on" in sentence
    for at in (NOON + DAY, NOON + 2 * DAY):  # set right again
        assert forget_old_sound(tmp_path, 7, at) == []
    assert has_sound(path)
    assert forget_old_sound(tmp_path, 7, ahead) == [], "and wrong again"
    assert forget_old_sound(tmp_path, 7, NOON + 8 * DAY) == []
    assert forget_old_sound(tmp_path, 7, NOON + 9 * DAY) == [path]


def test_a_session_begun_by_a_clock_that_was_not_set_keeps_its_sound(tmp_path: Path) -> None:
    path = partly_written(tmp_path, 4000.0)
    for day in range(20):
        assert forget_old_sound(tmp_path, 7, NOON + day * DAY) == []
    assert has_sound(path)


def test_who_comes_back_after_weeks_is_asked_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    path = partly_written(tmp_path, NOON)
    forget_old_sound(tmp_path, 7, NOON, told.append)
    assert forget_old_sound(tmp_path, 7, NOON + 60 * DAY, told.append) == []
    assert forget_old_sound(tmp_path, 7, NOON + 67 * DAY, told.append) == [path]
    assert told == []


def test_a_folder_that_cannot_be_written_deletes_nothing(tmp_path: Path) -> None:
    assert forget_old_sound(tmp_path / "nowhere", 7, NOON) == []
    assert forget_old_sound(tmp_path / "nowhere", 7, NOON + 9 * DAY) == []
